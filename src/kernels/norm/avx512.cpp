// RMS normalisation at the avx512 level: norm.inl on this level's vector.
#include "kernels/simd/avx512.hpp"

#include "kernels/norm/norm.inl"
