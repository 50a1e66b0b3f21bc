// Sequences in files: read back to the byte; everything else is refused, and the store stays as it was.
#include "runtime/kv_snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <numeric>

#include "base/file.hpp"
#include "formats/safetensors/safetensors.hpp"
#include "formats/safetensors/writer.hpp"
#include "runtime/checksum.hpp"
#include "support/kv_sequences.hpp"

namespace brisk::runtime {
namespace {

using formats::SafetensorsFile;
using formats::SafetensorsWriter;
using testing::HasSubstr;

const std::string kModel = "00112233445566778899aabbccddeeff";

std::vector<KvGroup> make_groups() {
  std::vector<KvGroup> groups(3);
  groups[0].name = "full";
  groups[0].layers = {0, 2};
  groups[0].geometry = {2, 4, 4, DType::kF16};
  groups[1].name = "window";
  groups[1].kind = KvKind::kWindow;
  groups[1].window = 20;
  groups[1].layers = {1};
  groups[1].geometry = {1, 32, 32, DType::kQ4_0};
  groups[2].name = "state";
  groups[2].kind = KvKind::kRecurrent;
  groups[2].layers = {3};
  groups[2].state_bytes = 10;
  groups[2].states = 2;
  return groups;
}

std::unique_ptr<KvStore> make_store(int64_t capacity = 256,
                                    const std::vector<KvGroup>& groups = make_groups(),
                                    int64_t longest = 200) {
  auto store = KvStore::create(4, groups, capacity, longest);
  EXPECT_TRUE(store.ok()) << store.status().message();
  return std::move(store).value();
}

class Snapshot : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_);
    store_ = make_store();
    id_ = *store_->create_sequence();
    test::store_tokens(*store_, id_, 60, 5);
    std::memset(store_->state(id_, 3), 9, 10);
    const std::vector<std::vector<int32_t>> keep = {{0, 1, 2, 40, 59}, {}};
    ASSERT_TRUE(store_->evict(id_, 2, keep).ok());
    tokens_.resize(60);
    std::iota(tokens_.begin(), tokens_.end(), 100);
    const Status saved = save_snapshot(*store_, id_, kModel, tokens_, path_);
    ASSERT_TRUE(saved.ok()) << saved.message();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string bytes() const { return *read_file(path_, 1 << 20); }

  /// The error of reading these bytes into `store`, which must stay as it is.
  Status refusal(const std::string& file_bytes, KvStore& store) {
    {
      auto file = *AtomicFile::create(other_, true);
      EXPECT_TRUE(file.write(file_bytes).ok());
      EXPECT_TRUE(file.commit().ok());
    }
    return refusal_of(other_, store);
  }

  static Status refusal_of(const std::string& path, KvStore& store, const std::string& model = kModel) {
    const uint64_t in_use = store.bytes_in_use();
    const int64_t free_tokens = store.free_tokens();
    const auto restored = load_snapshot(store, model, path);
    EXPECT_EQ(store.bytes_in_use(), in_use);
    EXPECT_EQ(store.free_tokens(), free_tokens);
    return restored.status();
  }

  const std::string folder_ = test::quick_folder() + "/brisk_snapshot_" + std::to_string(getpid());
  const std::string path_ = folder_ + "/a.kv";
  const std::string other_ = folder_ + "/b.kv";
  std::unique_ptr<KvStore> store_;
  SequenceId id_ = -1;
  std::vector<int32_t> tokens_;
};

