// Files opened by name beneath a folder, through the kernel's own walk and through ours.
#include "base/folder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace brisk {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

// The parameter: whether we walk by hand.
class FolderTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    set_walk_by_hand(GetParam());
    std::string name = fs::temp_directory_path() / "brisk_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    base_ = name;
    fs::create_directories(base_ / "root/sub");
    put("outside", "secret");
    put("root/a", "in a");
    put("root/sub/b", "in b");
  }
  void TearDown() override {
    set_walk_by_hand(false);
    fs::remove_all(base_);
  }
  void put(const std::string& name, const std::string& text) const { std::ofstream(base_ / name) << text; }
  void link(const std::string& target, const std::string& name) const {
    fs::create_symlink(target, base_ / name);
  }
  Folder folder(const std::string& name = "root") const {
    Result<Folder> opened = Folder::open(base_ / name);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    return std::move(opened).value();
  }
  // The text of a file, or the error.
  std::string get(const std::string& name) const {
    const Result<std::string> text = folder().read(name, 100);
    return text.ok() ? *text : text.status().message();
  }
  void expect_refused(const std::string& name, StatusCode code, const std::string& word) const {
    const Folder opened = folder();
    const Result<std::string> text = opened.read(name, 100);
    ASSERT_FALSE(text.ok()) << name << " gave " << *text;
    EXPECT_EQ(text.status().code(), code) << text.status().message();
    EXPECT_NE(text.status().message().find(word), std::string::npos) << text.status().message();
    EXPECT_FALSE(text.status().parts().hint.empty());
    EXPECT_FALSE(opened.has(name));
    EXPECT_FALSE(opened.map(name).ok());
  }

  fs::path base_;
};

TEST_P(FolderTest, ReadsAndMapsFilesBelow) {
  EXPECT_EQ(get("a"), "in a");
  EXPECT_EQ(get("sub/b"), "in b");
  const Folder opened = folder();
  EXPECT_TRUE(opened.has("a"));
  EXPECT_FALSE(opened.has("none"));
  const auto mapped = opened.map("sub/b");
  ASSERT_TRUE(mapped.ok()) << mapped.status().message();
  EXPECT_EQ((*mapped)->bytes().size(), 4U);
  EXPECT_EQ((*mapped)->bytes()[3], std::byte{'b'});
  EXPECT_EQ((*mapped)->path(), base_ / "root/sub/b");
  EXPECT_TRUE((*mapped)->check_unchanged().ok());
}

TEST_P(FolderTest, ReadsUpToTheLimit) {
  EXPECT_TRUE(folder().read("a", 4).ok());
  const Result<std::string> text = folder().read("a", 3);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.status().code(), StatusCode::kBadInput);
}

TEST_P(FolderTest, KnowsOddNames) {
  for (const std::string name :
       {"mod\u00e8le \u6a21\u578b.safetensors", "..a", "...", "a b", "-x", "x:y", "'"}) {
    put("root/" + name, "odd");
    EXPECT_EQ(get(name), "odd") << name;
  }
}

TEST_P(FolderTest, RefusesNamesThatAreNoNames) {
  for (const std::string& name :
       {""s, "."s, ".."s, "../outside"s, "sub/../a"s, "sub/./b"s, "./a"s, "sub//b"s, "sub/"s, "sub/.."s}) {
    expect_refused(name, StatusCode::kBadInput, "the name of a file beneath the folder");
  }
  expect_refused((base_ / "root/a").string(), StatusCode::kBadInput, "an absolute path");
  expect_refused("/etc/passwd", StatusCode::kBadInput, "an absolute path");
  expect_refused("sub\\b", StatusCode::kBadInput, "a backslash");
  expect_refused("..\\outside", StatusCode::kBadInput, "a backslash");
  expect_refused("C:/a", StatusCode::kBadInput, "a colon before a slash");
  expect_refused("file:sub/b", StatusCode::kBadInput, "a colon before a slash");
  expect_refused("a\0"s, StatusCode::kBadInput, "a zero byte");
  expect_refused("a\nb", StatusCode::kBadInput, "control character");
  expect_refused("a\x7F", StatusCode::kBadInput, "control character");
}

