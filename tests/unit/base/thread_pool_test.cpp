// The thread pool: every lane once per call, callers that queue, nested calls, sleeping and waking, signals;
// and the number of lanes, from made-up control group trees.
#include "base/thread_pool.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/cgroup.hpp"

namespace brisk {
namespace {

std::unique_ptr<ThreadPool> make_pool(int lanes) {
  auto pool = ThreadPool::create(lanes);
  EXPECT_TRUE(pool.ok());
  return std::move(pool).value();
}

TEST(ThreadPool, EveryLaneRunsOnce) {
  for (int lanes : {1, 2, 3, 8, 33}) {
    const auto pool = make_pool(lanes);
    EXPECT_EQ(pool->lanes(), lanes);
    std::vector<int> runs(static_cast<size_t>(lanes), 0);  // a lane writes its own element only
    for (int call = 1; call <= 50; ++call) {
      pool->parallel([&](int lane) { ++runs[static_cast<size_t>(lane)]; });
      EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(lanes), call));
    }
  }
}

TEST(ThreadPool, LaneZeroIsTheCaller) {
  const auto pool = make_pool(3);
  std::vector<std::thread::id> ids(3);
  pool->parallel([&](int lane) { ids[static_cast<size_t>(lane)] = std::this_thread::get_id(); });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_NE(ids[1], ids[0]);
  EXPECT_NE(ids[2], ids[0]);
  EXPECT_NE(ids[1], ids[2]);
}

TEST(ThreadPool, HundredThousandShortCalls) {
  const auto pool = make_pool(2);
  constexpr int kCalls = 100'000;
  int64_t sums[2] = {0, 0};
  const auto begin = std::chrono::steady_clock::now();
  for (int call = 0; call < kCalls; ++call) pool->parallel([&](int lane) { sums[lane] += call; });
  const auto taken = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(sums[0], int64_t{kCalls} * (kCalls - 1) / 2);
  EXPECT_EQ(sums[1], sums[0]);
  RecordProperty("ns_per_call", static_cast<int>(std::chrono::nanoseconds(taken).count() / kCalls));
}

TEST(ThreadPool, LanesThatSleptWakeUp) {
  const auto pool = make_pool(2);
  int runs = 0;
  for (int call = 0; call < 20; ++call) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // longer than the lane spins
    pool->parallel([&](int lane) {
      if (lane == 1) ++runs;
    });
  }
  EXPECT_EQ(runs, 20);
}

