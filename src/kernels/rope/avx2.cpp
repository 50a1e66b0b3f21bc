// Rotary position embedding at the avx2 level: rope.inl on this level's vector.
#include "kernels/simd/avx2.hpp"

#include "kernels/rope/rope.inl"
