// Rotary position embedding at the avx512 level: rope.inl on this level's vector.
#include "kernels/simd/avx512.hpp"

#include "kernels/rope/rope.inl"
