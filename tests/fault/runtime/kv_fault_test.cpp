// Every allocation of using the store of keys and values fails in turn, once and for good, and the disk that
// a sequence is saved to fills up at every place: a status, and the store and the folder are as before.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <functional>

#include "runtime/kv_snapshot.hpp"
#include "support/allocation_counter.hpp"
#include "support/kv_sequences.hpp"

namespace brisk::runtime {
namespace {

std::vector<KvGroup> make_groups() {
  std::vector<KvGroup> groups(2);
  groups[0].name = "full";
  groups[0].layers = {0, 1};
  groups[0].geometry = {2, 4, 4, DType::kF32};
  groups[1].name = "state";
  groups[1].kind = KvKind::kRecurrent;
  groups[1].layers = {2};
  groups[1].state_bytes = 8;
  groups[1].states = 3;
  return groups;
}

/// Runs `work` with each of its allocations failing in turn; `look` sees what it left behind.
void fail_each(const std::function<Status()>& work, const std::function<void()>& look) {
  for (const bool for_good : {false, true}) {
    int64_t number = 1;
    for (bool reached = true; reached; ++number) {
      ASSERT_LT(number, 10'000);
      test::reset_allocations(number, for_good);
      set_allocation_gate(&test::allocation_allowed);
      const Status status = work();
      reached = test::allocation_count >= number;
      set_allocation_gate(nullptr);
      test::reset_allocations();
      EXPECT_EQ(status.code(), reached ? StatusCode::kEnvironment : StatusCode::kOk)
          << "allocation " << number << ": " << (status.ok() ? "" : status.message());
      if (reached) look();
    }
    std::printf("%lld allocations failed in turn, %s\n", static_cast<long long>(number - 2),
                for_good ? "for good" : "once");
    EXPECT_GT(number, 2);
  }
}

class KvFault : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_);
    store_ = std::move(KvStore::create(3, make_groups(), 256, 128)).value();
    id_ = *store_->create_sequence();
    test::store_tokens(*store_, id_, 40, 1);
    tokens_.resize(40);
    before_ = store_->bytes_in_use();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void expect_as_before() {
    EXPECT_EQ(store_->bytes_in_use(), before_);
    EXPECT_EQ(store_->length(id_), 40);
    EXPECT_FALSE(store_->valid(id_ + 1));
  }

  const std::string folder_ = test::quick_folder() + "/brisk_kv_fault_" + std::to_string(getpid());
  const std::string path_ = folder_ + "/a.kv";
  std::unique_ptr<KvStore> store_;
  SequenceId id_ = -1;
  std::vector<int32_t> tokens_;
  uint64_t before_ = 0;
};

TEST_F(KvFault, CreatingAStore) {
  fail_each(
      [] {
        std::vector<KvGroup> groups;
        const Status made = catch_out_of_memory("groups", [&]() -> Status {
          groups = make_groups();
          return {};
        });
        return made.ok() ? detail::to_status(KvStore::create(3, std::move(groups), 64, 64)) : made;
      },
      [] {});
}

TEST_F(KvFault, CreatingASequence) {
  fail_each(
      [&]() -> Status {
        BRISK_ASSIGN(const SequenceId id, store_->create_sequence());
        store_->free_sequence(id);
        return {};
      },
      [&] { expect_as_before(); });
}

TEST_F(KvFault, ForkingAndRunningOn) {
  fail_each(
      [&]() -> Status {
        BRISK_ASSIGN(const SequenceId id, store_->fork(id_));
        const Status status = store_->reserve(id, 50);
        store_->free_sequence(id);
        return status;
      },
      [&] { expect_as_before(); });
}

TEST_F(KvFault, Evicting) {
  const std::vector<std::vector<int32_t>> keep = {{0, 39}, {7}};
  fail_each(
      [&]() -> Status {
        BRISK_ASSIGN(const SequenceId id, store_->fork(id_));
        const Status status = store_->evict(id, 1, keep);
        EXPECT_EQ(store_->ragged(id, 1), status.ok());
        EXPECT_EQ(store_->entries(id, 1, 0), status.ok() ? 2 : 40);
        store_->free_sequence(id);
        return status;
      },
      [&] { expect_as_before(); });
}

TEST_F(KvFault, MakingASequenceForASnapshot) {
  const GroupId groups[] = {0, 1};
  const std::vector<KvStore::KeptPositions> kept = {{{{0, 5}, {7}}, {}}, {{}}};
  fail_each(
      [&]() -> Status {
        BRISK_ASSIGN(const SequenceId id, store_->create_filled(groups, 40, kept));
        EXPECT_EQ(store_->entries(id, 0, 1), 1);
        store_->free_sequence(id);
        return {};
      },
      [&] { expect_as_before(); });
}

// Saving and loading build JSON, whose library allocates in destructors and ends the process when that fails:
// here the disk fails instead.
TEST_F(KvFault, SavingToADiskThatFillsUp) {
  ASSERT_TRUE(save_snapshot(*store_, id_, "model", tokens_, path_).ok());
  const auto size = std::filesystem::file_size(path_);
  std::filesystem::remove(path_);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  for (rlim_t most = 0; most < size; most += 200) {
    const rlimit limit{most, old_limit.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const Status status = save_snapshot(*store_, id_, "model", tokens_, path_);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    EXPECT_EQ(status.code(), StatusCode::kEnvironment) << most;
    EXPECT_TRUE(std::filesystem::is_empty(folder_)) << most;
  }
  std::signal(SIGXFSZ, old_handler);
  expect_as_before();
}

}  // namespace
}  // namespace brisk::runtime
