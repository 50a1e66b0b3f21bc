// Attention at the avx2 level: attention.inl on this level's vector.
#include "kernels/simd/avx2.hpp"

#include "kernels/attention/variants.inl"
