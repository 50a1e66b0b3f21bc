// Decoding methods on whole models: each row of logits that a method gets from the shared step has the bits
// of a separate run of the model that the row stands for, whatever was forked, cut back and batched beside
// it:
//
//   the model's own   the same model, plain
//   prunecd           a model file without the pruned layers
//   dola              a model file of the layers below the exit
//   contrastive       the second model
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

#include "runtime/contrast.hpp"
#include "runtime/decoder.hpp"
#include "runtime/prunecd_profile.hpp"
#include "support/tiny_llama.hpp"

namespace brisk::runtime {
namespace {

using Layers = std::vector<int64_t>;
using Tokens = std::vector<int32_t>;
using Floats = std::vector<float>;
constexpr int64_t kTokenCount = 256;

// The same file with these layers taken out and the rest numbered anew.
test::GgufBuilder without_layers(test::GgufBuilder file, int64_t layers, const Layers& removed) {
  std::vector<int64_t> number(static_cast<size_t>(layers), -1);
  uint32_t left = 0;
  for (int64_t layer = 0; layer < layers; ++layer) {
    if (std::ranges::find(removed, layer) == removed.end()) number[static_cast<size_t>(layer)] = left++;
  }
  std::erase_if(file.tensors, [&](test::GgufBuilder::Tensor& tensor) {
    if (!tensor.name.starts_with("blk.")) return false;
    const size_t dot = tensor.name.find('.', 4);
    const auto layer = static_cast<size_t>(std::stoi(tensor.name.substr(4, dot - 4)));
    tensor.name = "blk." + std::to_string(number[layer]) + tensor.name.substr(dot);
    return number[layer] < 0;
  });
  const auto key = std::ranges::find(file.keys, "llama.block_count", &test::GgufBuilder::Key::name);
  key->value.clear();
  test::append(key->value, left);
  return file;
}

struct Form {
  const char* name;
  DType type;
  bool exact;
};

class DecodingProperty : public testing::TestWithParam<Form> {
 protected:
  DecodingProperty() {
    const char* given = std::getenv("BRISK_TEST_SEED");
    seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    random_.seed(seed_);
    std::printf("BRISK_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    tiny_.type = GetParam().type;
    tiny_.layers = 6;
    tiny_.width = tiny_.ffn = 64;
    tiny_.head_dim = 16;
    tiny_.seed = seed_;
    model_ = load(tiny_.builder());
  }
  ~DecodingProperty() override { ::unlink(path_.c_str()); }

  std::shared_ptr<Model> load(const test::GgufBuilder& file) {
    LoadOptions options;
    options.isa = cpu_info().best;
    options.exact = GetParam().exact;
    options.step_tokens = 40;  // so that long texts take several steps
    options.step_outputs = 16;
    auto model = test::TinyLlama::load_bytes(file.build(), options, *pool_);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return std::move(model).value();
  }
  std::shared_ptr<Model> without(const Layers& removed) {
    return load(without_layers(tiny_.builder(), tiny_.layers, removed));
  }

  DecodingOptions prunecd(const Layers& pruned) {
    PrunecdProfile profile;
    profile.fingerprint = model_->fingerprint();
    profile.layers = tiny_.layers;
    profile.pruned = pruned;
    EXPECT_TRUE(write_prunecd_profile(profile, path_, true).ok());
    DecodingOptions options;
    options.method = "prunecd";
    options.profile = path_;
    return options;
  }
  Layers some_layers() {
    Layers layers;
    while (layers.empty() || static_cast<int64_t>(layers.size()) == tiny_.layers) {
      layers.clear();
      for (int64_t layer = 0; layer < tiny_.layers; ++layer) {
        if (random_() % 3 == 0) layers.push_back(layer);
      }
    }
    return layers;
  }

  std::unique_ptr<Decoder> decoder(const DecodingOptions& options) {
    auto decoding = create_decoding(*model_, options);
    EXPECT_TRUE(decoding.ok()) << decoding.status().message();
    auto made = Decoder::create(model_, *pool_, 1024, {std::move(decoding).value(), nullptr});
    EXPECT_TRUE(made.ok()) << made.status().message();
    return std::move(made).value();
  }

  // Logits of each token of a text, by a plain run of its own.
  std::vector<Floats> alone(const std::shared_ptr<Model>& model, const Tokens& text, size_t from) {
    auto plain = std::move(Decoder::create(model, *pool_, 1024)).value();
    const int32_t sequence = *plain->create_sequence();
    std::vector<TokenRow> rows;
    for (size_t i = 0; i < text.size(); ++i) rows.push_back({text[i], sequence, i >= from});
    std::vector<Floats> out;
    const Status status = plain->run(rows, [&](const Decoder::Scores& scores) -> Status {
      out.emplace_back(scores.scores.begin(), scores.scores.end());
      return {};
    });
    EXPECT_TRUE(status.ok()) << status.message();
    return out;
  }

  struct Text {
    int32_t sequence;
    Tokens tokens;
  };

  // Appends to several texts in one run, and compares each wanted token with runs alone.
  void append(Decoder& decoder, std::vector<Text>& texts, std::span<const std::shared_ptr<Model>> models) {
    std::vector<TokenRow> rows;
    std::vector<std::pair<size_t, size_t>> places;  // text and position of each row
    for (size_t t = 0; t < texts.size(); ++t) {
      if (random_() % 3 == 0) continue;
      for (uint64_t count = 1 + random_() % 30; count > 0; --count) {
        const auto token = static_cast<int32_t>(random_() % kTokenCount);
        places.emplace_back(t, texts[t].tokens.size());
        texts[t].tokens.push_back(token);
        rows.push_back({token, texts[t].sequence, random_() % 4 == 0});
      }
    }
    if (rows.empty()) return;
    // [text][model]: logits from the first token that is wanted on
    std::vector<std::vector<std::vector<Floats>>> want(texts.size());
    std::vector<size_t> first(texts.size());
    for (size_t i = rows.size(); i-- > 0;) {
      if (rows[i].wanted) first[places[i].first] = places[i].second;
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto [text, position] = places[i];
      if (!rows[i].wanted || position != first[text]) continue;
      for (const auto& model : models) want[text].push_back(alone(model, texts[text].tokens, position));
    }
    size_t handed_out = 0;
    const Status status = decoder.run(rows, [&](const Decoder::Scores& scores) -> Status {
      ++handed_out;
      const auto [text, position] = places[scores.row];
      EXPECT_EQ(scores.logits.size(), models.size());
      for (size_t way = 0; way < models.size(); ++way) {
        const Floats& expected = want[text][way][position - first[text]];
        ++compared_;
        if (std::memcmp(expected.data(), scores.logits[way], expected.size() * sizeof(float)) == 0) continue;
        ADD_FAILURE() << "way " << way << ", text " << text << ", position " << position;
      }
      return {};
    });
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(handed_out, static_cast<size_t>(std::ranges::count_if(rows, &TokenRow::wanted)));
  }

  // Random appends, forks, cuts and ends of sequences under a method whose rows stand for these models.
  void walk(const DecodingOptions& options, std::span<const std::shared_ptr<Model>> models, int operations) {
    auto run = decoder(options);
    std::vector<Text> texts = {{*run->create_sequence(), {}}};
    compared_ = 0;
    for (int i = 0; i < operations && !HasFatalFailure(); ++i) {
      const size_t at = random_() % texts.size();
      switch (random_() % 8) {
        case 0:
          if (texts.size() < 4) texts.push_back({*run->fork(texts[at].sequence), texts[at].tokens});
          break;
        case 1:
          if (texts.size() < 4) texts.push_back({*run->create_sequence(), {}});
          break;
        case 2: {
          const auto length = random_() % (texts[at].tokens.size() + 1);
          run->truncate(texts[at].sequence, static_cast<int64_t>(length));
          texts[at].tokens.resize(length);
          break;
        }
        case 3:
          if (texts.size() > 1 || texts[at].tokens.size() > 120) {
            run->free_sequence(texts[at].sequence);
            texts.erase(texts.begin() + static_cast<ptrdiff_t>(at));
          }
          if (texts.empty()) texts.push_back({*run->create_sequence(), {}});
          break;
        default: append(*run, texts, models);
      }
    }
    EXPECT_GT(compared_, 0);
  }

  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  int64_t compared_ = 0;  // rows of the last walk
  std::unique_ptr<ThreadPool> pool_ = test::make_pool(1);
  test::TinyLlama tiny_;
  std::shared_ptr<Model> model_;
  std::string path_ = testing::TempDir() + "decoding_property_" + std::to_string(getpid()) + ".json";
};

TEST_P(DecodingProperty, PrunecdIsTwoSeparateRuns) {
  for (int trial = 0; trial < 4; ++trial) {
    const Layers pruned = some_layers();
    SCOPED_TRACE("pruned " + testing::PrintToString(pruned));
    const std::shared_ptr<Model> models[] = {model_, without(pruned)};
    walk(prunecd(pruned), models, 20);
  }
}

TEST_P(DecodingProperty, ExitsAreModelsOfTheLayersBelow) {
  DecodingOptions options;
  options.method = "dola";
  options.layers = "1,5,3";
  const std::shared_ptr<Model> models[] = {model_, without({1, 2, 3, 4, 5}), without({5}),
                                           without({3, 4, 5})};
  walk(options, models, 20);
}

TEST_P(DecodingProperty, ASecondModelRunsAsAlone) {
  test::TinyLlama small = tiny_;
  small.layers = 2;
  small.seed = seed_ + 1;
  DecodingOptions options;
  options.method = "contrastive";
  const std::shared_ptr<Model> amateur = load(small.builder());
  options.amateur = amateur;
  const std::shared_ptr<Model> models[] = {model_, amateur};
  walk(options, models, 20);
}

// With a prompt of nothing that is not wanted there is nothing to share.
TEST_P(DecodingProperty, ASharedPromptWithoutAPromptIsExact) {
  const Layers pruned = some_layers();
  SCOPED_TRACE("pruned " + testing::PrintToString(pruned));
  DecodingOptions options = prunecd(pruned);
  options.shared_prompt = true;
  auto run = decoder(options);
  const int32_t sequence = *run->create_sequence();
  const auto amateur = without(pruned);
  Tokens text;
  for (int step = 0; step < 20; ++step) {
    text.push_back(static_cast<int32_t>(random_() % kTokenCount));
    const TokenRow row[] = {{text.back(), sequence, true}};
    const Status status = run->run(row, [&](const Decoder::Scores& scores) -> Status {
      const Floats want = alone(amateur, text, text.size() - 1).back();
      EXPECT_TRUE(std::equal(want.begin(), want.end(), scores.logits[1])) << "step " << step;
      return {};
    });
    ASSERT_TRUE(status.ok()) << status.message();
  }
}

// Greedy tokens of a method, beginning with a given text.
Tokens generate(Decoder& run, Tokens text, int count) {
  const int32_t sequence = *run.create_sequence();
  Tokens out;
  for (int step = 0; step < count; ++step) {
    std::vector<TokenRow> rows;
    for (const int32_t token : text) rows.push_back({token, sequence, false});
    rows.back().wanted = true;
    EXPECT_TRUE(run.run(rows, {}).ok());
    const std::span<const float> scores = run.last_scores();
    text = {static_cast<int32_t>(std::ranges::max_element(scores) - scores.begin())};
    out.push_back(text[0]);
  }
  run.free_sequence(sequence);
  return out;
}

TEST_P(DecodingProperty, SettingsThatMeanPlainAreGreedyDecoding) {
  const Tokens prompt = {72, 105, static_cast<int32_t>(random_() % kTokenCount)};
  const Tokens plain = generate(*decoder({}), prompt, 30);
  EXPECT_EQ(generate(*decoder(prunecd({})), prompt, 30), plain) << "no layer pruned";
  const Layers pruned = some_layers();
  SCOPED_TRACE("pruned " + testing::PrintToString(pruned));
  DecodingOptions options = prunecd(pruned);
  options.alpha = 1;
  EXPECT_EQ(generate(*decoder(options), prompt, 30), plain) << "alpha 1";
  options = prunecd(pruned);
  options.mode = ContrastMode::kExtrapolate;
  options.lambda = 0;
  EXPECT_EQ(generate(*decoder(options), prompt, 30), plain) << "lambda 0";
  options.lambda = 2;
  const Tokens contrasted = generate(*decoder(options), prompt, 30);
  options.approximate_head = true;
  EXPECT_EQ(generate(*decoder(options), prompt, 30), contrasted) << "approximate head";
  options = prunecd(pruned);
  const Tokens ratio = generate(*decoder(options), prompt, 30);
  EXPECT_NE(ratio, plain) << "the contrast does something";
  options.approximate_head = true;
  EXPECT_EQ(generate(*decoder(options), prompt, 30), ratio) << "approximate head";
}

INSTANTIATE_TEST_SUITE_P(Models, DecodingProperty,
                         testing::Values(Form{"f32_exact", DType::kF32, true},
                                         Form{"f16", DType::kF16, false}, Form{"q8_0", DType::kQ8_0, false}),
                         [](const auto& form) { return std::string(form.param.name); });

}  // namespace
}  // namespace brisk::runtime
