// Every allocation of opening a GGUF file fails in turn, once and for good: a status each time, no leak (the
// address sanitizer's build says so), and the next open works.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "formats/gguf/gguf.hpp"
#include "support/counted_allocations.hpp"
#include "support/gguf_builder.hpp"

namespace brisk::formats {
namespace {

// Opens `path` with the allocation of that number failing, and gives whether so many were made.
bool open_failing(const std::string& path, int64_t number, bool for_good) {
  test::reset_allocations(number, for_good);
  const auto file = GgufFile::open(path);
  const bool met = test::allocation_count >= number;
  test::reset_allocations();
  if (!met) return false;
  EXPECT_FALSE(file.ok()) << "allocation " << number;
  EXPECT_EQ(file.status().code(), StatusCode::kEnvironment) << "allocation " << number;
  return true;
}

void fail_each(const std::string& path, StatusCode without_failure) {
  for (const bool for_good : {false, true}) {
    int64_t number = 1;
    while (open_failing(path, number, for_good)) ASSERT_LT(++number, 10'000);
    EXPECT_EQ(GgufFile::open(path).status().code(), without_failure);
    std::printf("%lld points, %s\n", static_cast<long long>(number - 1), for_good ? "for good" : "once");
    EXPECT_GT(number, 10);
  }
}

class GgufFault : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder = std::filesystem::temp_directory_path();
    const std::string id = std::to_string(getpid());
    good_ = folder / ("good_" + id + ".gguf");
    bad_ = folder / ("bad_" + id + ".gguf");
    test::GgufBuilder b;
    b.add("general.architecture", "llama");
    b.add("tokens", std::vector<std::string>{"a", "b"});
    b.add_tensor("a.weight", {2, 32}, DType::kQ8_0, std::vector<float>(64, 1.0F));
    b.add_tensor("b.weight", {8}, DType::kF32, std::vector<float>(8, 1.0F));
    b.write(good_);
    b.add("tokens", 1.0F);  // a key twice: the failures also hit the making of the message
    b.write(bad_);
  }
  void TearDown() override {
    std::filesystem::remove(good_);
    std::filesystem::remove(bad_);
  }
  std::string good_, bad_;
};

TEST_F(GgufFault, EachAllocationFailsWhileOpeningAFile) { fail_each(good_, StatusCode::kOk); }
TEST_F(GgufFault, EachAllocationFailsWhileRefusingAFile) { fail_each(bad_, StatusCode::kBadInput); }

}  // namespace
}  // namespace brisk::formats
