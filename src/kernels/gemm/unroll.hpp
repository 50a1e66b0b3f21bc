// Asks for a loop over a small constant count to be unrolled whole. Without it GCC keeps arrays of vector
// registers in memory: every loop over the rows or vectors of a tile needs it.
#pragma once

#if defined(__clang__)
#define BRISK_UNROLL _Pragma("clang loop unroll(full)")
#else
#define BRISK_UNROLL _Pragma("GCC unroll 16")
#endif
