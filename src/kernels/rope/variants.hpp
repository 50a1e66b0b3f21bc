// The variants of rotary embedding that are compiled in; each is defined in the file of its level.
#pragma once

#include "kernels/rope/rope.hpp"

namespace brisk::kernels {

namespace ref {
extern const RopeVariant rope;
}
namespace avx2 {
extern const RopeVariant rope;
}
namespace avx512 {
extern const RopeVariant rope;
}

/// The table, the same function on every level so that tables are equal bit by bit.
void rope_table(const RopeTableArgs& args) noexcept;

}  // namespace brisk::kernels