TEST(ThreadPool, CallerThatSleptWakesUp) {
  const auto pool = make_pool(2);
  for (int call = 0; call < 10; ++call) {
    bool finished = false;
    pool->parallel([&](int lane) {
      if (lane == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      finished = true;
    });
    EXPECT_TRUE(finished);
  }
}

TEST(ThreadPool, CallersFromSeveralThreadsQueue) {
  const auto pool = make_pool(3);
  constexpr int kCallers = 4, kCalls = 500;
  std::atomic<int> inside{0}, overlaps{0};
  std::vector<std::atomic<int>> runs(kCallers);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int call = 0; call < kCalls; ++call) {
        pool->parallel([&](int lane) {
          if (lane == 0 && inside.fetch_add(1) != 0) ++overlaps;
          ++runs[static_cast<size_t>(caller)];
          if (lane == 0) inside.fetch_sub(1);
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(overlaps, 0);
  for (const auto& count : runs) EXPECT_EQ(count, 3 * kCalls);
}

TEST(ThreadPool, NestedCallRunsOnItsLane) {
  const auto pool = make_pool(3);
  std::vector<std::vector<int>> inner(3);
  std::atomic<int> strays{0};
  pool->parallel([&](int lane) {
    const auto self = std::this_thread::get_id();
    pool->parallel([&](int sub_lane) {
      if (std::this_thread::get_id() != self) ++strays;
      inner[static_cast<size_t>(lane)].push_back(sub_lane);
    });
  });
  EXPECT_EQ(strays, 0);
  for (const auto& order : inner) EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  // Afterwards calls use all lanes again.
  std::atomic<int> threads_used{0};
  pool->parallel([&](int lane) { threads_used += lane + 1; });
  EXPECT_EQ(threads_used, 6);
}

TEST(ThreadPool, RangesCoverEverythingOnce) {
  const auto pool = make_pool(3);
  for (int64_t count : {0, 1, 15, 16, 17, 47, 48, 49, 1000}) {
    std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
    std::atomic<int> crooked{0};
    pool->parallel_ranges(count, 16, [&](int64_t begin, int64_t end) {
      if (begin % 16 != 0 || (end % 16 != 0 && end != count)) ++crooked;
      for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
    });
    EXPECT_EQ(crooked, 0);
    for (const auto& times : seen) EXPECT_EQ(times, 1);
  }
}

TEST(ThreadPool, LanesBlockSignalsButNotFaults) {
  const auto pool = make_pool(2);
  sigset_t before, after, lane_mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  char name[16] = {};
  pool->parallel([&](int lane) {
    if (lane == 0) return;
    pthread_sigmask(SIG_SETMASK, nullptr, &lane_mask);
    pthread_getname_np(pthread_self(), name, sizeof name);
  });
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(sigismember(&lane_mask, signal), 1);
    EXPECT_EQ(sigismember(&after, signal), sigismember(&before, signal));
  }
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE}) EXPECT_EQ(sigismember(&lane_mask, fault), 0);
  EXPECT_STREQ(name, "brisk-lane-1");
}

TEST(Lanes, DefaultIsPositiveAndExplained) {
  const LaneChoice choice = default_lanes();
  EXPECT_GE(choice.lanes, 1);
  EXPECT_LE(choice.lanes, kMaxLanes);
  EXPECT_NE(choice.reason.find("affinity"), std::string::npos);
}

TEST(Lanes, Rule) {
  EXPECT_EQ(choose_lanes(8, std::nullopt, nullptr).lanes, 8);
  EXPECT_EQ(choose_lanes(8, 1.5, nullptr).lanes, 1);
  EXPECT_EQ(choose_lanes(8, 0.2, nullptr).lanes, 1);
  EXPECT_EQ(choose_lanes(8, 3.99, nullptr).lanes, 3);
  EXPECT_EQ(choose_lanes(2, 64.0, nullptr).lanes, 2);
  EXPECT_EQ(choose_lanes(8, 1e300, nullptr).lanes, 8);
  EXPECT_EQ(choose_lanes(5000, std::nullopt, nullptr).lanes, kMaxLanes);
  EXPECT_EQ(choose_lanes(8, 6.0, "4").lanes, 4);
  EXPECT_EQ(choose_lanes(8, std::nullopt, "4,2").lanes, 4);
  EXPECT_EQ(choose_lanes(2, std::nullopt, "16").lanes, 2);
  EXPECT_EQ(choose_lanes(2, std::nullopt, "").reason, "2 CPUs in the affinity mask");
  EXPECT_EQ(choose_lanes(2, 1.5, nullptr).reason, "2 CPUs in the affinity mask; cgroup quota 1.5 CPUs");
  for (const char* bad : {"0", "-3", "many", "4x", "99999999999999999999"}) {
    EXPECT_EQ(choose_lanes(3, std::nullopt, bad).lanes, 3) << bad;
    EXPECT_NE(choose_lanes(3, std::nullopt, bad).reason.find("not understood"), std::string::npos) << bad;
  }
}

/// A made-up file system with /proc/self and control groups.
class Cgroups : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "brisk-cgroup-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_ + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  void proc(const std::string& groups, const std::string& mounts) {
    write("/proc/self/cgroup", groups);
    write("/proc/self/mountinfo", mounts);
  }
  std::string root_;
};

constexpr char kMountV2[] =
    "35 25 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kMountsV1[] =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 - cgroup cgroup rw,cpu,cpuacct\n";

