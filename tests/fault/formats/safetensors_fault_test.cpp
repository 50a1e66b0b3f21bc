// safetensors files under faults: every write, sync and rename of the writers fails in turn, once and for
// good, and no half model stays; every allocation of opening a model folder fails in turn.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "formats/safetensors/shard_writer.hpp"
#include "formats/safetensors/shards.hpp"
#include "support/allocation_counter.hpp"
#include "support/failing_files.hpp"

namespace brisk::formats {
namespace {

namespace fs = std::filesystem;

const std::vector<SafetensorsWriter::Entry> kEntries = {
    {"a", DType::kF32, {4}}, {"b", DType::kF32, {4}}, {"c", DType::kU8, {5}}};
constexpr size_t kDataBytes = 37;

template <typename Writer>
Status fill(Result<Writer> writer) {
  if (!writer.ok()) return writer.status();
  const std::string data(kDataBytes, 'd');
  const auto bytes = std::as_bytes(std::span(data));
  BRISK_TRY(writer->write(bytes.first(10)));
  BRISK_TRY(writer->write(bytes.subspan(10)));
  return writer->commit();
}

class SafetensorsFault : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "brisk_fault_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  Status write_shards() const { return fill(SafetensorsShardWriter::create(folder_, kEntries, {}, 16)); }
  Status write_one(bool overwrite) const {
    return fill(SafetensorsWriter::create(folder_ + "/model.safetensors", kEntries, {}, overwrite));
  }
  Status open() const {
    BRISK_ASSIGN(const Folder folder, Folder::open(folder_));
    return SafetensorsShards::open(folder).status();
  }
  bool is_empty() const { return fs::is_empty(folder_); }
  void clear() const {
    for (const auto& entry : fs::directory_iterator(folder_)) fs::remove(entry);
  }

  std::string folder_;
};

// Runs write() with the first, the second, ... call on files failing, and look(status) after each.
template <typename Write, typename Look>
void fail_each_call(Write write, Look look) {
  for (const bool for_good : {false, true}) {
    int64_t number = 1;
    for (;; ++number) {
      ASSERT_LT(number, 1000);
      test::reset_file_calls(number, for_good);
      const Status status = write();
      const bool met = test::file_call_count >= number;
      test::reset_file_calls();
      if (!met) break;
      EXPECT_EQ(status.code(), StatusCode::kEnvironment) << "call " << number << ": " << status.message();
      look(number);
    }
    std::printf("%lld points, %s\n", static_cast<long long>(number - 1), for_good ? "for good" : "once");
    EXPECT_GT(number, 5);
  }
}

TEST_F(SafetensorsFault, EachCallFailsWhileWritingShards) {
  fail_each_call(
      [this] {
        clear();
        return write_shards();
      },
      [this](int64_t number) { EXPECT_TRUE(is_empty()) << "call " << number; });
  EXPECT_TRUE(open().ok()) << open().message();
}

TEST_F(SafetensorsFault, EachCallFailsWhileWritingOneFile) {
  fail_each_call(
      [this] {
        clear();
        return write_one(false);
      },
      // The last call syncs the folder: by then the file has its name, and is whole.
      [this](int64_t number) { EXPECT_TRUE(is_empty() || open().ok()) << "call " << number; });
  EXPECT_TRUE(open().ok()) << open().message();
}

TEST_F(SafetensorsFault, EachCallFailsWhileReplacingOneFile) {
  ASSERT_TRUE(write_one(false).ok());
  fail_each_call([this] { return write_one(true); },
                 [this](int64_t number) {
                   EXPECT_TRUE(open().ok()) << "call " << number;
                   EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
                 });
}

TEST_F(SafetensorsFault, EachAllocationFailsWhileOpeningAFolder) {
  ASSERT_TRUE(write_shards().ok());
  const Result<Folder> folder = Folder::open(folder_);
  ASSERT_TRUE(folder.ok());
  for (const bool bad : {false, true}) {
    // With a tensor that its shard lacks the failures also hit the making of the message.
    if (bad) {
      std::ofstream(folder_ + "/model.safetensors.index.json")
          << R"({"weight_map":{"x":"model-00001-of-00003.safetensors"}})";
    }
    for (const bool for_good : {false, true}) {
      int64_t number = 1;
      for (;; ++number) {
        ASSERT_LT(number, 10'000);
        test::reset_allocations(number, for_good);
        const Status status = SafetensorsShards::open(*folder).status();
        const bool met = test::allocation_count >= number;
        test::reset_allocations();
        if (!met) break;
        EXPECT_EQ(status.code(), StatusCode::kEnvironment) << "allocation " << number;
      }
      std::printf("%lld points, %s\n", static_cast<long long>(number - 1), for_good ? "for good" : "once");
      EXPECT_GT(number, 20);
    }
    EXPECT_EQ(SafetensorsShards::open(*folder).status().code(),
              bad ? StatusCode::kBadInput : StatusCode::kOk);
  }
}

}  // namespace
}  // namespace brisk::formats