TEST_P(FolderTest, FollowsLinksThatStayBeneath) {
  link("a", "root/l1");
  link("../a", "root/sub/l2");
  link("sub", "root/l3");
  link("l3/../sub/./l2", "root/l4");
  link("sub//b", "root/l5");
  EXPECT_EQ(get("l1"), "in a");
  EXPECT_EQ(get("sub/l2"), "in a");
  EXPECT_EQ(get("l3/b"), "in b");
  EXPECT_EQ(get("l4"), "in a");
  EXPECT_EQ(get("l5"), "in b");
}

TEST_P(FolderTest, RefusesLinksThatLeadOutside) {
  link("../outside", "root/l1");
  link("..", "root/up");
  link((base_ / "outside").string(), "root/absolute");
  link((base_ / "root/a").string(), "root/absolute_inside");
  link("sub/../../outside", "root/sly");
  link("../root/a", "root/out_and_in");
  for (const char* name : {"l1", "up/outside", "absolute", "absolute_inside", "sly", "out_and_in"}) {
    expect_refused(name, StatusCode::kBadInput, "a link that leads outside it");
  }
}

TEST_P(FolderTest, KnowsOfEntriesThatCannotBeRead) {
  link("../outside", "root/away");
  link("nowhere", "root/dangling");
  const Folder opened = folder();
  for (const char* name : {"a", "sub", "away", "dangling"}) EXPECT_TRUE(opened.has_entry(name)) << name;
  for (const char* name : {"b", "", "..", "sub/b", "../outside"})
    EXPECT_FALSE(opened.has_entry(name)) << name;
}

TEST_P(FolderTest, EndsAtLoopsOfLinks) {
  link("loop", "root/loop");
  link("y", "root/x");
  link("x", "root/y");
  link("again/again", "root/again");
  for (const char* name : {"loop", "x", "again"}) {
    expect_refused(name, StatusCode::kEnvironment, "a loop of links");
  }
  link("a", "root/c0");
  for (int i = 1; i <= 40; ++i) link("c" + std::to_string(i - 1), "root/c" + std::to_string(i));
  EXPECT_EQ(get("c39"), "in a");  // 40 links
  expect_refused("c40", StatusCode::kEnvironment, "a loop of links");
}

TEST_P(FolderTest, RefusesWhatIsNoRegularFileWithoutWaiting) {
  ASSERT_EQ(mkfifo((base_ / "root/fifo").c_str(), 0600), 0);
  link("fifo", "root/to_fifo");
  link(".", "root/here");
  expect_refused("fifo", StatusCode::kEnvironment, "a FIFO");
  expect_refused("to_fifo", StatusCode::kEnvironment, "a FIFO");
  expect_refused("sub", StatusCode::kEnvironment, "a folder");
  expect_refused("here", StatusCode::kEnvironment, "a folder");
  expect_refused("none", StatusCode::kEnvironment, "No such file");
  expect_refused("a/b", StatusCode::kEnvironment, "Not a directory");
  expect_refused(std::string(300, 'n'), StatusCode::kEnvironment, "too long");
}

TEST_P(FolderTest, ListsRegularFilesAndLinksToSuch) {
  link("sub/b", "root/in");
  link("../outside", "root/out");
  link("gone", "root/dangling");
  put("root/back\\slash", "");
  ASSERT_EQ(mkfifo((base_ / "root/fifo").c_str(), 0600), 0);
  for (int i = 0; i < 2; ++i) {
    const auto names = folder().files();
    ASSERT_TRUE(names.ok()) << names.status().message();
    EXPECT_EQ(*names, (std::vector<std::string>{"a", "in"}));
  }
}