TEST_F(Cgroups, NothingThere) {
  EXPECT_FALSE(cgroup_cpu_quota(root_));
  proc("", "");
  EXPECT_FALSE(cgroup_cpu_quota(root_));
  proc("garbage\n0:\n::::\n0::/a\n", "- - -\n1 2 3 / /x rw - cgroup2\n\n");
  EXPECT_FALSE(cgroup_cpu_quota(root_));
}

TEST_F(Cgroups, V2OwnGroup) {
  proc("0::/user.slice/brisk\n", kMountV2);
  EXPECT_FALSE(cgroup_cpu_quota(root_));
  write("/sys/fs/cgroup/user.slice/brisk/cpu.max", "max 100000\n");
  EXPECT_FALSE(cgroup_cpu_quota(root_));
  write("/sys/fs/cgroup/user.slice/brisk/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), 1.5);
}

TEST_F(Cgroups, V2AncestorBinds) {
  proc("0::/a/b/c\n", kMountV2);
  write("/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
  write("/sys/fs/cgroup/a/cpu.max", "25000 10000\n");
  write("/sys/fs/cgroup/elsewhere/cpu.max", "10000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), 2.5);
  const auto folders = cgroup_folders(root_, "cpu");
  ASSERT_EQ(folders.size(), 4u);
  EXPECT_EQ(folders[0].path, root_ + "/sys/fs/cgroup/a/b/c");
  EXPECT_EQ(folders[3].path, root_ + "/sys/fs/cgroup");
}

TEST_F(Cgroups, V2SeenFromInsideAContainer) {
  // The mount shows the container's own group, whether or not /proc/self/cgroup does.
  write("/sys/fs/cgroup/cpu.max", "300000 100000\n");
  const std::string mount = "35 25 0:31 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  proc("0::/docker/x\n", mount);
  EXPECT_EQ(cgroup_cpu_quota(root_), 3.0);
  proc("0::/../../docker/x\n", mount);
  EXPECT_EQ(cgroup_cpu_quota(root_), 3.0);
  proc("0::/docker/xyz\n", mount);
  EXPECT_EQ(cgroup_cpu_quota(root_), 3.0);
}

TEST_F(Cgroups, V1OwnAndAncestor) {
  proc("4:memory:/m\n2:cpu,cpuacct:/jobs/7\n", kMountsV1);
  const std::string cpu = "/sys/fs/cgroup/cpu,cpuacct";
  write(cpu + "/jobs/7/cpu.cfs_quota_us", "-1\n");
  write(cpu + "/jobs/7/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(cgroup_cpu_quota(root_));
  write(cpu + "/jobs/cpu.cfs_quota_us", "50000\n");
  write(cpu + "/jobs/cpu.cfs_period_us", "20000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), 2.5);
  EXPECT_EQ(cgroup_folders(root_, "memory").at(0).path, root_ + "/sys/fs/cgroup/memory/m");
}

TEST_F(Cgroups, HybridTakesTheSmallest) {
  proc("1:cpu,cpuacct:/a\n0::/b\n",
       std::string(kMountsV1) + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "400000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  write("/sys/fs/cgroup/unified/b/cpu.max", "200000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root_), 2.0);
}

TEST_F(Cgroups, BadValuesSetNoQuota) {
  proc("0::/\n", "35 25 0:31 / /odd\\040place rw - cgroup2 cgroup2 rw\n");
  for (const char* bad :
       {"", "x y", "100000", "100000 0", "-5 100000", "0 100000", "1 2 3", "99999999999999999999 100000"}) {
    write("/odd place/cpu.max", bad);
    EXPECT_FALSE(cgroup_cpu_quota(root_)) << bad;
  }
  write("/odd place/cpu.max", "100000 100000");
  EXPECT_EQ(cgroup_cpu_quota(root_), 1.0);
}

}  // namespace
}  // namespace brisk
