// The store of keys and values against a plain model of it: who owns which slab, and that slabs come back
// zeroed.
#include "runtime/kv_store.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>

namespace brisk::runtime {
namespace {

TEST(KvStore, RandomUseAgainstAPlainModel) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const kernels::KvGeometry geometry{2, 8, 8, DType::kF16};
  constexpr int64_t kLayers = 3, kCapacity = 40 * kernels::kSlabTokens, kLongest = 10 * kernels::kSlabTokens;
  auto store = std::move(KvStore::create(kLayers, geometry, kCapacity, kLongest)).value();
  std::map<SequenceId, int64_t> lengths;
  auto slabs_of = [](int64_t length) { return (length + kernels::kSlabTokens - 1) / kernels::kSlabTokens; };

  for (int i = 0; i < 20000; ++i) {
    int64_t used = 0;
    for (const auto& [id, length] : lengths) used += slabs_of(length);
    ASSERT_EQ(store->free_tokens(), kCapacity - used * kernels::kSlabTokens);
    const uint64_t action = random() % 4;
    if (lengths.empty() || (action == 0 && lengths.size() < 20)) {
      const SequenceId id = *store->create_sequence();
      ASSERT_TRUE(lengths.emplace(id, 0).second);
      continue;
    }
    auto entry = std::next(lengths.begin(), static_cast<int64_t>(random() % lengths.size()));
    const SequenceId id = entry->first;
    if (action == 1) {
      store->free_sequence(id);
      lengths.erase(entry);
      EXPECT_FALSE(store->valid(id));
    } else if (action == 2) {
      entry->second = static_cast<int64_t>(random() % static_cast<uint64_t>(entry->second + 1));
      store->truncate(id, entry->second);
    } else {
      const auto more = static_cast<int64_t>(random() % 100);
      const int64_t new_slabs = slabs_of(entry->second + more) - slabs_of(entry->second);
      const bool fits =
          entry->second + more <= kLongest && new_slabs <= kCapacity / kernels::kSlabTokens - used;
      ASSERT_EQ(store->reserve(id, more).ok(), fits);
      if (!fits) continue;
      // Fresh slabs are zero; then they are dirtied, as a step would.
      for (int64_t slab = slabs_of(entry->second); slab < slabs_of(entry->second + more); ++slab) {
        for (int64_t layer = 0; layer < kLayers; ++layer) {
          std::byte* at = store->layer(layer) + store->table(id)[slab] * geometry.slab_bytes();
          ASSERT_EQ(at[0], std::byte{0});
          ASSERT_EQ(std::memcmp(at, at + 1, static_cast<size_t>(geometry.slab_bytes() - 1)), 0);
          std::memset(at, 0xAB, static_cast<size_t>(geometry.slab_bytes()));
        }
      }
      store->advance(id, more);
      entry->second += more;
    }
  }
  std::set<int32_t> owned;
  for (const auto& [id, length] : lengths) {
    EXPECT_EQ(store->length(id), length);
    for (int64_t slab = 0; slab < slabs_of(length); ++slab)
      EXPECT_TRUE(owned.insert(store->table(id)[slab]).second);
  }
}

}  // namespace
}  // namespace brisk::runtime
