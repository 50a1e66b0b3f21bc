// The store of keys and values, case by case: who shares what, what an error leaves behind, what windows and
// recurrent state give up. The property test beside it (kv_store_property_test.cpp) mixes them at random.
#include "runtime/kv_store.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "support/kv_sequences.hpp"

namespace brisk::runtime {
namespace {

using kernels::kPageTokens;
using test::read_key;
using test::store_tokens;

KvGroup full_group(std::vector<int32_t> layers, DType type = DType::kF32) {
  KvGroup group;
  group.name = "full";
  group.layers = std::move(layers);
  group.geometry = {2, 32, 32, type};
  return group;
}

std::unique_ptr<KvStore> make_store(std::vector<KvGroup> groups, int64_t capacity, int64_t longest = 320) {
  auto store = KvStore::create(4, std::move(groups), capacity, longest);
  EXPECT_TRUE(store.ok()) << store.status().message();
  return std::move(store).value();
}

std::vector<std::vector<int32_t>> keep_both(std::vector<int32_t> entries) { return {entries, entries}; }

TEST(KvStore, GivesRoomAndTakesItBackZeroed) {
  auto store = make_store({full_group({0, 1, 2})}, 4 * kPageTokens);
  const SequenceId id = *store->create_sequence();
  EXPECT_EQ(store->free_tokens(), 4 * kPageTokens);
  store_tokens(*store, id, 40, 1);
  EXPECT_EQ(store->length(id), 40);
  EXPECT_EQ(store->free_tokens(), 2 * kPageTokens);
  EXPECT_EQ(store->bytes_in_use() * 2, store->bytes());
  EXPECT_EQ(store->layers(id)[3].geometry, nullptr) << "no group holds layer 3";

  const Status status = store->reserve(id, 100);
  EXPECT_EQ(status.code(), StatusCode::kEnvironment);
  EXPECT_EQ(
      status.message(),
      "keys and values: expected room for 100 more tokens, got 64 free; try fewer or shorter sequences");
  EXPECT_EQ(store->reserve(id, 281).code(), StatusCode::kBadInput) << "longer than any sequence may be";
  EXPECT_EQ(store->free_tokens(), 2 * kPageTokens);

  store->truncate(id, 0);
  ASSERT_TRUE(store->reserve(id, 128).ok());
  for (int64_t entry = 0; entry < 128; ++entry) {
    for (const float value : read_key(*store, id, 1, 1, entry)) ASSERT_EQ(value, 0.0F);
  }
  store->free_sequence(id);
  EXPECT_FALSE(store->valid(id));
  EXPECT_EQ(store->bytes_in_use(), 0U);
}

TEST(KvStore, ForksShareUntilOneWrites) {
  auto store = make_store({full_group({0, 1})}, 8 * kPageTokens);
  const SequenceId first = *store->create_sequence();
  store_tokens(*store, first, 40, 1);
  const SequenceId second = *store->fork(first);
  EXPECT_EQ(store->free_tokens(), 6 * kPageTokens) << "a fork takes nothing";

  store_tokens(*store, second, 1, 2);  // its own copy of the entry that is full in part
  EXPECT_EQ(store->free_tokens(), 5 * kPageTokens);
  store_tokens(*store, first, 1, 3);  // which nobody else holds now
  EXPECT_EQ(store->free_tokens(), 5 * kPageTokens);
  EXPECT_NE(read_key(*store, first, 0, 0, 40), read_key(*store, second, 0, 0, 40));
  for (const int64_t entry : {0, 31, 32, 39})
    EXPECT_EQ(read_key(*store, first, 1, 1, entry), read_key(*store, second, 1, 1, entry));

  store->free_sequence(first);
  EXPECT_EQ(store->free_tokens(), 6 * kPageTokens);
  store->free_sequence(second);
  EXPECT_EQ(store->free_tokens(), 8 * kPageTokens);
}

TEST(KvStore, RoomForACopyIsPartOfWhatIsReserved) {
  auto store = make_store({full_group({0})}, 2 * kPageTokens);
  const SequenceId first = *store->create_sequence();
  store_tokens(*store, first, 40, 1);
  const SequenceId second = *store->fork(first);
  EXPECT_EQ(store->reserve(second, 1).code(), StatusCode::kEnvironment);
  EXPECT_EQ(store->reserve(first, 1).code(), StatusCode::kEnvironment) << "it, too, would need a copy";
  EXPECT_TRUE(store->reserve(first, 0).ok());
  store->free_sequence(second);
  EXPECT_TRUE(store->reserve(first, 1).ok());
}

TEST(KvStore, EvictionKeepsPositionsAndGivesMemoryBack) {
  auto store = make_store({full_group({0, 2})}, 4 * kPageTokens);
  const SequenceId id = *store->create_sequence();
  store_tokens(*store, id, 100, 1);
  const auto kept_key = read_key(*store, id, 2, 1, 77);
  const uint64_t before = store->bytes_in_use();
  EXPECT_FALSE(store->ragged(id, 2));

  const std::vector<std::vector<int32_t>> keep = {{0, 50, 99}, {77}};
  ASSERT_TRUE(store->evict(id, 2, keep).ok());
  EXPECT_TRUE(store->ragged(id, 2));
  EXPECT_FALSE(store->ragged(id, 0));
  EXPECT_EQ(store->entries(id, 2, 0), 3);
  EXPECT_EQ(store->entries(id, 2, 1), 1);
  EXPECT_EQ(store->entries(id, 0, 1), 100);
  EXPECT_EQ(read_key(*store, id, 2, 1, 0), kept_key);
  // Of 4 x 4 pages, 3 of each head of layer 2 came back.
  EXPECT_EQ(store->bytes_in_use(), before / 16 * 10);

  store_tokens(*store, id, 2, 1);
  std::vector<int32_t> positions;
  store->positions(id, 2, 0, positions);
  EXPECT_EQ(positions, (std::vector<int32_t>{0, 50, 99, 100, 101}));
  EXPECT_EQ(store->length(id), 102);
  EXPECT_EQ(store->layers(id)[2].head(1).shift, 3 - 102);

  store->truncate(id, 60);
  store->positions(id, 2, 0, positions);
  EXPECT_EQ(positions, (std::vector<int32_t>{0, 50}));
  EXPECT_EQ(store->entries(id, 2, 1), 0);
  store->free_sequence(id);
  EXPECT_EQ(store->bytes_in_use(), 0U);
  EXPECT_EQ(store->free_tokens(), 4 * kPageTokens);
}

TEST(KvStore, EvictionFromAForkLeavesTheOther) {
  auto store = make_store({full_group({0, 1})}, 5 * kPageTokens);
  const SequenceId first = *store->create_sequence();
  store_tokens(*store, first, 128, 1);
  const SequenceId second = *store->fork(first);
  std::vector<int32_t> odd;
  for (int32_t entry = 1; entry < 128; entry += 2) odd.push_back(entry);
  ASSERT_TRUE(store->evict(second, 0, keep_both(odd)).ok());
  for (int64_t entry = 0; entry < 64; ++entry)
    EXPECT_EQ(read_key(*store, second, 0, 1, entry), read_key(*store, first, 0, 1, 2 * entry + 1));
  // Only the survivors are on top: two pages for each of two heads, in one carved entry.
  EXPECT_EQ(store->bytes_in_use(), store->bytes());
  store->free_sequence(first);
  store->free_sequence(second);
  EXPECT_EQ(store->free_tokens(), 5 * kPageTokens);
}

TEST(KvStore, EvictionWithoutRoomForCopiesChangesNothing) {
  auto store = make_store({full_group({0})}, 2 * kPageTokens);
  const SequenceId first = *store->create_sequence();
  store_tokens(*store, first, 64, 1);
  const SequenceId second = *store->fork(first);
  EXPECT_EQ(store->evict(second, 0, keep_both({1, 2, 3})).code(), StatusCode::kEnvironment);
  EXPECT_FALSE(store->ragged(second, 0));
  EXPECT_EQ(store->entries(second, 0, 0), 64);
  // What keeps its place needs no copy.
  EXPECT_TRUE(store->evict(second, 0, keep_both({0, 1, 2, 3})).ok());
  EXPECT_EQ(store->entries(first, 0, 0), 64);
}

TEST(KvStore, EvictionRefusesWhatItCannotDo) {
  KvGroup window = full_group({3});
  window.name = "window";
  window.kind = KvKind::kWindow;
  window.window = 8;
  auto store = make_store({full_group({0}), window}, 4 * kPageTokens);
  const SequenceId id = *store->create_sequence();
  store_tokens(*store, id, 10, 1);
  const auto code = [&](int64_t layer, const std::vector<std::vector<int32_t>>& keep) {
    return store->evict(id, layer, keep).code();
  };
  EXPECT_EQ(code(3, keep_both({0})), StatusCode::kUsage);
  EXPECT_EQ(code(1, keep_both({0})), StatusCode::kUsage);
  EXPECT_EQ(code(-1, keep_both({0})), StatusCode::kUsage);
  EXPECT_EQ(code(4, keep_both({0})), StatusCode::kUsage);
  EXPECT_EQ(code(0, {{0}}), StatusCode::kUsage);
  EXPECT_EQ(code(0, {{0}, {10}}), StatusCode::kUsage);
  EXPECT_EQ(code(0, {{0}, {-1}}), StatusCode::kUsage);
  EXPECT_EQ(code(0, {{0}, {3, 3}}), StatusCode::kUsage);
  EXPECT_EQ(code(0, {{0}, {3, 2}}), StatusCode::kUsage);
  ASSERT_TRUE(store->reserve(id, 100).ok());
  EXPECT_EQ(code(0, keep_both({0})), StatusCode::kUsage);
  store->truncate(id, 10);
  EXPECT_EQ(code(0, {{}, {}}), StatusCode::kOk);
  EXPECT_EQ(store->entries(id, 0, 0), 0);
}

TEST(KvStore, WindowsGiveBackWhatIsBehindThem) {
  KvGroup window = full_group({0});
  window.kind = KvKind::kWindow;
  window.window = 40;
  auto store = make_store({window}, 4 * kPageTokens);
  const SequenceId id = *store->create_sequence();
  for (int i = 0; i < 300; ++i) {
    store_tokens(*store, id, 1, 1);
    EXPECT_LE(store->bytes_in_use(), store->bytes() / 4 * 3) << i;
    EXPECT_LE(store->shortest(id), store->length(id) - 1) << "the last step can be taken back";
  }
  // At position 299 the token before it saw (259, 299]: entries from 256 on are held.
  EXPECT_EQ(store->shortest(id), 256 + 40 - 1);
  const kernels::KvHead head = store->layers(id)[0].head(0);
  for (int page = 0; page < 8; ++page)
    EXPECT_EQ(head.pages[page], head.pages[8]) << "shown in place of what is gone";
  store->truncate(id, 295);
  store_tokens(*store, id, 3, 2);
  EXPECT_EQ(read_key(*store, id, 0, 1, 294)[5], test::kv_number(1, 294, 0, 1, 5));
  EXPECT_EQ(read_key(*store, id, 0, 1, 297)[5], test::kv_number(2, 297, 0, 1, 5));
  store->free_sequence(id);
  EXPECT_EQ(store->bytes_in_use(), 0U);
}

TEST(KvStore, RecurrentStateIsSharedUntilItRunsOn) {
  KvGroup group;
  group.name = "state";
  group.kind = KvKind::kRecurrent;
  group.layers = {1, 2};
  group.state_bytes = 100;
  group.states = 2;
  auto store = make_store({group}, 32);
  EXPECT_EQ(store->bytes(), 2U * 2 * 128);
  const SequenceId first = *store->create_sequence();
  EXPECT_EQ(store->layers(first)[1].geometry, nullptr);
  ASSERT_TRUE(store->reserve(first, 1).ok());
  ASSERT_NE(store->state(first, 1), nullptr);
  EXPECT_EQ(store->state(first, 1)[99], std::byte{0});
  std::memset(store->state(first, 2), 7, 100);
  store->advance(first, 1);
  EXPECT_EQ(store->shortest(first), 1);

  const SequenceId second = *store->fork(first);
  EXPECT_EQ(store->state(first, 2), store->state(second, 2));
  ASSERT_TRUE(store->reserve(second, 1).ok());
  EXPECT_NE(store->state(first, 2), store->state(second, 2));
  EXPECT_EQ(store->state(second, 2)[99], std::byte{7});
  const SequenceId third = *store->fork(first);
  EXPECT_EQ(store->reserve(third, 1).code(), StatusCode::kEnvironment);
  store->free_sequence(second);
  EXPECT_TRUE(store->reserve(third, 1).ok());
  store->free_sequence(first);
  store->free_sequence(third);
  EXPECT_EQ(store->bytes_in_use(), 0U);
}

TEST(KvStore, FurtherGroupsHaveTheirOwnMemory) {
  auto store = make_store({full_group({0, 1})}, 4 * kPageTokens);
  const uint64_t bytes = store->bytes();
  KvGroup amateur = full_group({1});
  EXPECT_EQ(store->add_group(amateur, 64).status().code(), StatusCode::kUsage) << "the name is taken";
  amateur.name = "amateur";
  const GroupId group = *store->add_group(amateur, 64);
  EXPECT_EQ(store->find_group("amateur"), group);
  EXPECT_EQ(store->bytes(), bytes + bytes / 4);
  EXPECT_EQ(store->free_tokens(), 4 * kPageTokens);

  const GroupId both[] = {0, group};
  EXPECT_EQ(store->create_sequence(both).status().code(), StatusCode::kUsage) << "layer 1 stands in both";
  const SequenceId id = *store->create_sequence({&group, 1});
  EXPECT_EQ(store->layers(id)[0].geometry, nullptr);
  EXPECT_EQ(store->groups(id).size(), 1U);
  store_tokens(*store, id, 40, 1);
  EXPECT_EQ(store->free_tokens(), 4 * kPageTokens);
  store->free_sequence(id);
  store->remove_group(group);
  EXPECT_EQ(store->bytes(), bytes);
  EXPECT_EQ(store->find_group("amateur"), -1);
  EXPECT_EQ(store->create_sequence({&group, 1}).status().code(), StatusCode::kUsage);
}

TEST(KvStore, MemoryIsWhatWasAskedFor) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kQ8_0, DType::kQ4_0}) {
    KvGroup group = full_group({0, 1, 2, 3}, type);
    const std::vector<KvGroup> groups = {group};
    const auto store = make_store(groups, 1000);
    EXPECT_EQ(store->bytes(), KvStore::bytes_needed(groups, 1000));
    EXPECT_EQ(store->bytes(), static_cast<uint64_t>(32 * 4 * group.geometry.slab_bytes()));
  }
  const std::vector<KvGroup> groups = {full_group({0})};
  EXPECT_EQ(KvStore::bytes_needed(groups, INT64_MAX), UINT64_MAX);
}

