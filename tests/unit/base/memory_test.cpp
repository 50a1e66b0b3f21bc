// AlignedBuffer, out of memory as a status, and what memory_offer() reads.
#include "base/memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <string>

namespace brisk {
namespace {

// A folder that is gone after the test.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "brisk_test_XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }

 private:
  std::filesystem::path path_;
};

TEST(AlignedBuffer, IsAlignedZeroedAndReadableBeyondItsEnd) {
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{4097}, (size_t{2} << 20) - 65,
        (size_t{2} << 20) - 64, (size_t{2} << 20) - 63, (size_t{5} << 20) + 3}) {
    auto buffer = AlignedBuffer::allocate(size, "test");
    ASSERT_TRUE(buffer.ok()) << buffer.status().message();
    EXPECT_EQ(buffer->size(), size);
    ASSERT_NE(buffer->data(), nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % kBufferAlignment, 0U);
    const std::byte* begin = buffer->data();
    EXPECT_TRUE(
        std::all_of(begin, begin + size + kOverreadBytes, [](std::byte b) { return b == std::byte{0}; }));
    std::fill(buffer->data(), buffer->data() + size, std::byte{7});
  }
}

TEST(AlignedBuffer, LargeOnesBeginAtAHugePage) {
  auto buffer = AlignedBuffer::allocate(size_t{8} << 20, "test");
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % (size_t{2} << 20), 0U);
}

TEST(AlignedBuffer, MovesLeaveTheSourceEmpty) {
  auto first = AlignedBuffer::allocate(100, "test");
  auto second = AlignedBuffer::allocate(size_t{3} << 20, "test");
  ASSERT_TRUE(first.ok() && second.ok());
  AlignedBuffer a = std::move(*first);
  std::byte* data = second->data();
  a = std::move(*second);
  EXPECT_EQ(a.data(), data);
  EXPECT_EQ(a.size(), size_t{3} << 20);
  EXPECT_EQ(second->data(), nullptr);  // NOLINT: moved from on purpose
  EXPECT_EQ(second->size(), 0U);
}

TEST(AlignedBuffer, TooMuchIsAnErrorThatNamesTheBuffer) {
  for (const size_t size : {std::numeric_limits<size_t>::max(),
                            std::numeric_limits<size_t>::max() - kOverreadBytes, size_t{1} << 62}) {
    auto buffer = AlignedBuffer::allocate(size, "KV cache");
    ASSERT_FALSE(buffer.ok());
    EXPECT_EQ(buffer.status().code(), StatusCode::kEnvironment);
    EXPECT_EQ(buffer.status().parts().where, "KV cache");
    EXPECT_NE(buffer.status().message().find(std::to_string(size)), std::string::npos);
  }
}

TEST(AlignedBuffer, TheGateMakesAllocationsFail) {
  static int left;
  left = 1;
  set_allocation_gate([] { return left-- > 0; });
  const bool first = AlignedBuffer::allocate(10, "a").ok();
  const bool second = AlignedBuffer::allocate(10, "b").ok();
  set_allocation_gate(nullptr);
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  EXPECT_TRUE(AlignedBuffer::allocate(10, "c").ok());
}

TEST(CatchOutOfMemory, TurnsTheExceptionIntoAStatus) {
  const Status status = catch_out_of_memory("graph", []() -> Status { throw std::bad_alloc(); });
  EXPECT_EQ(status.code(), StatusCode::kEnvironment);
  EXPECT_EQ(status.parts().where, "graph");
  EXPECT_TRUE(catch_out_of_memory("graph", [] { return Status(); }).ok());
  const Status passed = catch_out_of_memory("graph", [] { return cancelled(); });
  EXPECT_EQ(passed.code(), StatusCode::kCancelled);
}

TEST(MemoryOffer, OfThisMachineIsPlausible) {
  const MemoryOffer offer = memory_offer();
  EXPECT_GT(offer.available, 0U);
  EXPECT_GE(offer.total, offer.available);
}

TEST(MemoryOffer, IsZeroWhenUnknown) {
  const Folder empty;
  const MemoryOffer offer = memory_offer(empty.path());
  EXPECT_EQ(offer.available, 0U);
  EXPECT_EQ(offer.total, 0U);
}

constexpr const char* kMeminfo =
    "MemTotal:       8000 kB\nMemFree:        1000 kB\nMemAvailable:   6000 kB\n";

TEST(MemoryOffer, IsCappedByV2GroupsAndTheirAncestors) {
  const Folder root;
  root.write("proc/meminfo", kMeminfo);
  EXPECT_EQ(memory_offer(root.path()).available, 6000U * 1024);
  EXPECT_EQ(memory_offer(root.path()).total, 8000U * 1024);

  root.write("proc/self/cgroup", "0::/a/b\n");
  root.write("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n");
  root.write("sys/fs/cgroup/a/b/memory.max", "max\n");
  root.write("sys/fs/cgroup/a/memory.max", "4096000\n");
  root.write("sys/fs/cgroup/a/memory.current", "3000000\n");
  root.write("sys/fs/cgroup/a/memory.stat", "anon 5\ninactive_file 400000\nactive_file 600000\n");
  const MemoryOffer offer = memory_offer(root.path());
  EXPECT_EQ(offer.total, 4096000U);
  EXPECT_EQ(offer.available, 4096000U - 2000000U);
}

TEST(MemoryOffer, IsCappedByV1Groups) {
  const Folder root;
  root.write("proc/meminfo", kMeminfo);
  root.write("proc/self/cgroup", "5:cpu:/x\n4:memory:/a\n");
  root.write("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  root.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000000\n");
  root.write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "1200000\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const MemoryOffer offer = memory_offer(root.path());
  EXPECT_EQ(offer.total, 1000000U);
  EXPECT_EQ(offer.available, 0U);
}

}  // namespace
}  // namespace brisk