TEST_F(Snapshot, RestoresTheVeryBytes) {
  auto store = make_store(512, make_groups(), 100);
  const auto restored = load_snapshot(*store, kModel, path_);
  ASSERT_TRUE(restored.ok()) << restored.status().message();
  const SequenceId id = restored->id;
  EXPECT_EQ(restored->tokens, tokens_);
  EXPECT_EQ(store->length(id), 60);
  EXPECT_TRUE(store->ragged(id, 2));
  EXPECT_FALSE(store->ragged(id, 0));
  std::vector<int32_t> positions;
  store->positions(id, 2, 0, positions);
  EXPECT_EQ(positions, (std::vector<int32_t>{0, 1, 2, 40, 59}));
  EXPECT_EQ(store->entries(id, 2, 1), 0);
  for (const auto& [layer, head, entry] : {std::tuple{0, 1, 59}, {2, 0, 3}, {1, 0, 45}})
    EXPECT_EQ(test::read_key(*store, id, layer, head, entry),
              test::read_key(*store_, id_, layer, head, entry));
  EXPECT_EQ(std::memcmp(store->state(id, 3), store_->state(id_, 3), 10), 0);
  test::store_tokens(*store, id, 1, 6);
  EXPECT_EQ(store->length(id), 61);

  // Saved again, it is the same file.
  store->truncate(id, 61);
  const auto again = load_snapshot(*store, kModel, path_);
  ASSERT_TRUE(again.ok());
  ASSERT_TRUE(save_snapshot(*store, again->id, kModel, tokens_, other_).ok());
  EXPECT_EQ(*read_file(other_, 1 << 20), bytes());
}

TEST_F(Snapshot, IsASafetensorsFileThatTellsNothingForgotten) {
  const auto file = SafetensorsFile::open(path_);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE((*file)->get("tokens", DType::kI32, {60}).ok());
  EXPECT_TRUE((*file)->get("layer.2.positions", DType::kI32, {5}).ok());
  EXPECT_TRUE((*file)->get("layer.3.state", DType::kU8, {10}).ok());
  // f16 pages of head 1: all bytes of the entries that were never stored, or forgotten, are zero.
  test::store_tokens(*store_, id_, 4, 7);
  const SequenceId cut = *store_->fork(id_);
  store_->free_sequence(cut);
  const GroupId full = 0;
  const SequenceId plain = *store_->create_sequence({&full, 1});
  test::store_tokens(*store_, plain, 30, 7);
  store_->truncate(plain, 1);
  ASSERT_TRUE(save_snapshot(*store_, plain, kModel, std::vector<int32_t>{1}, other_).ok());
  const auto small = SafetensorsFile::open(other_);
  const auto pages = (*small)->get("layer.0.pages", DType::kU8, {2, make_groups()[0].geometry.page_bytes()});
  ASSERT_TRUE(pages.ok()) << pages.status().message();
  const auto stored = std::ranges::count_if((*pages)->data, [](std::byte b) { return b != std::byte{0}; });
  EXPECT_GT(stored, 0);
  EXPECT_LE(stored, 2 * 8 * 2) << "of each head, four numbers of a key and four of a value";
}

TEST_F(Snapshot, AnEmptySequenceRoundTrips) {
  const SequenceId empty = *store_->create_sequence();
  ASSERT_TRUE(save_snapshot(*store_, empty, kModel, {}, other_).ok());
  const auto restored = load_snapshot(*store_, kModel, other_);
  ASSERT_TRUE(restored.ok()) << restored.status().message();
  EXPECT_EQ(store_->length(restored->id), 0);
  EXPECT_EQ(store_->shortest(restored->id), 0);
}

TEST_F(Snapshot, EveryAlteredByteIsNoticed) {
  const std::string good = bytes();
  std::string bad = good;
  auto store = make_store();
  for (size_t i = 0; i < good.size(); ++i) {
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    const Status status = SafetensorsFile::parse(std::as_bytes(std::span(bad)), "x").status();
    // The parser alone sees most changes of the header; the file system need not be asked about those.
    if (status.ok()) {
      EXPECT_EQ(refusal(bad, *store).code(), StatusCode::kBadInput) << "byte " << i;
    }
    bad[i] = good[i];
  }
}

TEST_F(Snapshot, EveryCutIsNoticed) {
  const std::string good = bytes();
  auto store = make_store();
  for (size_t size = 0; size < good.size(); size += size < 64 ? 1 : 61)
    EXPECT_EQ(refusal(good.substr(0, size), *store).code(), StatusCode::kBadInput) << size;
  EXPECT_EQ(refusal(good + "x", *store).code(), StatusCode::kBadInput);
}

