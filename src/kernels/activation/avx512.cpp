// Element-wise kernels at the avx512 level: activation.inl on this level's vector.
#include "kernels/simd/avx512.hpp"

#include "kernels/activation/activation.inl"
