// Mapped files, and what happens when one is cut short while it is read.
#include "base/mapped_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace brisk {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "brisk_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string put(const std::string& name, size_t bytes) const {
    std::ofstream(folder_ / name) << std::string(bytes, 'x');
    return folder_ / name;
  }
  fs::path folder_;
};

uint64_t sum(std::span<const std::byte> bytes) {
  uint64_t total = 0;
  for (size_t i = 0; i < bytes.size(); i += 64) total += std::to_integer<uint64_t>(bytes[i]);
  return total;
}

TEST_F(MappedFileTest, MapsAllOfAFile) {
  const std::string path = put("a", 10'000);
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ((*file)->bytes().size(), 10'000U);
  EXPECT_EQ((*file)->bytes()[9'999], std::byte{'x'});
  EXPECT_EQ((*file)->path(), path);
  EXPECT_TRUE((*file)->check_unchanged().ok());
  EXPECT_FALSE((*file)->damaged());
}

TEST_F(MappedFileTest, WithoutAddressSpaceTheHintNamesTheLimit) {
  const std::string path = put("sparse", 0);
  fs::resize_file(path, uint64_t{64} << 30);
  const pid_t child = fork();
  if (child == 0) {
    // What is mapped already stays; 1 GiB more would be enough for all but the file.
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t bytes = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) + (uint64_t{1} << 30);
    const rlimit limit{bytes, bytes};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(1);
    const auto file = MappedFile::open(path);
    if (file.ok()) _exit(2);
    _exit(file.status().parts().hint.find("ulimit -v") == std::string::npos ? 3 : file.status().exit_code());
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 4);
}

TEST_F(MappedFileTest, AnEmptyFileIsAnEmptySpan) {
  auto file = MappedFile::open(put("empty", 0));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->bytes().empty());
  EXPECT_TRUE((*file)->check_unchanged().ok());
  EXPECT_FALSE((*file)->damaged());
}

TEST_F(MappedFileTest, RefusesFoldersFifosAndLoops) {
  const std::string fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  fs::create_symlink("loop", folder_ / "loop");
  for (const std::string& path : {folder_.string(), fifo, (folder_ / "loop").string(),
                                  std::string("/dev/null"), (folder_ / "missing").string()}) {
    auto file = MappedFile::open(path);
    ASSERT_FALSE(file.ok()) << path;
    EXPECT_EQ(file.status().code(), StatusCode::kEnvironment);
    EXPECT_EQ(file.status().parts().where, path);
  }
}

TEST_F(MappedFileTest, AFileCutShortReadsAsZerosAndSaysSo) {
  const std::string path = put("a", size_t{1} << 20);
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  auto other = MappedFile::open(put("b", 10'000));
  ASSERT_TRUE(other.ok());
  fs::resize_file(path, 8192);
  EXPECT_EQ(sum((*file)->bytes()), uint64_t{'x'} * 8192 / 64);
  EXPECT_TRUE((*file)->damaged());
  const Status status = (*file)->check_unchanged();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("shrank from 1048576 to 8192 bytes"), std::string::npos)
      << status.message();
  EXPECT_FALSE((*other)->damaged());
  // A mapping that takes over the slot begins undamaged.
  file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE((*file)->damaged());
}

TEST_F(MappedFileTest, ManyThreadsMayMeetMissingPages) {
  const std::string path = put("a", size_t{4} << 20);
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  fs::resize_file(path, 0);
  std::vector<std::thread> threads;
  std::vector<uint64_t> sums(8, 1);
  for (size_t i = 0; i < sums.size(); ++i) {
    threads.emplace_back([&, i] { sums[i] = sum((*file)->bytes().subspan(i * 500'000)); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sums, std::vector<uint64_t>(8, 0));
  EXPECT_TRUE((*file)->damaged());
}

TEST_F(MappedFileTest, ChangesWithoutMissingPagesAreNoticed) {
  const std::string path = put("a", 5'000);
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  std::ofstream(path, std::ios::app) << "more";
  EXPECT_NE((*file)->check_unchanged().message().find("grew from 5000 to 5004"), std::string::npos);
  fs::resize_file(path, 5'000);
  fs::last_write_time(path, fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_FALSE((*file)->check_unchanged().ok());
}

TEST_F(MappedFileTest, ARenamedReplacementLeavesTheMappingAlone) {
  const std::string path = put("a", 5'000);
  auto file = MappedFile::open(path);
  ASSERT_TRUE(file.ok());
  fs::rename(put("b", 10), path);
  EXPECT_TRUE((*file)->check_unchanged().ok());
}

// A SIGBUS outside our mappings must still end the process as it always did.
TEST_F(MappedFileTest, BusErrorsElsewhereStillEndTheProcess) {
  auto file = MappedFile::open(put("a", 5'000));
  ASSERT_TRUE(file.ok());
  const std::string foreign = put("foreign", 4096);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGALRM, SIG_DFL);
    alarm(20);  // should it hang
    const int descriptor = ::open(foreign.c_str(), O_RDWR);
    const auto* data =
        static_cast<const volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, descriptor, 0));
    if (ftruncate(descriptor, 0) != 0) _exit(2);
    _exit(data[0] == 0 ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  // The address sanitizer's own handler, which ours passes the signal on to, reports and exits with 1.
  const bool by_sanitizer = WIFEXITED(status) && WEXITSTATUS(status) == 1;
  EXPECT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS) || by_sanitizer) << status;
}

}  // namespace
}  // namespace brisk
