#include "runtime/kv_store.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/checked.hpp"

namespace brisk::runtime {

using kernels::kSlabTokens;

uint64_t KvStore::bytes_needed(int64_t layers, const kernels::KvGeometry& geometry, int64_t capacity) {
  constexpr uint64_t kTooMany = std::numeric_limits<uint64_t>::max();
  const auto slabs = checked_mul<uint64_t>(static_cast<uint64_t>(layers),
                                           static_cast<uint64_t>(div_up(capacity, kSlabTokens)));
  if (!slabs) return kTooMany;
  return checked_mul<uint64_t>(*slabs, static_cast<uint64_t>(geometry.slab_bytes())).value_or(kTooMany);
}

Result<std::unique_ptr<KvStore>> KvStore::create(int64_t layers, const kernels::KvGeometry& geometry,
                                                 int64_t capacity, int64_t longest_sequence) {
  std::unique_ptr<KvStore> store(new KvStore());
  const int64_t slabs = div_up(capacity, kSlabTokens);
  if (slabs * layers > std::numeric_limits<int32_t>::max()) {
    return usage_error(
        {"keys and values", "fewer than 2^31 slabs in all layers", std::to_string(slabs * layers)});
  }
  store->geometry_ = geometry;
  store->layers_ = layers;
  store->longest_sequence_ = longest_sequence;
  BRISK_ASSIGN(store->buffer_,
               AlignedBuffer::allocate(bytes_needed(layers, geometry, capacity), "keys and values"));
  store->free_.reserve(static_cast<size_t>(slabs));
  for (int64_t slab = slabs - 1; slab >= 0; --slab)
    store->free_.push_back(static_cast<int32_t>(slab * layers));
  return store;
}

Result<SequenceId> KvStore::create_sequence() {
  auto free_place = std::ranges::find_if(sequences_, [](const Sequence& s) { return !s.used; });
  if (free_place == sequences_.end()) free_place = sequences_.emplace(sequences_.end());
  free_place->used = true;
  free_place->length = 0;
  free_place->table.reserve(static_cast<size_t>(div_up(longest_sequence_, kSlabTokens)));
  return static_cast<SequenceId>(free_place - sequences_.begin());
}

bool KvStore::valid(SequenceId id) const {
  return id >= 0 && static_cast<size_t>(id) < sequences_.size() && sequences_[static_cast<size_t>(id)].used;
}

void KvStore::free_sequence(SequenceId id) {
  truncate(id, 0);
  sequences_[static_cast<size_t>(id)].used = false;
}

Status KvStore::reserve(SequenceId id, int64_t count) {
  Sequence& sequence = sequences_[static_cast<size_t>(id)];
  const int64_t length = sequence.length + count;
  if (length > longest_sequence_) {
    return bad_input({"context", "at most " + std::to_string(longest_sequence_) + " tokens",
                      std::to_string(length), "a shorter prompt or a larger context (-c)"});
  }
  const int64_t more = div_up(length, kSlabTokens) - static_cast<int64_t>(sequence.table.size());
  if (more > static_cast<int64_t>(free_.size())) {
    return environment_error({"keys and values", "room for " + std::to_string(count) + " more tokens",
                              std::to_string(free_tokens()) + " free", "fewer or shorter sequences"});
  }
  for (int64_t i = 0; i < more; ++i) {
    sequence.table.push_back(free_.back());
    free_.pop_back();
  }
  return {};
}

void KvStore::truncate(SequenceId id, int64_t length) {
  Sequence& sequence = sequences_[static_cast<size_t>(id)];
  BRISK_ASSERT(length <= sequence.length, "truncation shortens");
  sequence.length = length;
  const auto keep = static_cast<size_t>(div_up(length, kSlabTokens));
  while (sequence.table.size() > keep) {
    const int32_t entry = sequence.table.back();
    // Zeroed when given back: slots that were never stored read as zeros, whoever gets them next.
    std::memset(buffer_.data() + entry * geometry_.slab_bytes(), 0,
                static_cast<size_t>(layers_ * geometry_.slab_bytes()));
    free_.push_back(entry);
    sequence.table.pop_back();
  }
}

}  // namespace brisk::runtime
