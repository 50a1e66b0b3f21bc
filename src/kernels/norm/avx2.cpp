// RMS normalisation at the avx2 level: norm.inl on this level's vector.
#include "kernels/simd/avx2.hpp"

#include "kernels/norm/norm.inl"
