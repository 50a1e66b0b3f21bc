// One entry of a page, for every stored type: the readable way in and out, in plain C++. The reference and
// the quantised types store through it; the vector levels know the layout of attention.hpp themselves.
#pragma once

#include "kernels/attention/attention.hpp"

namespace brisk::kernels {

/// Where an entry lies.
struct EntryPlace {
  std::byte* tile;   ///< the keys of its 16 neighbours
  int64_t lane;      ///< which of them it is
  std::byte* value;  ///< its row of values
};
EntryPlace find_entry(const KvGeometry& geometry, const KvHead& head, int64_t entry) noexcept;

/// Stores one row through the reference encoder of the stored type.
void store_entry(const KvStoreArgs& args) noexcept;

}  // namespace brisk::kernels
