// Bounded reading and atomic writing of whole files.
#include "base/file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace brisk {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "brisk_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ / name; }
  void put(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  std::string get(const std::string& name) const {
    auto text = read_file(path(name), 1U << 20);
    return text.ok() ? *text : text.status().message();
  }
  int entries() const { return static_cast<int>(std::distance(fs::directory_iterator(folder_), {})); }

  fs::path folder_;
};

void expect_environment_error(const Status& status, const std::string& where, const std::string& word) {
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kEnvironment);
  EXPECT_EQ(status.parts().where, where);
  EXPECT_FALSE(status.parts().expected.empty());
  EXPECT_FALSE(status.parts().hint.empty());
  EXPECT_NE(status.parts().got.find(word), std::string::npos) << status.message();
}

TEST_F(FileTest, ReadsWholeFilesUpToTheLimit) {
  const std::string text(200'000, 'x');
  put("a", text);
  EXPECT_EQ(get("a"), text);
  EXPECT_TRUE(read_file(path("a"), text.size()).ok());
  auto limited = read_file(path("a"), text.size() - 1);
  ASSERT_FALSE(limited.ok());
  EXPECT_EQ(limited.status().code(), StatusCode::kBadInput);
  put("empty", "");
  EXPECT_EQ(get("empty"), "");
}

TEST_F(FileTest, ReadsFilesWhoseSizeTheSystemDoesNotSay) {
  auto text = read_file("/proc/self/status", 1U << 20);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("Name:"), std::string::npos);
}

TEST_F(FileTest, RefusesWhatIsNoRegularFileWithoutWaiting) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  ASSERT_EQ(symlink("loop", path("loop").c_str()), 0);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path("socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);

  expect_environment_error(read_file(path("fifo"), 10).status(), path("fifo"), "FIFO");
  expect_environment_error(read_file(folder_, 10).status(), folder_, "folder");
  expect_environment_error(read_file("/dev/zero", 10).status(), "/dev/zero", "device");
  expect_environment_error(read_file(path("loop"), 10).status(), path("loop"), "loop of links");
  expect_environment_error(read_file(path("missing"), 10).status(), path("missing"), "No such file");
  expect_environment_error(read_file(path("fifo") + "/x", 10).status(), path("fifo") + "/x",
                           "Not a directory");
  expect_environment_error(read_file("", 10).status(), "path", "empty");
  const std::string zero("a\0b", 3);
  EXPECT_EQ(read_file(zero, 10).status().code(), StatusCode::kEnvironment);
  EXPECT_FALSE(read_file(path("socket"), 10).ok());
  close(listener);
}

TEST_F(FileTest, FollowsLinks) {
  put("a", "text");
  ASSERT_EQ(symlink("a", path("link").c_str()), 0);
  EXPECT_EQ(get("link"), "text");
}

TEST_F(FileTest, WritesAppearOnCommitOnly) {
  auto file = AtomicFile::create(path("out"), false);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_TRUE(file->write("one ").ok());
  EXPECT_FALSE(fs::exists(path("out")));
  ASSERT_TRUE(file->write(std::as_bytes(std::span("two", 3))).ok());
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(get("out"), "one two");
  EXPECT_EQ(entries(), 1);
}

TEST_F(FileTest, NothingIsLeftWithoutCommit) {
  put("old", "old");
  {
    auto file = AtomicFile::create(path("old"), true);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("new").ok());
    AtomicFile moved = std::move(*file);
    EXPECT_EQ(entries(), 2);
  }
  EXPECT_EQ(get("old"), "old");
  EXPECT_EQ(entries(), 1);
}

TEST_F(FileTest, ReplacesOnlyWhenAsked) {
  put("out", "old");
  expect_environment_error(AtomicFile::create(path("out"), false).status(), path("out"), "existing");
  auto file = AtomicFile::create(path("out"), true);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->write("new").ok());
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(get("out"), "new");
}

TEST_F(FileTest, AFileThatAppearedMeanwhileIsNotReplaced) {
  auto file = AtomicFile::create(path("out"), false);
  ASSERT_TRUE(file.ok());
  put("out", "theirs");
  expect_environment_error(file->commit(), path("out"), "existing");
  *file = std::move(*AtomicFile::create(path("other"), false));
  EXPECT_EQ(get("out"), "theirs");
}

TEST_F(FileTest, TwoWritersGiveOneWholeResult) {
  auto first = AtomicFile::create(path("out"), true);
  auto second = AtomicFile::create(path("out"), true);
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE(first->write("first").ok());
  ASSERT_TRUE(second->write("second").ok());
  ASSERT_TRUE(first->commit().ok());
  ASSERT_TRUE(second->commit().ok());
  EXPECT_EQ(get("out"), "second");
  EXPECT_EQ(entries(), 1);
}

TEST_F(FileTest, RefusesToReplaceADeviceOrAFolder) {
  expect_environment_error(AtomicFile::create("/dev/null", true).status(), "/dev/null", "device");
  expect_environment_error(AtomicFile::create(folder_, true).status(), folder_, "folder");
  expect_environment_error(AtomicFile::create(path("no/such"), true).status(), path("no/such"),
                           "No such file");
}

TEST_F(FileTest, AFullDiskIsAnErrorAndLeavesNothing) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto file = AtomicFile::create(path("out"), false);
    const bool failed = file.ok() && !file->write(std::string(5000, 'x')).ok();
    _exit(failed ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(FileTest, TheSignalHandlerRemovesTemporaries) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGTERM, [](int) {
      remove_open_temporaries();
      _exit(0);
    });
    auto a = AtomicFile::create(path("a"), false);
    auto b = AtomicFile::create(path("b"), false);
    if (entries() == 2) raise(SIGTERM);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(entries(), 0);
}

TEST_F(FileTest, TooManyAtOnceIsAnErrorAndSlotsComeBack) {
  for (int round = 0; round < 2; ++round) {
    std::vector<AtomicFile> open;
    Status failure;
    for (int i = 0; i < 300 && failure.ok(); ++i) {
      auto file = AtomicFile::create(path(std::to_string(i)), false);
      if (file.ok())
        open.push_back(std::move(*file));
      else
        failure = file.status();
    }
    EXPECT_EQ(open.size(), 256U);
    EXPECT_EQ(failure.code(), StatusCode::kEnvironment);
  }
  EXPECT_EQ(entries(), 0);
}

}  // namespace
}  // namespace brisk
