#include "runtime/kv_store.hpp"

#include <algorithm>
#include <limits>

#include "base/checked.hpp"
#include "runtime/kv_share.hpp"

namespace brisk::runtime {

using kernels::kPageTokens;

namespace {

const char* kind_name(KvKind kind) {
  switch (kind) {
    case KvKind::kFull: return "full";
    case KvKind::kWindow: return "window";
    case KvKind::kRecurrent: return "recurrent";
  }
  return "unknown";
}

bool holds_type(const kernels::KvGeometry& geometry) {
  switch (geometry.type) {
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16: return true;
    case DType::kQ8_0:
    case DType::kQ4_0: return geometry.k_dim % 32 == 0 && geometry.v_dim % 32 == 0;
    default: return false;
  }
}

// How a page's keys and values lie, outermost dimension first. Of a quantised key block the units are its
// scale, then each byte of its codes.
Json key_record(DType type) {
  if (dtype_info(type).block_values == 1) return {{"order", {"tile", "dim", "lane"}}, {"lanes", 16}};
  return {{"order", {"tile", "block", "unit", "lane"}}, {"lanes", 16}, {"block", 32}};
}

Json value_record(DType type) {
  if (dtype_info(type).block_values == 1) return {{"order", {"entry", "dim"}}};
  return {{"order", {"entry", "block"}}, {"block", 32}};
}

// The first empty place of a list, made if there is none.
template <typename T>
size_t free_place(std::vector<std::unique_ptr<T>>& list) {
  const auto empty = std::ranges::find_if(list, [](const auto& place) { return place == nullptr; });
  const auto at = static_cast<size_t>(empty - list.begin());
  if (empty == list.end()) list.emplace_back();
  return at;
}

}  // namespace

/// A sequence: its share of each group it is in, and what kernels are shown of them.
struct KvStore::Sequence {
  /// Where a layer is kept.
  struct Place {
    int32_t share = -1;  // in shares; -1: in no group of the sequence
    int32_t slot = 0;    // in the group
  };

  int64_t length = 0;
  std::vector<GroupId> groups;
  std::vector<KvShare> shares;           // [groups]
  std::vector<Place> places;             // [layers]
  std::vector<kernels::KvLayer> layers;  // [layers]

