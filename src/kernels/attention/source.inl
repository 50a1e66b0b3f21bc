// What attention reads, on F32x16: the stored types, and the pages of one key-value head of one sequence.
// f32, f16 and bf16 can be read in place; the quantised types are always unpacked to f32 first.
#include "kernels/attention/variants.hpp"

namespace brisk::kernels::BRISK_ISA_NAMESPACE {
namespace {

/// Stands for a page of q8_0; for q4_0.
struct Q8 {};
struct Q4 {};

/// Values and bytes of one block of a stored type.
template <typename E>
struct Stored {
  static constexpr bool kPlain = true;
  static constexpr int64_t kValues = 1, kBytes = sizeof(E);
};
template <>
struct Stored<Q8> {
  static constexpr bool kPlain = false;
  static constexpr int64_t kValues = 32, kBytes = 34;
};
template <>
struct Stored<Q4> {
  static constexpr bool kPlain = false;
  static constexpr int64_t kValues = 32, kBytes = 18;
};
constexpr int64_t kScaleBytes = 2;  // of a quantised block: an f16 before the codes

[[gnu::always_inline]] inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
[[gnu::always_inline]] inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/// One key-value head of one sequence.
template <typename E>
struct Source {
  KvHead head;
  int64_t k_dim, v_dim;
  int64_t page_bytes;

  Source(const KvGeometry& g, const KvHead& the_head)
      : head(the_head), k_dim(g.k_dim), v_dim(g.v_dim), page_bytes(g.page_bytes()) {}

  static int64_t row_bytes(int64_t dims) { return dims / Stored<E>::kValues * Stored<E>::kBytes; }
  std::byte* page(int64_t entry) const { return head.base + head.pages[entry / kPageTokens] * page_bytes; }
  /// The tile of 16 keys that `entry` lies in.
  std::byte* key_tile(int64_t entry) const {
    return page(entry) + entry % kPageTokens / 16 * 16 * row_bytes(k_dim);
  }
  std::byte* value_row(int64_t entry) const {
    return page(entry) + kPageTokens * row_bytes(k_dim) + entry % kPageTokens * row_bytes(v_dim);
  }
};

/// A tile of 16 keys as f32 [k_dim][16].
template <typename E>
void unpack_keys(const std::byte* tile, int64_t k_dim, float* to) noexcept {
  if constexpr (Stored<E>::kPlain) {
    const E* from = reinterpret_cast<const E*>(tile);
    for (int64_t d = 0; d < k_dim; ++d) store(to + d * 16, load(from + d * 16));
  } else {
    for (int64_t d = 0; d < k_dim; d += 32, tile += 16 * Stored<E>::kBytes) {
      const F32x16 scale = load(reinterpret_cast<const uint16_t*>(tile));
      const std::byte* codes = tile + 16 * kScaleBytes;
      if constexpr (std::is_same_v<E, Q8>) {
        for (int64_t i = 0; i < 32; ++i) {
          const F32x16 code = load(reinterpret_cast<const int8_t*>(codes + i * 16));
          store(to + (d + i) * 16, mul(code, scale));
        }
      } else {
        for (int64_t i = 0; i < 16; ++i) {
          F32x16 low, high;
          load_nibbles(reinterpret_cast<const uint8_t*>(codes + i * 16), low, high);
          store(to + (d + i) * 16, mul(low, scale));
          store(to + (d + 16 + i) * 16, mul(high, scale));
        }
      }
    }
  }
}

/// A row of values as f32, padded with zeros to whole vectors.
template <typename E>
void unpack_values(const std::byte* row, int64_t v_dim, float* to) noexcept {
  if constexpr (Stored<E>::kPlain) {
    const E* from = reinterpret_cast<const E*>(row);
    int64_t d = 0;
    for (; d + 16 <= v_dim; d += 16) store(to + d, load(from + d));
    if (d < v_dim) store(to + d, load_first(from + d, v_dim - d));
  } else {
    for (int64_t d = 0; d < v_dim; d += 32, row += Stored<E>::kBytes) {
      const F32x16 scale = broadcast_f16(row);
      const std::byte* codes = row + kScaleBytes;
      F32x16 low, high;
      if constexpr (std::is_same_v<E, Q8>) {
        low = load(reinterpret_cast<const int8_t*>(codes));
        high = load(reinterpret_cast<const int8_t*>(codes + 16));
      } else {
        load_nibbles(reinterpret_cast<const uint8_t*>(codes), low, high);
      }
      store(to + d, mul(low, scale));
      store(to + d + 16, mul(high, scale));
    }
  }
}

/// Stores one row of a plain type; the quantised ones go through store_entry().
template <typename E>
void store_plain(const KvStoreArgs& args) noexcept {
  const KvGeometry& g = *args.geometry;
  for (int64_t head = 0; head < g.kv_heads; ++head) {
    const Source<E> target(g, args.heads[head]);
    const int64_t entry = args.position + target.head.shift;
    E* lane = reinterpret_cast<E*>(target.key_tile(entry)) + entry % 16;
    for (int64_t d = 0; d < g.k_dim; d += 16) {
      const int64_t n = least(g.k_dim - d, 16);
      E converted[16];
      store(converted, load_first(args.k + head * g.k_dim + d, n));
      for (int64_t i = 0; i < n; ++i) lane[(d + i) * 16] = converted[i];
    }
    E* row = reinterpret_cast<E*>(target.value_row(entry));
    for (int64_t d = 0; d < g.v_dim; d += 16) {
      const int64_t n = least(g.v_dim - d, 16);
      store_first(row + d, load_first(args.v + head * g.v_dim + d, n), n);
    }
  }
}

}  // namespace
}  // namespace brisk::kernels::BRISK_ISA_NAMESPACE