TEST_F(Snapshot, AnotherModelOrLayoutIsRefused) {
  auto store = make_store();
  EXPECT_THAT(refusal_of(path_, *store, "ffff").message(), HasSubstr("with fingerprint ffff"));
  const auto message = [&](const std::vector<KvGroup>& groups) {
    auto other = make_store(256, groups);
    return refusal_of(path_, *other).message();
  };
  auto groups = make_groups();
  groups[0].geometry.type = DType::kF32;
  EXPECT_THAT(message(groups), HasSubstr("expected type \"F32\", got \"F16\""));
  groups = make_groups();
  groups[0].geometry.v_dim = 8;
  EXPECT_THAT(message(groups), HasSubstr("v_dim 8, got 4"));
  groups = make_groups();
  groups[1].window = 21;
  EXPECT_THAT(message(groups), HasSubstr("window 21, got 20"));
  groups = make_groups();
  groups[0].layers = {0};
  EXPECT_THAT(message(groups), HasSubstr("layers [0], got [0,2]"));
  groups.pop_back();
  EXPECT_THAT(message({make_groups()[0], make_groups()[1]}),
              HasSubstr("groups that this session has, got \"state\""));
}

TEST_F(Snapshot, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(refusal_of(path_, *make_store(256, make_groups(), 59)).code(), StatusCode::kBadInput);
  EXPECT_EQ(refusal_of(path_, *make_store(32)).code(), StatusCode::kEnvironment);
  auto store = make_store();
  for (int i = 0; i < 2; ++i) test::store_tokens(*store, *store->create_sequence(), 1, 1);
  const Status status = refusal_of(path_, *store);
  EXPECT_EQ(status.code(), StatusCode::kEnvironment);
  EXPECT_THAT(status.message(), HasSubstr("one more state"));
}

TEST_F(Snapshot, SavingSaysWhatIsWrong) {
  EXPECT_EQ(save_snapshot(*store_, id_, kModel, {}, other_).code(), StatusCode::kUsage);
  EXPECT_EQ(save_snapshot(*store_, id_, "", tokens_, other_).code(), StatusCode::kUsage);
  EXPECT_EQ(save_snapshot(*store_, id_, kModel, tokens_, folder_ + "/no/such").code(),
            StatusCode::kEnvironment);
  EXPECT_EQ(save_snapshot(*store_, id_, kModel, tokens_, folder_).code(), StatusCode::kEnvironment);
  EXPECT_FALSE(std::filesystem::exists(other_));
}

/// A snapshot that somebody made up: whole, with the right sum, and wrong inside.
struct MadeUp {
  Json record;
  std::map<std::string, std::vector<int32_t>> numbers;  // tensors of I32
  std::map<std::string, int64_t> pages;                 // tensors of U8, [pages, page_bytes]
  int64_t page_bytes;

  void write(const std::string& path) const {
    std::vector<SafetensorsWriter::Entry> entries;
    for (const auto& [name, values] : numbers)
      entries.push_back({name, DType::kI32, {static_cast<int64_t>(values.size())}});
    for (const auto& [name, count] : pages) entries.push_back({name, DType::kU8, {count, page_bytes}});
    Checksum sum = *Checksum::create();
    sum.add_text(to_json_text(record));
    for (const auto& [name, values] : numbers) {
      if (values.empty()) continue;
      sum.add_text(name);
      sum.add(std::as_bytes(std::span(values)));
    }
    const auto zeros = [this](int64_t count) {
      return std::vector<std::byte>(static_cast<size_t>(count * page_bytes));
    };
    for (const auto& [name, count] : pages) {
      if (count == 0) continue;
      sum.add_text(name);
      sum.add(zeros(count));
    }
    Json summed = record;
    if (summed.is_object()) summed["checksum"] = sum.digits();
    auto writer = *SafetensorsWriter::create(path, entries, {{"brisk.kv", to_json_text(summed)}}, true);
    for (const auto& [name, values] : numbers)
      ASSERT_TRUE(writer.write(std::as_bytes(std::span(values))).ok());
    for (const auto& [name, count] : pages) ASSERT_TRUE(writer.write(zeros(count)).ok());
    ASSERT_TRUE(writer.commit().ok());
  }
};

