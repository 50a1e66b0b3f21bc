// A whole model without state gives the engine's logits, bit for bit; and its graph survives the text form.
#include "graph/stateless.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "graph/text.hpp"
#include "runtime/engine.hpp"
#include "support/plan_runner.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

constexpr int64_t kLengths[] = {300, 1, 45};  // beyond a block of 256 keys, alone, beyond a page
constexpr int64_t kRows = 346;

int32_t token_at(int64_t sequence, int64_t position) {
  return static_cast<int32_t>((sequence * 101 + position * 37 + position * position) % 250);
}

struct Kind {
  DType weights;
  bool exact;
  DType kv;
};

class StatelessModel : public testing::TestWithParam<Kind> {
 protected:
  LoadOptions load_options() const {
    LoadOptions options;
    options.isa = cpu_info().best;
    options.exact = GetParam().exact;
    options.kv_type = GetParam().kv;
    options.step_outputs = kRows;
    return options;
  }

  /// [kRows, vocabulary] by the engine, in steps of at most `chunk` rows of one sequence each.
  std::vector<float> stateful_logits(const std::shared_ptr<Model>& model, int64_t chunk) {
    auto engine = std::move(Engine::create(model, *pool_, 512)).value();
    std::vector<float> logits;
    for (int64_t s = 0; s < std::ssize(kLengths); ++s) {
      const SequenceId sequence = engine->kv().create_sequence().value();
      for (int64_t begin = 0; begin < kLengths[s]; begin += chunk) {
        std::vector<Row> rows;
        for (int64_t i = begin; i < std::min(begin + chunk, kLengths[s]); ++i) {
          Row row;
          row.token = token_at(s, i);
          row.sequence = sequence;
          row.logits = true;
          rows.push_back(row);
        }
        const auto made = engine->step(rows);
        EXPECT_TRUE(made.ok()) << made.status().message();
        if (!made.ok()) return {};
        logits.insert(logits.end(), made->begin(), made->end());
      }
    }
    return logits;
  }

  std::vector<float> stateless_logits(graph::Graph graph) {
    graph::PlanOptions options;
    options.isa = cpu_info().best;
    options.exact = GetParam().exact;
    options.kv_type = GetParam().kv;
    options.most_outputs = kRows;
    auto plan = graph::Plan::create(std::move(graph), options);
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    EXPECT_TRUE((*plan)->pack_weights(*pool_, {}, nullptr).ok());
    test::PlanRunner runner(**plan, *pool_);
    std::vector<int32_t> tokens, positions, output_rows, segments;
    for (int64_t s = 0; s < std::ssize(kLengths); ++s) {
      for (int64_t i = 0; i < kLengths[s]; ++i) {
        output_rows.push_back(static_cast<int32_t>(tokens.size()));
        tokens.push_back(token_at(s, i));
        positions.push_back(static_cast<int32_t>(i));
        segments.push_back(static_cast<int32_t>(s));
      }
    }
    const graph::Graph& planned = (*plan)->graph();
    runner.set<int32_t>(planned.find_input("tokens"), tokens);
    runner.set<int32_t>(planned.find_input("positions"), positions);
    runner.set<int32_t>(planned.find_input("output_rows"), output_rows);
    runner.set<int32_t>(planned.find_input("segments"), segments);
    runner.run({kRows, kRows});
    return runner.get<float>(planned.outputs()[0]);
  }

  std::unique_ptr<ThreadPool> pool_ = test::make_pool(2);
};

TEST_P(StatelessModel, EqualsTheEngineBitForBit) {
  test::TinyLlama tiny;
  tiny.type = GetParam().weights;
  const test::Bytes bytes = tiny.builder().build();
  const auto model = test::TinyLlama::load_bytes(bytes, load_options(), *pool_);
  ASSERT_TRUE(model.ok()) << model.status().message();

  const auto file = formats::GgufFile::parse(bytes, "tiny.gguf");
  ASSERT_TRUE(file.ok());
  const auto source = models::ModelSource::from_gguf(*file);
  ASSERT_TRUE(source.ok()) << source.status().message();
  const models::Architecture* architecture = models::find_architecture(**source).value();
  const models::LlmConfig config = architecture->read_config(**source).value();
  const auto built = architecture->build(config, **source);
  ASSERT_TRUE(built.ok());
  auto rewritten = graph::stateless(*built);
  ASSERT_TRUE(rewritten.ok()) << rewritten.status().message();

  // Through text and back: the same weights, the same numbers.
  const auto weights = [&](const std::string& name) -> const Weight* {
    const graph::ValueId id = built->find_weight(name);
    return id < 0 ? nullptr : built->value(id).weight;
  };
  const std::string text = graph::dump(*rewritten);
  auto reread = graph::read_graph(text, "tiny", weights);
  ASSERT_TRUE(reread.ok()) << reread.status().message();
  EXPECT_EQ(graph::dump(*reread), text);
  const std::string stateful_text = graph::dump((*model)->plan().graph());
  const auto reread_stateful = graph::read_graph(stateful_text, "tiny");
  ASSERT_TRUE(reread_stateful.ok()) << reread_stateful.status().message();
  EXPECT_EQ(graph::dump(*reread_stateful), stateful_text);

  const std::vector<float> stateless = stateless_logits(std::move(reread).value());
  for (const int64_t chunk : {int64_t{512}, int64_t{70}}) {
    const std::vector<float> stateful = stateful_logits(*model, chunk);
    ASSERT_EQ(stateful.size(), stateless.size());
    for (size_t i = 0; i < stateful.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(stateful[i]), std::bit_cast<uint32_t>(stateless[i])) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, StatelessModel,
                         testing::Values(Kind{DType::kF32, true, DType::kF32},
                                         Kind{DType::kF32, false, DType::kF16},
                                         Kind{DType::kQ4_1, false, DType::kF16},
                                         Kind{DType::kQ8_0, false, DType::kQ8_0},
                                         Kind{DType::kQ4_K, false, DType::kBF16}));

}  // namespace
}  // namespace brisk::runtime
