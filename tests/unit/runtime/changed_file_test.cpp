// A model file that changes under a running process ends in an error, never in a crash or in other tokens.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "runtime/generate.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

class ChangedFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/brisk_changed_" + std::to_string(getpid()) + ".gguf";
    tiny_.builder().write(path_);
    auto model = Model::load(path_, {}, *pool_);
    ASSERT_TRUE(model.ok()) << model.status().message();
    model_ = *model;
    engine_ = std::move(Engine::create(model_, *pool_, 64)).value();
    sequence_ = *engine_->kv().create_sequence();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  Status step() { return engine_->step(std::vector<Row>{{200, sequence_, true}}).status(); }

  test::TinyLlama tiny_;
  std::string path_;
  std::unique_ptr<ThreadPool> pool_ = test::make_pool(2);
  std::shared_ptr<Model> model_;
  std::unique_ptr<Engine> engine_;
  SequenceId sequence_ = 0;
};

TEST_F(ChangedFile, CutShortWhileRunning) {
  ASSERT_TRUE(step().ok());
  std::filesystem::resize_file(path_, 4096);
  const Status status = step();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("brisk_changed_"), std::string::npos) << status.message();
  EXPECT_FALSE(step().ok()) << "the model stays failed";
}

TEST_F(ChangedFile, RewrittenInPlaceEndsGeneration) {
  auto session = std::move(Session::create(model_, *pool_)).value();
  const std::vector<int32_t> prompt = {1, 2, 3};
  GenerateOptions options;
  options.max_tokens = 2;
  ASSERT_TRUE(session->generate(prompt, options).ok());
  std::fstream(path_, std::ios::binary | std::ios::in | std::ios::out).seekp(-100, std::ios::end) << "other";
  std::filesystem::last_write_time(path_,
                                   std::filesystem::file_time_type::clock::now() + std::chrono::seconds(2));
  EXPECT_EQ(session->generate(prompt, options).status().code(), StatusCode::kEnvironment);
}

TEST_F(ChangedFile, RewrittenInPlaceIsNoticed) {
  ASSERT_TRUE(model_->check_file().ok());
  std::ofstream(path_, std::ios::binary | std::ios::app) << "more";
  EXPECT_FALSE(model_->check_file().ok());
}

}  // namespace
}  // namespace brisk::runtime
