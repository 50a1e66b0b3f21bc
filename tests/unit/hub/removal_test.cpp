// What a removal would take away: planned only, on a cache that the test makes.
#include "hub/removal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace brisk::hub {
namespace {

namespace fs = std::filesystem;

class RemovalTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(snapshot_);
    std::ofstream(snapshot_ + "/m-Q4_0.gguf") << "12345";
  }
  void TearDown() override { fs::remove_all(cache_); }

  const std::string cache_ = testing::TempDir() + "/brisk_removal_" + std::to_string(getpid());
  const std::string snapshot_ = cache_ + "/models--a--b/snapshots/" + std::string(40, 'c');
};

TEST_F(RemovalTest, RefusesARevision) {
  for (const char* revision : {"none", "v1", "cccccccccccccccccccccccccccccccccccccccc"}) {
    for (const char* quant : {"", "Q4_0"}) {
      const auto removal = plan_removal(cache_, {.repo = "a/b", .quant = quant, .revision = revision});
      ASSERT_FALSE(removal.ok()) << revision;
      EXPECT_EQ(removal.status().code(), StatusCode::kUsage);
    }
  }
}

TEST_F(RemovalTest, PlansARepositoryOrAQuant) {
  const auto all = plan_removal(cache_, {.repo = "a/b"});
  ASSERT_TRUE(all.ok());
  EXPECT_TRUE(all->whole_repo);
  EXPECT_EQ(all->bytes, 5U);
  const auto one = plan_removal(cache_, {.repo = "a/b", .quant = "Q4_0"});
  ASSERT_TRUE(one.ok());
  EXPECT_FALSE(one->whole_repo);
  EXPECT_EQ(one->paths, std::vector{snapshot_ + "/m-Q4_0.gguf"});
  EXPECT_EQ(plan_removal(cache_, {.repo = "a/none"}).status().code(), StatusCode::kEnvironment);
}

}  // namespace
}  // namespace brisk::hub
