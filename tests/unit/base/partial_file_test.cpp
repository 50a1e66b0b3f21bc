// Files that grow over several runs, and their lock.
#include "base/partial_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace brisk {
namespace {

namespace fs = std::filesystem;

class PartialFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "brisk_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string get(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }
  PartialFile open(const std::string& name) const {
    auto file = PartialFile::open(path(name));
    EXPECT_TRUE(file.ok()) << file.status().message();
    return *std::move(file);
  }

  fs::path folder_;
};

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string all_of(const PartialFile& file) {
  std::string text;
  EXPECT_TRUE(file.read([&](std::span<const std::byte> piece) {
                    text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
                    return Status();
                  })
                  .ok());
  return text;
}

TEST_F(PartialFileTest, GoesOnWhereItStopped) {
  {
    PartialFile file = open("part");
    EXPECT_EQ(file.size(), 0u);
    EXPECT_TRUE(file.append(bytes("one ")).ok());
  }
  PartialFile file = open("part");
  EXPECT_EQ(file.size(), 4u);
  EXPECT_EQ(all_of(file), "one ");
  EXPECT_TRUE(file.append(bytes("two")).ok());
  EXPECT_EQ(all_of(file), "one two");
  EXPECT_TRUE(file.commit(path("whole")).ok());
  EXPECT_EQ(get("whole"), "one two");
  EXPECT_FALSE(fs::exists(path("part")));
}

TEST_F(PartialFileTest, StartsAnewAndIsRemoved) {
  PartialFile file = open("part");
  EXPECT_TRUE(file.append(bytes("wrong")).ok());
  EXPECT_TRUE(file.restart().ok());
  EXPECT_EQ(file.size(), 0u);
  EXPECT_TRUE(file.append(bytes("right")).ok());
  EXPECT_EQ(get("part"), "right");
  file.remove();
  EXPECT_FALSE(fs::exists(path("part")));
}

TEST_F(PartialFileTest, ReadingStopsWithAnError) {
  PartialFile file = open("part");
  EXPECT_TRUE(file.append(bytes(std::string(200'000, 'x'))).ok());
  int pieces = 0;
  const Status status = file.read([&](std::span<const std::byte>) {
    ++pieces;
    return environment_error({"a", "b", "c"});
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(pieces, 1);
}

TEST_F(PartialFileTest, RefusesWhatIsNoRegularFile) {
  std::ofstream(path("victim")) << "mine";
  fs::create_symlink(path("victim"), path("link"));
  fs::create_directory(path("folder"));
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  for (const char* name : {"link", "folder", "fifo", "none/part"}) {
    const auto file = PartialFile::open(path(name));
    ASSERT_FALSE(file.ok()) << name;
    EXPECT_EQ(file.status().code(), StatusCode::kEnvironment) << name;
  }
  EXPECT_EQ(get("victim"), "mine");
}

TEST_F(PartialFileTest, CommitIntoNowhereIsAnError) {
  PartialFile file = open("part");
  EXPECT_FALSE(file.commit(path("none/whole")).ok());
  EXPECT_TRUE(fs::exists(path("part")));
}

TEST_F(PartialFileTest, ALockIsHeldByOne) {
  auto first = FileLock::try_lock(path("lock"));
  ASSERT_TRUE(first.ok() && first->has_value());
  auto second = FileLock::try_lock(path("lock"));
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(second->has_value());
  first->reset();
  second = FileLock::try_lock(path("lock"));
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->has_value());
  EXPECT_FALSE(FileLock::try_lock(path("none/lock")).ok());
}

TEST_F(PartialFileTest, KnowsTheRoomOnTheDisk) {
  const auto room = free_disk_bytes(folder_);
  ASSERT_TRUE(room.has_value());
  EXPECT_GT(*room, 0u);
  EXPECT_FALSE(free_disk_bytes(path("none")).has_value());
}

}  // namespace
}  // namespace brisk
