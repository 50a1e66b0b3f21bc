// A header of 300,000 tensors: how long it takes and how much memory.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include "formats/safetensors/safetensors.hpp"

namespace brisk::formats {
namespace {

#if defined(BRISK_SANITIZED)
constexpr int kTensors = 30'000;
#else
constexpr int kTensors = 300'000;
#endif

// Writes the file and gives the bytes of its header. `order` turns a number into the tensor's place in the
// data.
template <typename Order>
uint64_t write_large(const std::string& path, Order order) {
  std::string header = "{";
  for (int i = 0; i < kTensors; ++i) {
    const int place = order(i);
    header += (i == 0 ? "\"" : ",\"");
    header += "t" + std::to_string(place) + R"(":{"dtype":"F32","shape":[1],"data_offsets":[)" +
              std::to_string(4 * place) + "," + std::to_string(4 * (place + 1)) + "]}";
  }
  header += "}";
  const uint64_t length = header.size();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), sizeof(length));
  file << header << std::string(size_t{4} * kTensors, 'x');
  return length;
}

// Bytes of a line of /proc/self/status, such as "VmHWM:".
uint64_t status_bytes(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * 1024;
  }
  return 0;
}

// Of this process: others may run beside it.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// In a process of its own, whose peak is that of opening the file: 0 when all is well.
int open_measured(const std::string& path, uint64_t header_bytes) {
  const uint64_t before = status_bytes("VmRSS:");
  const double start = cpu_seconds();
  const auto file = SafetensorsFile::open(path);
  const double seconds = cpu_seconds() - start;
  const uint64_t used = status_bytes("VmHWM:") - before;
  if (!file.ok() || (*file)->tensors().size() != kTensors ||
      (*file)->find("t" + std::to_string(kTensors - 1)) == nullptr)
    return 1;
  std::printf("header %.1f MB: %.2f s, %.1f MB = %.2f x header\n", static_cast<double>(header_bytes) / 1e6,
              seconds, static_cast<double>(used) / 1e6,
              static_cast<double>(used) / static_cast<double>(header_bytes));
  std::fflush(stdout);
#if !defined(BRISK_SANITIZED)
  if (seconds > 1.0) return 2;
  if (used > 4 * header_bytes + (2U << 20)) return 3;
#endif
  return 0;
}

void check_large(int (*order)(int)) {
  const std::string path = testing::TempDir() + "/brisk_large_" + std::to_string(getpid()) + ".safetensors";
  const uint64_t header_bytes = write_large(path, order);
  malloc_trim(0);  // or the child would find memory that the header took
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) _exit(open_measured(path, header_bytes));
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  std::filesystem::remove(path);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "1: refused, 2: more than 1 s, 3: more than 4 x the header";
}

TEST(SafetensorsLarge, OpensQuicklyInLittleMemory) {
  check_large([](int i) { return i; });
}

TEST(SafetensorsLarge, AlsoWhenTheDataLieInAnotherOrder) {
  check_large([](int i) { return static_cast<int>((int64_t{i} * 7919 + 13) % kTensors); });
}

}  // namespace
}  // namespace brisk::formats
