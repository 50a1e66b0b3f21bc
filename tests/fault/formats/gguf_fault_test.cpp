// Every allocation of opening a GGUF file fails in turn, once and for good: a status each time, no leak (the
// address sanitizer's build says so), and the next open works.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "formats/gguf/gguf.hpp"
#include "support/gguf_builder.hpp"

namespace {

// Allocations until one fails; negative: none does.
long g_left = -1;
bool g_for_good = false;

bool refuse_now() {
  if (g_left < 0) return false;
  if (g_left > 0) {
    --g_left;
    return false;
  }
  if (!g_for_good) g_left = -1;
  return true;
}

}  // namespace

void* operator new(std::size_t size) {
  void* data = refuse_now() ? nullptr : std::malloc(size > 0 ? size : 1);
  if (data == nullptr) throw std::bad_alloc();
  return data;
}
void operator delete(void* data) noexcept { std::free(data); }
void operator delete(void* data, std::size_t) noexcept { std::free(data); }

namespace brisk::formats {
namespace {

// Opens `path` with the allocation number `fails_at` failing; gives whether that many were made.
bool open_failing(const std::string& path, long fails_at, bool for_good) {
  g_for_good = for_good;
  g_left = fails_at;
  const auto file = GgufFile::open(path);
  const bool met = for_good ? g_left == 0 : g_left < 0;
  g_left = -1;
  if (!met) {
    EXPECT_EQ(file.ok(), !std::filesystem::path(path).filename().string().starts_with("bad"));
    return false;
  }
  EXPECT_FALSE(file.ok()) << "allocation " << fails_at;
  if (!file.ok()) EXPECT_EQ(file.status().code(), StatusCode::kEnvironment) << file.status().message();
  return true;
}

void fail_each(const std::string& path) {
  for (const bool for_good : {false, true}) {
    long points = 0;
    while (open_failing(path, points, for_good)) ASSERT_LT(++points, 10'000);
    std::printf("%ld points, %s\n", points, for_good ? "for good" : "once");
    EXPECT_GT(points, 10);
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

TEST_F(GgufFault, EachAllocationFailsWhileOpeningAFile) { fail_each(good_); }
TEST_F(GgufFault, EachAllocationFailsWhileRefusingAFile) { fail_each(bad_); }

}  // namespace
}  // namespace brisk::formats
