// A sequence that was saved goes on in another engine as if nothing had happened: the same logits to the bit.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/engine.hpp"
#include "runtime/kv_snapshot.hpp"
#include "support/kv_sequences.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

std::vector<float> logits_after(Engine& engine, SequenceId sequence, const std::vector<int32_t>& tokens) {
  std::vector<Row> rows;
  for (const int32_t token : tokens) rows.push_back({.token = token, .sequence = sequence});
  rows.back().logits = true;
  const auto logits = engine.step(rows);
  EXPECT_TRUE(logits.ok()) << logits.status().message();
  return {logits->begin(), logits->end()};
}

TEST(Resume, AnotherEngineContinuesASavedSequence) {
  const std::string folder = test::quick_folder(), id = std::to_string(getpid());
  const std::string model_path = folder + "/brisk_resume_" + id + ".gguf",
                    path = folder + "/brisk_resume_" + id;
  test::TinyLlama tiny;
  tiny.builder().write(model_path);
  auto pool = test::make_pool(2);
  LoadOptions options;
  options.isa = cpu_info().best;
  const auto open = [&] {
    auto model = Model::load(model_path, options, *pool);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return std::move(Engine::create(*model, *pool, 256)).value();
  };
  const std::unique_ptr<Engine> first = open(), second = open();
  const std::string& fingerprint = first->model().fingerprint();
  EXPECT_EQ(fingerprint.size(), 32U);
  EXPECT_EQ(second->model().fingerprint(), fingerprint);

  std::vector<int32_t> prompt;
  for (int32_t i = 0; i < 45; ++i) prompt.push_back(1 + i % 20);
  const SequenceId sequence = *first->kv().create_sequence();
  logits_after(*first, sequence, prompt);
  const std::vector<std::vector<int32_t>> keep(static_cast<size_t>(first->kv().group(0).geometry.kv_heads),
                                               {0, 1, 2, 30, 40, 41, 42, 43, 44});
  ASSERT_TRUE(first->kv().evict(sequence, 1, keep).ok());
  ASSERT_TRUE(save_snapshot(first->kv(), sequence, fingerprint, prompt, path).ok());

  const auto restored = load_snapshot(second->kv(), fingerprint, path);
  ASSERT_TRUE(restored.ok()) << restored.status().message();
  EXPECT_EQ(restored->tokens, prompt);
  for (const int32_t token : {3, 7, 5, 2})
    EXPECT_EQ(logits_after(*second, restored->id, {token}), logits_after(*first, sequence, {token}));
  std::filesystem::remove(model_path);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace brisk::runtime