TEST_P(FolderTest, SnapshotsOfACacheReachTheirBlobs) {
  fs::create_directories(base_ / "hub/models--o--n/snapshots/rev/sub");
  fs::create_directories(base_ / "hub/models--o--n/blobs");
  fs::create_directories(base_ / "hub/blobs/b1");
  put("hub/blobs/b1/shared", "blob");
  put("beside", "outside of the cache");
  link("../../blobs/b1/shared", "hub/models--o--n/blobs/b1");
  link("../../blobs/b1", "hub/models--o--n/snapshots/rev/model.safetensors");
  link("../../../blobs/b1", "hub/models--o--n/snapshots/rev/sub/model.safetensors");
  link("../../../../beside", "hub/models--o--n/snapshots/rev/foreign");
  link("hub/models--o--n/snapshots/rev", "alias");
  for (const char* name : {"hub/models--o--n/snapshots/rev", "hub/models--o--n/snapshots/rev/", "alias",
                           "hub/../hub/models--o--n/snapshots/rev/sub"}) {
    const Folder opened = folder(name);
    EXPECT_EQ(opened.path(), base_ / name);
    const auto text = opened.read("model.safetensors", 100);
    ASSERT_TRUE(text.ok()) << text.status().message();
    EXPECT_EQ(*text, "blob");
    EXPECT_FALSE(opened.has("foreign"));
    EXPECT_FALSE(opened.read("../../blobs/b1", 100).ok());
    const auto names = opened.files();
    ASSERT_TRUE(names.ok());
    EXPECT_EQ(*names, std::vector<std::string>{"model.safetensors"});
  }
  // Elsewhere such a link is one like any other.
  fs::create_directories(base_ / "hub/models--o--n/loose");
  link("../blobs/b1", "hub/models--o--n/loose/model.safetensors");
  EXPECT_FALSE(folder("hub/models--o--n/loose").has("model.safetensors"));
}

TEST_P(FolderTest, OpensFoldersOnly) {
  for (const std::string& path : {""s, "none"s, (base_ / "none").string(), (base_ / "outside").string()}) {
    const auto opened = Folder::open(path);
    ASSERT_FALSE(opened.ok()) << path;
    EXPECT_EQ(opened.status().code(), StatusCode::kEnvironment);
    EXPECT_FALSE(opened.status().parts().hint.empty());
  }
  EXPECT_TRUE(Folder::open("/").ok());
  EXPECT_TRUE(Folder::open(".").ok());
}

TEST_P(FolderTest, StaysWithTheFolderThatWasOpened) {
  Folder opened = folder();
  fs::rename(base_ / "root", base_ / "moved");
  link(".", "root");
  EXPECT_FALSE(opened.has("outside"));
  EXPECT_TRUE(opened.has("a"));
  Folder other = std::move(opened);
  EXPECT_TRUE(other.has("a"));
  opened = std::move(other);
  EXPECT_TRUE(opened.has("a"));
}

// A canary outside, and a name that changes between a file, a link to the canary, and below a folder that
// is swapped for a link to the parent: whatever is read is never the canary.
TEST_P(FolderTest, SwappingFilesAndFoldersForLinksLeadsNowhere) {
  fs::create_directories(base_ / "root/d");
  put("root/d/outside", "in d");
  put("root/outside", "in root");
  link("..", "root/up");
  link("../outside", "root/bad");
  const auto swap = [this](const char* a, const char* b) {
    (void)renameat2(AT_FDCWD, (base_ / a).c_str(), AT_FDCWD, (base_ / b).c_str(), RENAME_EXCHANGE);
  };
  std::atomic<bool> stop{false};
  std::thread swapper([&] {
    while (!stop.load()) {
      swap("root/d", "root/up");
      swap("root/outside", "root/bad");
    }
  });
  const Folder opened = folder();
  int read = 0, refused = 0;
  for (int i = 0; i < 20'000 || ((read == 0 || refused == 0) && i < 2'000'000); ++i) {
    const auto text = opened.read(i % 2 == 0 ? "d/outside" : "outside", 100);
    text.ok() ? ++read : ++refused;
    if (text.ok() && *text != "in d" && *text != "in root") {
      ADD_FAILURE() << "read " << *text;
      break;
    }
  }
  stop.store(true);
  swapper.join();
  EXPECT_GT(read, 0);
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Walks, FolderTest, testing::Bool(),
                         [](const auto& walk) { return walk.param ? "by_hand" : "by_kernel"; });

}  // namespace
}  // namespace brisk