TEST(KvStore, RefusesGroupsThatMakeNoSense) {
  const auto code = [](const KvGroup& group) { return KvStore::create(4, {group}, 64, 64).status().code(); };
  EXPECT_EQ(code(full_group({0, 3})), StatusCode::kOk);
  EXPECT_EQ(code(full_group({})), StatusCode::kUsage);
  EXPECT_EQ(code(full_group({4})), StatusCode::kUsage);
  EXPECT_EQ(code(full_group({-1})), StatusCode::kUsage);
  EXPECT_EQ(code(full_group({1, 1})), StatusCode::kUsage);
  EXPECT_EQ(code(full_group({2, 1})), StatusCode::kUsage);
  EXPECT_EQ(code(full_group({0}, DType::kQ6_K)), StatusCode::kUsage);
  KvGroup group = full_group({0}, DType::kQ8_0);
  group.geometry.k_dim = 40;
  EXPECT_EQ(code(group), StatusCode::kUsage);
  group = full_group({0});
  group.geometry.v_dim = 0;
  EXPECT_EQ(code(group), StatusCode::kUsage);
  group = full_group({0});
  group.kind = KvKind::kWindow;
  EXPECT_EQ(code(group), StatusCode::kUsage);
  group.kind = KvKind::kRecurrent;
  EXPECT_EQ(code(group), StatusCode::kUsage);
  KvGroup other = full_group({0});
  other.name = "other";
  EXPECT_EQ(KvStore::create(4, {full_group({0, 1}), other}, 64, 64).status().code(), StatusCode::kUsage);
}

}  // namespace
}  // namespace brisk::runtime