  void show(size_t share) {
    const std::vector<int32_t>& of = shares[share].pool().group().layers;
    for (size_t slot = 0; slot < of.size(); ++slot)
      layers[static_cast<size_t>(of[slot])] = shares[share].layer(static_cast<int64_t>(slot));
  }
  void release() {
    for (KvShare& share : shares) share.release();
  }
  const Place& place_of(int64_t layer) const {
    const Place& place = places[static_cast<size_t>(layer)];
    BRISK_ASSERT(place.share >= 0, "the sequence holds something for the layer");
    return place;
  }
  const KvShare& share_of(int64_t layer) const { return shares[static_cast<size_t>(place_of(layer).share)]; }
};

int64_t KvGroup::pages_behind(int64_t length) const {
  return kind == KvKind::kWindow ? std::max<int64_t>(0, length - window + 1) / kPageTokens : 0;
}

KvStore::KvStore() = default;
KvStore::~KvStore() = default;

uint64_t KvStore::bytes_needed(std::span<const KvGroup> groups, int64_t capacity) {
  std::optional<uint64_t> sum = 0;
  for (const KvGroup& group : groups) {
    const auto bytes = KvPool::bytes_needed(group, capacity);
    sum = sum && bytes ? checked_add(*sum, *bytes) : std::nullopt;
  }
  return sum.value_or(std::numeric_limits<uint64_t>::max());
}

Json KvStore::layout_record(const KvGroup& group) {
  Json record = {{"name", group.name}, {"kind", kind_name(group.kind)}, {"layers", group.layers}};
  if (group.kind == KvKind::kRecurrent) {
    record["state_bytes"] = group.state_bytes;
    return record;
  }
  const kernels::KvGeometry& geometry = group.geometry;
  if (group.kind == KvKind::kWindow) record["window"] = group.window;
  record["type"] = dtype_name(geometry.type);
  record["kv_heads"] = geometry.kv_heads;
  record["k_dim"] = geometry.k_dim;
  record["v_dim"] = geometry.v_dim;
  record["page_tokens"] = kPageTokens;
  record["page_bytes"] = geometry.page_bytes();
  record["value_offset"] = geometry.value_offset();
  record["keys"] = key_record(geometry.type);
  record["values"] = value_record(geometry.type);
  return record;
}

Result<std::unique_ptr<KvStore>> KvStore::create(int64_t layers, std::vector<KvGroup> groups,
                                                 int64_t capacity, int64_t longest_sequence) {
  std::unique_ptr<KvStore> store;
  BRISK_TRY(catch_out_of_memory("keys and values", [&]() -> Status {
    store.reset(new KvStore());
    store->layers_ = layers;
    store->longest_sequence_ = longest_sequence;
    for (KvGroup& group : groups) {
      BRISK_ASSIGN(const GroupId id, store->add_pool(std::move(group), capacity));
      store->default_groups_.push_back(id);
    }
    return store->check_groups(store->default_groups_);
  }));
  return store;
}

Result<GroupId> KvStore::add_group(KvGroup group, int64_t capacity) {
  GroupId id = -1;
  BRISK_TRY(catch_out_of_memory("keys and values", [&]() -> Status {
    BRISK_ASSIGN(id, add_pool(std::move(group), capacity));
    return {};
  }));
  return id;
}

Status KvStore::check_group(const KvGroup& group) const {
  const std::string where = "keys and values, group " + group.name;
  const bool ascending =
      std::ranges::adjacent_find(group.layers, std::greater_equal<>()) == group.layers.end();
  if (group.layers.empty() || !ascending || group.layers.front() < 0 || group.layers.back() >= layers_)
    return usage_error({where, "ascending layers below " + std::to_string(layers_), "other layers"});
  if (find_group(group.name) >= 0) return usage_error({where, "a name of its own", "one that is taken"});
  if (group.kind == KvKind::kRecurrent) {
    if (group.state_bytes > 0 && group.state_bytes < (int64_t{1} << 40) && group.states > 0) return {};
    return usage_error({where, "states of some bytes", std::to_string(group.state_bytes)});
  }
  const kernels::KvGeometry& geometry = group.geometry;
  constexpr int64_t kMost = 1 << 20;
  const auto sound = [](int64_t dim) { return dim > 0 && dim <= kMost; };
  if (!sound(geometry.kv_heads) || !sound(geometry.k_dim) || !sound(geometry.v_dim) ||
      !holds_type(geometry)) {
    return usage_error({where, "heads and dimensions that F32, F16, BF16, Q8_0 or Q4_0 can hold",
                        std::to_string(geometry.kv_heads) + " heads of " + std::to_string(geometry.k_dim) +
                            " and " + std::to_string(geometry.v_dim) + ", " +
                            std::string(dtype_name(geometry.type))});
  }
  if (group.kind == KvKind::kWindow && group.window < 1)
    return usage_error({where, "a window of some tokens", std::to_string(group.window)});
  return {};
}

Result<GroupId> KvStore::add_pool(KvGroup group, int64_t capacity) {
  BRISK_TRY(check_group(group));
  BRISK_ASSIGN(std::unique_ptr<KvPool> pool, KvPool::create(std::move(group), capacity));
  const size_t place = free_place(pools_);
  pools_[place] = std::move(pool);
  return static_cast<GroupId>(place);
}

void KvStore::remove_group(GroupId id) {
  for (const auto& sequence : sequences_) {
    BRISK_ASSERT(sequence == nullptr || std::ranges::find(sequence->groups, id) == sequence->groups.end(),
                 "no sequence uses the group");
  }
  pools_[static_cast<size_t>(id)].reset();
}

Status KvStore::check_groups(std::span<const GroupId> groups) const {
  std::vector<bool> taken(static_cast<size_t>(layers_));
  for (const GroupId id : groups) {
    if (id < 0 || static_cast<size_t>(id) >= pools_.size() || pools_[static_cast<size_t>(id)] == nullptr)
      return usage_error({"sequence", "a group that exists", std::to_string(id)});
    for (const int32_t layer : group(id).layers) {
      if (taken[static_cast<size_t>(layer)])
        return usage_error(
            {"sequence", "each layer in one group", "layer " + std::to_string(layer) + " in two"});
      taken[static_cast<size_t>(layer)] = true;
    }
  }
  return {};
}

Result<std::unique_ptr<KvStore::Sequence>> KvStore::make_sequence(std::span<const GroupId> groups) const {
  if (groups.empty()) groups = default_groups_;
  BRISK_TRY(check_groups(groups));
  auto sequence = std::make_unique<Sequence>();
  sequence->groups.assign(groups.begin(), groups.end());
  sequence->places.resize(static_cast<size_t>(layers_));
  sequence->layers.resize(static_cast<size_t>(layers_));
  sequence->shares.reserve(groups.size());
  for (size_t share = 0; share < groups.size(); ++share) {
    KvPool& pool = *pools_[static_cast<size_t>(groups[share])];
    sequence->shares.emplace_back(pool, longest_sequence_);
    for (size_t slot = 0; slot < pool.group().layers.size(); ++slot) {
      sequence->places[static_cast<size_t>(pool.group().layers[slot])] = {static_cast<int32_t>(share),
                                                                          static_cast<int32_t>(slot)};
    }
    sequence->show(share);
  }
  return sequence;
}

Result<SequenceId> KvStore::create_sequence(std::span<const GroupId> groups) {
  SequenceId id = -1;
  BRISK_TRY(catch_out_of_memory("sequence", [&]() -> Status {
    id = static_cast<SequenceId>(free_place(sequences_));
    BRISK_ASSIGN(sequences_[static_cast<size_t>(id)], make_sequence(groups));
    return {};
  }));
  return id;
}

Result<SequenceId> KvStore::create_filled(std::span<const GroupId> groups, int64_t length,
                                          std::span<const KeptPositions> kept) {
  BRISK_ASSERT(kept.size() == groups.size(), "a list for each group");
  BRISK_TRY(check_length(length));
  SequenceId id = -1;
  std::unique_ptr<Sequence> sequence;
  Status status = catch_out_of_memory("sequence", [&]() -> Status {
    id = static_cast<SequenceId>(free_place(sequences_));
    BRISK_ASSIGN(sequence, make_sequence(groups));
    for (size_t share = 0; share < sequence->shares.size(); ++share) {
      if (Status filled = sequence->shares[share].fill(length, kept[share]); !filled.ok()) return filled;
      sequence->show(share);
    }
    return {};
  });
  if (!status.ok()) {
    if (sequence != nullptr) sequence->release();
    return status;
  }
  sequence->length = length;
  sequences_[static_cast<size_t>(id)] = std::move(sequence);
  return id;
}

Result<SequenceId> KvStore::fork(SequenceId id) {
  SequenceId copy_id = -1;
  BRISK_TRY(catch_out_of_memory("sequence", [&]() -> Status {
    copy_id = static_cast<SequenceId>(free_place(sequences_));
    auto copy = std::make_unique<Sequence>(at(id));
    for (size_t share = 0; share < copy->shares.size(); ++share) {
      copy->shares[share].hold(copy->length);
      copy->show(share);
    }
    sequences_[static_cast<size_t>(copy_id)] = std::move(copy);
    return {};
  }));
  return copy_id;
}

KvStore::Sequence& KvStore::at(SequenceId id) const {
  BRISK_ASSERT(valid(id), "the sequence exists");
  return *sequences_[static_cast<size_t>(id)];
}

bool KvStore::valid(SequenceId id) const {
  return id >= 0 && static_cast<size_t>(id) < sequences_.size() &&
         sequences_[static_cast<size_t>(id)] != nullptr;
}

void KvStore::free_sequence(SequenceId id) {
  at(id).release();
  sequences_[static_cast<size_t>(id)].reset();
}

int64_t KvStore::length(SequenceId id) const { return at(id).length; }

Status KvStore::check_length(int64_t length) const {
  if (length <= longest_sequence_) return {};
  return bad_input({"context", "at most " + std::to_string(longest_sequence_) + " tokens",
                    std::to_string(length), "a shorter prompt or a larger context (-c)"});
}

Status KvStore::reserve(SequenceId id, int64_t count) {
  if (count == 0) return {};
  Sequence& sequence = at(id);
  BRISK_TRY(check_length(sequence.length + count));
  for (const KvShare& share : sequence.shares)
    if (!share.fits(sequence.length, count)) return share.no_room(count);
  for (KvShare& share : sequence.shares) share.reserve(sequence.length, count);
  return {};
}

void KvStore::advance(SequenceId id, int64_t count) { at(id).length += count; }

void KvStore::truncate(SequenceId id, int64_t length) {
  Sequence& sequence = at(id);
  BRISK_ASSERT(length <= sequence.length && (length == 0 || length >= shortest(id)),
               "truncation shortens, as far as it can");
  for (KvShare& share : sequence.shares) share.truncate(length);
  sequence.length = length;
}

int64_t KvStore::shortest(SequenceId id) const {
  const Sequence& sequence = at(id);
  int64_t shortest = 0;
  for (const KvShare& share : sequence.shares) shortest = std::max(shortest, share.shortest(sequence.length));
  return shortest;
}

Status KvStore::evict(SequenceId id, int64_t layer, std::span<const std::vector<int32_t>> keep) {
  Sequence& sequence = at(id);
  if (layer < 0 || layer >= layers_ || sequence.places[static_cast<size_t>(layer)].share < 0)
    return usage_error({"evict", "a layer that the sequence holds", std::to_string(layer)});
  const auto [share, slot] = sequence.place_of(layer);
  return catch_out_of_memory("evict", [&]() -> Status {
    BRISK_TRY(sequence.shares[static_cast<size_t>(share)].evict(slot, sequence.length, keep));
    sequence.show(static_cast<size_t>(share));
    return {};
  });
}

bool KvStore::ragged(SequenceId id, int64_t layer) const {
  const Sequence& sequence = at(id);
  return sequence.share_of(layer).ragged(sequence.place_of(layer).slot);
}

int64_t KvStore::entries(SequenceId id, int64_t layer, int64_t head) const {
  const Sequence& sequence = at(id);
  return sequence.share_of(layer).entries(sequence.place_of(layer).slot, head, sequence.length);
}

void KvStore::positions(SequenceId id, int64_t layer, int64_t head, std::vector<int32_t>& out) const {
  const Sequence& sequence = at(id);
  const int64_t count = entries(id, layer, head);
  out.resize(static_cast<size_t>(count));
  for (int64_t entry = 0; entry < count; ++entry) {
    out[static_cast<size_t>(entry)] =
        sequence.share_of(layer).position(sequence.place_of(layer).slot, head, entry);
  }
}

const kernels::KvLayer* KvStore::layers(SequenceId id) const { return at(id).layers.data(); }

std::byte* KvStore::state(SequenceId id, int64_t layer) const {
  return at(id).share_of(layer).state(at(id).place_of(layer).slot);
}

const KvGroup& KvStore::group(GroupId id) const { return pools_[static_cast<size_t>(id)]->group(); }

GroupId KvStore::find_group(const std::string& name) const {
  for (size_t i = 0; i < pools_.size(); ++i)
    if (pools_[i] != nullptr && pools_[i]->group().name == name) return static_cast<GroupId>(i);
  return -1;
}

std::span<const GroupId> KvStore::groups(SequenceId id) const { return at(id).groups; }

int64_t KvStore::free_tokens() const {
  int64_t entries = std::numeric_limits<int64_t>::max() / kPageTokens;
  for (const GroupId id : default_groups_) {
    const KvPool* pool = pools_[static_cast<size_t>(id)].get();
    if (pool != nullptr && pool->group().kind != KvKind::kRecurrent)
      entries = std::min(entries, pool->free_entries());
  }
  return entries * kPageTokens;
}

uint64_t KvStore::bytes() const {
  uint64_t sum = 0;
  for (const auto& pool : pools_) sum += pool != nullptr ? pool->bytes() : 0;
  return sum;
}

uint64_t KvStore::bytes_in_use() const {
  uint64_t sum = 0;
  for (const auto& pool : pools_) sum += pool != nullptr ? pool->bytes_in_use() : 0;
  return sum;
}

}  // namespace brisk::runtime
