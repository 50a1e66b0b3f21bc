// Pages of keys and values: their sizes, and single entries in and out.
//
// A tile of 16 keys is 16 rows of blocks as quant writes them, taken apart into units that lie side by side:
// the whole element of a plain type; the scale (2 bytes), then each byte of codes, of a quantised block.
// So every type goes through one gather and one scatter.
#include "kernels/attention/pages.hpp"

#include <algorithm>
#include <cstring>

#include "base/checked.hpp"
#include "quant/block_format.hpp"

namespace brisk::kernels {
namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kScaleBytes = 2;  // of a quantised block: an f16 before the codes
constexpr int64_t kRunValues = 64;  // values that are gathered and converted at a time
constexpr int64_t kRunBytes = kRunValues * static_cast<int64_t>(sizeof(float));

/// Bytes of one key, of one row of values, of all keys, of a page.
struct PageSizes {
  int64_t key, value, value_offset, page;

  explicit PageSizes(const KvGeometry& g) {
    const DTypeInfo& info = dtype_info(g.type);
    key = g.k_dim / info.block_values * info.block_bytes;
    value = g.v_dim / info.block_values * info.block_bytes;
    value_offset = kPageTokens * key;
    page = round_up(value_offset + kPageTokens * value, 64);
  }
};

enum class Way { kGather, kScatter };

/// Moves `units` of kBytes each between a lane of a tile and a row.
template <int64_t kBytes>
void move_units(Way way, std::byte* lane, std::byte* row, int64_t units) {
  for (int64_t i = 0; i < units; ++i) {
    std::byte *in_tile = lane + i * kLanes * kBytes, *in_row = row + i * kBytes;
    std::memcpy(way == Way::kGather ? in_row : in_tile, way == Way::kGather ? in_tile : in_row, kBytes);
  }
}

/// Moves dimensions [begin, begin + count) of one key, whole blocks, between its lane and a row.
void move_key(Way way, DType type, const EntryPlace& at, int64_t begin, int64_t count, std::byte* row) {
  const DTypeInfo& info = dtype_info(type);
  std::byte* tile = at.tile + begin / info.block_values * info.block_bytes * kLanes;
  if (info.block_values == 1) {
    if (info.block_bytes == 4) return move_units<4>(way, tile + at.lane * 4, row, count);
    return move_units<2>(way, tile + at.lane * 2, row, count);
  }
  for (int64_t block = 0; block < count / info.block_values; ++block) {
    move_units<kScaleBytes>(way, tile + at.lane * kScaleBytes, row, 1);
    move_units<1>(way, tile + kLanes * kScaleBytes + at.lane, row + kScaleBytes,
                  info.block_bytes - kScaleBytes);
    tile += info.block_bytes * kLanes;
    row += info.block_bytes;
  }
}

/// Calls body(begin, count) for runs of at most kRunValues of `dims` dimensions.
template <typename Body>
void for_runs(int64_t dims, Body body) {
  for (int64_t begin = 0; begin < dims; begin += kRunValues) body(begin, std::min(kRunValues, dims - begin));
}

}  // namespace

int64_t KvGeometry::value_offset() const { return PageSizes(*this).value_offset; }
int64_t KvGeometry::page_bytes() const { return PageSizes(*this).page; }

EntryPlace find_entry(const KvGeometry& geometry, const KvHead& head, int64_t entry) noexcept {
  const PageSizes sizes(geometry);
  std::byte* page = head.base + head.pages[entry / kPageTokens] * sizes.page;
  const int64_t in_page = entry % kPageTokens;
  return {page + in_page / kLanes * kLanes * sizes.key, in_page % kLanes,
          page + sizes.value_offset + in_page * sizes.value};
}

void store_entry(const KvStoreArgs& args) noexcept {
  const KvGeometry& g = *args.geometry;
  const quant::BlockFormat& format = *quant::find_format(g.type);
  for (int64_t head = 0; head < g.kv_heads; ++head) {
    const EntryPlace at = find_entry(g, args.heads[head], args.position + args.heads[head].shift);
    for_runs(g.k_dim, [&](int64_t begin, int64_t count) {
      std::byte row[kRunBytes];
      format.encode(args.k + head * g.k_dim + begin, count, row);
      move_key(Way::kScatter, g.type, at, begin, count, row);
    });
    format.encode(args.v + head * g.v_dim, g.v_dim, at.value);
  }
}

void read_entry(const KvGeometry& geometry, const KvHead& head, int64_t entry, float* k, float* v) noexcept {
  const quant::BlockFormat& format = *quant::find_format(geometry.type);
  const EntryPlace at = find_entry(geometry, head, entry);
  if (k != nullptr) {
    for_runs(geometry.k_dim, [&](int64_t begin, int64_t count) {
      std::byte row[kRunBytes];
      move_key(Way::kGather, geometry.type, at, begin, count, row);
      format.decode(row, count, k + begin);
    });
  }
  if (v != nullptr) format.decode(at.value, geometry.v_dim, v);
}

void copy_entry(const KvGeometry& geometry, const KvHead& source, int64_t from, const KvHead& target,
                int64_t to) noexcept {
  const EntryPlace old_place = find_entry(geometry, source, from),
                   new_place = find_entry(geometry, target, to);
  for_runs(geometry.k_dim, [&](int64_t begin, int64_t count) {
    std::byte row[kRunBytes];
    move_key(Way::kGather, geometry.type, old_place, begin, count, row);
    move_key(Way::kScatter, geometry.type, new_place, begin, count, row);
  });
  std::memmove(new_place.value, old_place.value, static_cast<size_t>(PageSizes(geometry).value));
}

}  // namespace brisk::kernels