TEST_F(Snapshot, MadeUpFilesAreRefused) {
  const std::vector<KvGroup> groups = {make_groups()[0]};
  auto store = make_store(256, groups);
  const Json layout = KvStore::layout_record(groups[0]);
  MadeUp good;
  good.record = {{"version", 1}, {"fingerprint", kModel}, {"tokens", 3}, {"length", 3}, {"layout", {layout}}};
  good.numbers = {{"tokens", {1, 2, 3}}, {"layer.0.entries", {2, 1}}, {"layer.0.positions", {0, 2, 1}}};
  good.pages = {{"layer.0.pages", 2}, {"layer.2.pages", 2}};
  good.page_bytes = groups[0].geometry.page_bytes();
  good.write(other_);
  const auto restored = load_snapshot(*store, kModel, other_);
  ASSERT_TRUE(restored.ok()) << restored.status().message();

  const auto refused = [&](auto change, const std::string& message) {
    MadeUp bad = good;
    change(bad);
    bad.write(other_);
    const Status status = refusal_of(other_, *store);
    EXPECT_EQ(status.code(), StatusCode::kBadInput);
    EXPECT_THAT(status.message(), HasSubstr(message));
  };
  refused([](MadeUp& f) { f.record = 3; }, "expected an object");
  refused([](MadeUp& f) { f.record["version"] = 2; }, "version 1, got 2");
  refused([](MadeUp& f) { f.record.erase("fingerprint"); }, "one of null");
  refused([](MadeUp& f) { f.record["length"] = -1; }, "a number of tokens");
  refused([](MadeUp& f) { f.record["length"] = int64_t{1} << 40; }, "a number of tokens");
  refused([](MadeUp& f) { f.record["length"] = 4; }, "I32 [4], got I32 [3]");
  refused([](MadeUp& f) { f.record["layout"] = Json::array(); }, "a list of groups");
  refused([](MadeUp& f) { f.record["layout"] = Json::array({1}); }, "groups that this session has");
  refused([&](MadeUp& f) { f.record["layout"] = {layout, layout}; }, "a group twice");
  refused([](MadeUp& f) { f.record["layout"][0]["more"] = 1; }, "keys");
  refused([](MadeUp& f) { f.record["layout"][0]["page_bytes"] = 64; }, "page_bytes");
  refused([](MadeUp& f) { f.numbers["layer.0.entries"] = {2, -1}; }, "got -1");
  refused([](MadeUp& f) { f.numbers["layer.0.entries"] = {4, 1}; }, "got 4");
  refused([](MadeUp& f) { f.numbers["layer.0.entries"] = {3}; }, "I32 [2], got I32 [1]");
  refused([](MadeUp& f) { f.numbers["layer.0.entries"] = {2, 2}; }, "I32 [4], got I32 [3]");
  refused([](MadeUp& f) { f.numbers["layer.0.positions"] = {2, 0, 1}; }, "ascending");
  refused([](MadeUp& f) { f.numbers["layer.0.positions"] = {0, 3, 1}; }, "ascending");
  refused([](MadeUp& f) { f.numbers["layer.0.positions"] = {0, 0, 1}; }, "ascending");
  refused([](MadeUp& f) { f.numbers.erase("layer.0.positions"); }, "no such tensor");
  refused([](MadeUp& f) { f.numbers["more"] = {1}; }, "that belong to the sequence");
  refused([](MadeUp& f) { f.pages["layer.2.pages"] = 3; }, "layer.2.pages");
  refused([](MadeUp& f) { f.pages.erase("layer.0.pages"); }, "no such tensor");
}

}  // namespace
}  // namespace brisk::runtime
