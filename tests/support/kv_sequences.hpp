// Fills sequences of a KvStore with numbers that tests know, through the kernels' own store.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/attention/attention.hpp"
#include "runtime/kv_store.hpp"

namespace brisk::test {

/// The number stored at this place, whatever is asked for again: between -1 and 1, some exactly 0.
inline float kv_number(uint64_t seed, int64_t position, int64_t layer, int64_t head, int64_t dim) {
  uint64_t mix = seed;
  for (const int64_t part : {position, layer, head, dim}) {
    mix ^= static_cast<uint64_t>(part) + 0x9E3779B97F4A7C15 + (mix << 6) + (mix >> 2);
    mix *= 0xBF58476D1CE4E5B9;
    mix ^= mix >> 29;
  }
  return static_cast<float>(static_cast<int64_t>(mix % 2001) - 1000) / 1000.0F;
}

/// Heads of a layer as kernels are given them.
inline std::vector<kernels::KvHead> heads_of(const kernels::KvLayer& layer) {
  std::vector<kernels::KvHead> heads;
  for (int64_t head = 0; head < layer.geometry->kv_heads; ++head) heads.push_back(layer.head(head));
  return heads;
}

/// Stores keys and values of the token at `position`, by the variant of `isa`, in one layer.
inline void store_token(const kernels::KvLayer& layer, int64_t layer_number, int64_t position, uint64_t seed,
                        Isa isa = Isa::kRef) {
  const kernels::KvGeometry& g = *layer.geometry;
  std::vector<float> k, v;
  for (int64_t head = 0; head < g.kv_heads; ++head) {
    for (int64_t d = 0; d < g.k_dim; ++d) k.push_back(kv_number(seed, position, layer_number, head, d));
    for (int64_t d = 0; d < g.v_dim; ++d) v.push_back(kv_number(~seed, position, layer_number, head, d));
  }
  const std::vector<kernels::KvHead> heads = heads_of(layer);
  kernels::find_attention(g.type, isa)->store({&g, heads.data(), position, k.data(), v.data()});
}

/// A folder for many small files: in memory where there is one, since each sync to a disk takes milliseconds.
inline std::string quick_folder() {
  const char* memory = "/dev/shm";
  return access(memory, W_OK) == 0 ? std::string(memory) : testing::TempDir();
}

/// Appends `count` tokens to every layer that the sequence holds keys and values for.
inline void store_tokens(runtime::KvStore& store, runtime::SequenceId id, int64_t count, uint64_t seed) {
  const Status status = store.reserve(id, count);
  ASSERT_TRUE(status.ok()) << status.message();
  const int64_t length = store.length(id);
  for (const runtime::GroupId group : store.groups(id)) {
    for (const int32_t layer : store.group(group).layers) {
      if (store.layers(id)[layer].geometry == nullptr) continue;
      for (int64_t i = 0; i < count; ++i) store_token(store.layers(id)[layer], layer, length + i, seed);
    }
  }
  store.advance(id, count);
}

inline std::vector<float> read_key(const runtime::KvStore& store, runtime::SequenceId id, int64_t layer,
                                   int64_t head, int64_t entry) {
  const kernels::KvLayer& shown = store.layers(id)[layer];
  std::vector<float> key(static_cast<size_t>(shown.geometry->k_dim));
  kernels::read_entry(*shown.geometry, shown.head(head), entry, key.data(), nullptr);
  return key;
}

}  // namespace brisk::test
