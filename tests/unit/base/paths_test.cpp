// Folders by the XDG rules, and what happens when the environment is odd.
#include "base/paths.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

namespace brisk {
namespace {

/// Sets a variable (or removes it) and puts the old value back.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value != nullptr ? setenv(name, value, 1) : unsetenv(name);
  }
  ~Variable() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

class Folder {
 public:
  Folder() {
    char pattern[] = "/tmp/brisk_paths_XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Paths, FollowTheXdgVariables) {
  const Variable home("HOME", "/home/somebody"), cache("XDG_CACHE_HOME", "/var/c"),
      state("XDG_STATE_HOME", "/var/s");
  EXPECT_EQ(*cache_folder(), "/var/c/brisk");
  EXPECT_EQ(*models_folder(), "/var/c/brisk/models");
  EXPECT_EQ(*state_folder(), "/var/s/brisk");
}

TEST(Paths, FallBackToTheHomeFolderAndIgnoreRelativeValues) {
  const Variable home("HOME", "/home/somebody"), cache("XDG_CACHE_HOME", "relative"),
      state("XDG_STATE_HOME", nullptr);
  EXPECT_EQ(*cache_folder(), "/home/somebody/.cache/brisk");
  EXPECT_EQ(*state_folder(), "/home/somebody/.local/state/brisk");
  EXPECT_EQ(expand_home("~/models/x.gguf"), "/home/somebody/models/x.gguf");
  EXPECT_EQ(expand_home("~"), "/home/somebody");
  EXPECT_EQ(expand_home("~other/x"), "~other/x");
  EXPECT_EQ(expand_home("a~/x"), "a~/x");
}

TEST(Paths, WithoutHomeTheUserDatabaseAnswers) {
  const Variable home("HOME", nullptr);
  const Result<std::string> found = home_folder();
  if (!found.ok()) GTEST_SKIP() << "this user has no entry with a home folder";
  EXPECT_EQ(found->front(), '/');
}

TEST(Paths, MakesFoldersForTheUserOnlyAndTwiceIsFine) {
  const Folder folder;
  const std::string deep = folder.path() + "/a/b/c";
  ASSERT_TRUE(make_folders(deep).ok());
  ASSERT_TRUE(make_folders(deep).ok());
  struct stat status;
  ASSERT_EQ(stat(deep.c_str(), &status), 0);
  EXPECT_TRUE(S_ISDIR(status.st_mode));
  EXPECT_EQ(status.st_mode & 0077, 0U);
}

TEST(Paths, AFileInTheWayIsAnEnvironmentErrorThatNamesIt) {
  const Folder folder;
  const std::string file = folder.path() + "/file";
  std::ofstream(file) << "x";
  for (const std::string& path : {file, file + "/below"}) {
    const Status status = make_folders(path);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.code(), StatusCode::kEnvironment);
    EXPECT_NE(status.message().find(file), std::string::npos) << status.message();
  }
}

TEST(Paths, BaseName) {
  EXPECT_EQ(base_name("/a/b.gguf"), "b.gguf");
  EXPECT_EQ(base_name("b.gguf"), "b.gguf");
  EXPECT_EQ(base_name("/a/"), "");
}

}  // namespace
}  // namespace brisk
