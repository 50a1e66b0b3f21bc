// Attention at the avx512 level: attention.inl on this level's vector.
#include "kernels/simd/avx512.hpp"

#include "kernels/attention/variants.inl"
