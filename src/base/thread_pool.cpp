// The thread pool. One word, the generation, starts a call: the caller writes the job, then raises the
// generation; each lane runs the job and writes that generation into its own `done` word. Every word that
// is waited on has a cache line to itself, so a waiter disturbs nobody.
//
// Waiting spins first, then sleeps on a futex. Who is about to sleep says so in a flag *before* the futex
// call and who changes the word looks at the flag *after* the change, both sequentially consistent: either
// the sleeper sees the new word (the futex call compares it once more), or the changer sees the flag.
#include "base/thread_pool.hpp"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>
#include <thread>

namespace brisk {
namespace {

constexpr size_t kLine = 64;
// Longer than the gaps between the calls of a forward pass, shorter than a scheduler's time slice.
constexpr std::chrono::microseconds kSpinTime{80};
constexpr int kPausesPerClockRead = 16;

using Word = std::atomic<uint32_t>;
static_assert(sizeof(Word) == sizeof(uint32_t) && Word::is_always_lock_free,
              "a futex is a plain 32-bit word");

void futex_wait(Word& word, uint32_t seen) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}
void futex_wake_all(Word& word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits until `word` differs from `seen` and returns its new value; `sleepers` counts who sleeps on it.
uint32_t await_change(Word& word, uint32_t seen, Word& sleepers, std::chrono::microseconds spin) {
  const auto give_up = std::chrono::steady_clock::now() + spin;
  do {
    for (int i = 0; i < kPausesPerClockRead; ++i) {
      const uint32_t now = word.load(std::memory_order_acquire);
      if (now != seen) return now;
      pause_cpu();
    }
  } while (std::chrono::steady_clock::now() < give_up);

  sleepers.fetch_add(1);
  uint32_t now = word.load();
  for (; now == seen; now = word.load()) futex_wait(word, seen);
  sleepers.fetch_sub(1);
  return now;
}

void publish(Word& word, uint32_t value, Word& sleepers) {
  word.store(value);
  if (sleepers.load() != 0) futex_wake_all(word);
}

// Lanes answer no signals: they go to the program's own threads. Those that report a fault of the thread
// itself stay open; blocked, they would kill the process before any handler (base/mapped_file) could help.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&all, fault);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

thread_local bool in_lane = false;

}  // namespace

struct ThreadPool::State {
  struct alignas(kLine) Lane {
    Word done{0};      // the last generation that this lane finished
    Word sleepers{0};  // 1 while the caller sleeps on `done`
    State* pool = nullptr;
    int index = 0;
    pthread_t thread{};
  };

  alignas(kLine) Word generation{0};
  Word sleepers{0};                  // lanes that sleep on `generation`
  alignas(kLine) Job job = nullptr;  // null: the threads end
  void* ctx = nullptr;
  int lanes = 1;
  std::chrono::microseconds spin = kSpinTime;
  std::unique_ptr<Lane[]> lane;  // [lanes]; 0 is the caller's and has no thread
  std::mutex callers;

  void work(Lane& self);
  void start(Job new_job, void* new_ctx);
  void stop();
};

void ThreadPool::State::work(Lane& self) {
  in_lane = true;
  for (uint32_t seen = 0;;) {
    seen = await_change(generation, seen, sleepers, spin);
    if (job == nullptr) return;
    job(ctx, self.index);
    publish(self.done, seen, self.sleepers);
  }
}

void ThreadPool::State::start(Job new_job, void* new_ctx) {
  job = new_job;
  ctx = new_ctx;
  publish(generation, generation.load(std::memory_order_relaxed) + 1, sleepers);
}

void ThreadPool::State::stop() {
  start(nullptr, nullptr);
  for (int i = 1; i < lanes; ++i) pthread_join(lane[i].thread, nullptr);
}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int lanes) {
  BRISK_ASSERT(lanes >= 1 && lanes <= kMaxLanes, "callers check the number of lanes");
  std::unique_ptr<ThreadPool> pool(new (std::nothrow) ThreadPool);
  if (pool) pool->state_.reset(new (std::nothrow) State);
  State* state = pool ? pool->state_.get() : nullptr;
  if (state != nullptr) state->lane.reset(new (std::nothrow) State::Lane[static_cast<size_t>(lanes)]);
  if (state == nullptr || !state->lane) {
    return environment_error({"thread pool", "memory for " + std::to_string(lanes) + " lanes", "none", ""});
  }

  // More lanes than CPUs: who spins keeps another lane from its work.
  if (static_cast<unsigned>(lanes) > std::thread::hardware_concurrency())
    state->spin = std::chrono::microseconds(0);
  const SignalsBlocked blocked;
  for (int i = 1; i < lanes; ++i) {
    State::Lane& lane = state->lane[i];
    lane.pool = state;
    lane.index = i;
    const auto body = [](void* self) -> void* {
      static_cast<State::Lane*>(self)->pool->work(*static_cast<State::Lane*>(self));
      return nullptr;
    };
    const int error = pthread_create(&lane.thread, nullptr, body, &lane);
    if (error != 0) {
      // The destructor ends those that run.
      return environment_error({"thread pool", "to start " + std::to_string(lanes) + " threads",
                                std::strerror(error), "use fewer threads (-t)"});
    }
    state->lanes = i + 1;
    char name[16];
    std::snprintf(name, sizeof name, "brisk-lane-%d", i);
    pthread_setname_np(lane.thread, name);
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  if (state_ && state_->lane) state_->stop();
}

int ThreadPool::lanes() const { return state_->lanes; }

void ThreadPool::run(Job job, void* ctx) {
  State& state = *state_;
  if (in_lane) {
    for (int i = 0; i < state.lanes; ++i) job(ctx, i);
    return;
  }
  const std::lock_guard<std::mutex> turn(state.callers);
  in_lane = true;
  if (state.lanes > 1) state.start(job, ctx);
  job(ctx, 0);
  const uint32_t generation = state.generation.load(std::memory_order_relaxed);
  for (int i = 1; i < state.lanes; ++i) {
    State::Lane& lane = state.lane[i];
    // One call at a time, so a lane that has not finished this generation still shows the one before.
    if (lane.done.load(std::memory_order_acquire) != generation) {
      await_change(lane.done, generation - 1, lane.sleepers, state.spin);
    }
  }
  in_lane = false;
}

}  // namespace brisk
