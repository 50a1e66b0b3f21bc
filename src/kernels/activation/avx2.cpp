// Element-wise kernels at the avx2 level: activation.inl on this level's vector.
#include "kernels/simd/avx2.hpp"

#include "kernels/activation/activation.inl"
