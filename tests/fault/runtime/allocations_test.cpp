// Every allocation of a load and a generation fails in turn, once and for good: always a status, never a
// crash or a leak. And a decode step makes none at all.
#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/generate.hpp"
#include "support/counted_allocations.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

class TinyFile {
 public:
  TinyFile() : path_(testing::TempDir() + "/brisk_tiny_" + std::to_string(getpid()) + ".gguf") {
    test::TinyLlama tiny;
    tiny.type = DType::kQ4_1;
    tiny.builder().write(path_);
  }
  ~TinyFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Status load_and_generate(const std::string& path, ThreadPool& pool) {
  Status status;
  const Status guarded = catch_out_of_memory("the test", [&]() -> Status {
    LoadOptions options;
    options.isa = cpu_info().best;
    BRISK_ASSIGN(std::shared_ptr<Model> model, Model::load(path, options, pool));
    BRISK_ASSIGN(std::unique_ptr<Session> session, Session::create(std::move(model), pool));
    GenerateOptions generate;
    generate.max_tokens = 3;
    generate.ignore_eos = true;
    const std::vector<int32_t> prompt = {1, 2, 3};
    return session->generate(prompt, generate).status();
  });
  return guarded;
}

TEST(Faults, EveryAllocationOfLoadAndGenerateFails) {
  const TinyFile file;
  auto pool = test::make_pool(2);
  for (const bool for_good : {false, true}) {
    int64_t point = 1;
    for (;; ++point) {
      test::reset_allocations(point, for_good);
      set_allocation_gate(&test::allocation_allowed);
      const Status status = load_and_generate(file.path(), *pool);
      const bool reached = test::allocation_count >= point;
      set_allocation_gate(nullptr);
      test::reset_allocations();
      if (!reached) {
        EXPECT_TRUE(status.ok()) << status.message();
        break;
      }
      // A failure may be survived only where the standard library has a way without the memory.
      if (!status.ok()) {
        EXPECT_EQ(status.code(), StatusCode::kEnvironment) << "point " << point << ": " << status.message();
      }
    }
    std::printf("%lld allocations failed in turn, %s\n", static_cast<long long>(point - 1),
                for_good ? "for good" : "once");
    EXPECT_GT(point, 100);
  }
}

TEST(Faults, ADecodeStepAllocatesNothing) {
  const TinyFile file;
  auto pool = test::make_pool(2);
  LoadOptions options;
  options.isa = cpu_info().best;
  auto model = Model::load(file.path(), options, *pool);
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto engine = std::move(Engine::create(*model, *pool, 256)).value();
  const SequenceId sequence = *engine->kv().create_sequence();
  Sampler sampler({}, (*model)->config().vocabulary);
  std::vector<int32_t> history = {1};
  history.reserve(256);
  for (int i = 0; i < 100; ++i) {
    const Row row{history.back(), sequence, true};
    test::reset_allocations();
    auto logits = engine->step({&row, 1});
    ASSERT_TRUE(logits.ok());
    auto drawn = sampler.sample(*logits, history, history.size());
    const int64_t allocations = test::allocation_count;
    ASSERT_TRUE(drawn.ok());
    EXPECT_EQ(allocations, 0) << "step " << i;
    history.push_back(drawn->token);
  }
}

}  // namespace
}  // namespace brisk::runtime
