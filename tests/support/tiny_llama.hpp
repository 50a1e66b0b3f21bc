// A tiny Llama with random weights for tests: two layers, width 256 (so that K-quants fit), four query and
// two key-value heads of 64, the byte vocabulary, a chat template.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/model.hpp"
#include "support/byte_vocabulary.hpp"
#include "support/gguf_builder.hpp"

namespace brisk::test {

struct TinyLlama {
  DType type = DType::kF32;  ///< of the matrices
  int64_t layers = 2, width = 256, ffn = 512, heads = 4, kv_heads = 2, head_dim = 64;
  uint32_t context = 1024;
  uint64_t seed = 1;

  GgufBuilder builder() const {
    ByteVocabulary words;
    add_common_merges(words);
    const int32_t end = words.add("<|end|>", text::TokenType::kControl);
    const text::Vocabulary& vocabulary = words.get();

    GgufBuilder b;
    b.add("general.architecture", "llama");
    b.add("general.name", "tiny");
    b.add("llama.block_count", static_cast<uint32_t>(layers));
    b.add("llama.context_length", context);
    b.add("llama.embedding_length", static_cast<uint32_t>(width));
    b.add("llama.feed_forward_length", static_cast<uint32_t>(ffn));
    b.add("llama.attention.head_count", static_cast<uint32_t>(heads));
    b.add("llama.attention.head_count_kv", static_cast<uint32_t>(kv_heads));
    b.add("llama.attention.layer_norm_rms_epsilon", 1e-5F);
    b.add("llama.rope.dimension_count", static_cast<uint32_t>(head_dim));
    b.add("tokenizer.ggml.model", "gpt2");
    b.add("tokenizer.ggml.pre", "gpt-2");
    b.add("tokenizer.ggml.tokens",
          std::vector<std::string>(vocabulary.tokens.begin(), vocabulary.tokens.end()));
    b.add("tokenizer.ggml.merges",
          std::vector<std::string>(vocabulary.merges.begin(), vocabulary.merges.end()));
    std::vector<int32_t> types;
    for (const text::TokenType t : vocabulary.types) types.push_back(static_cast<int32_t>(t));
    b.add("tokenizer.ggml.token_type", types);
    b.add("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(end));
    b.add("tokenizer.chat_template", "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
    add_tensors(b, static_cast<int64_t>(vocabulary.tokens.size()));
    return b;
  }

  /// The model, loaded from memory that the returned pointer keeps alive.
  Result<std::shared_ptr<runtime::Model>> load(const runtime::LoadOptions& options, ThreadPool& pool) const {
    return load_bytes(builder().build(), options, pool);
  }

  static Result<std::shared_ptr<runtime::Model>> load_bytes(Bytes bytes, const runtime::LoadOptions& options,
                                                            ThreadPool& pool) {
    struct Kept {
      Bytes bytes;
      std::shared_ptr<runtime::Model> model;
    };
    auto kept = std::make_shared<Kept>();
    kept->bytes = std::move(bytes);
    BRISK_ASSIGN(auto file, formats::GgufFile::parse(kept->bytes, "tiny.gguf"));
    BRISK_ASSIGN(kept->model, runtime::Model::load(std::move(file), options, pool));
    return std::shared_ptr<runtime::Model>(kept, kept->model.get());
  }

 private:
  void add_tensors(GgufBuilder& b, int64_t vocabulary) const {
    std::mt19937_64 random(seed);
    auto matrix = [&](const std::string& name, int64_t n, int64_t k) {
      std::normal_distribution<float> normal(0.0F, 1.0F / std::sqrt(static_cast<float>(k)));
      std::vector<float> values(static_cast<size_t>(n * k));
      for (float& value : values) value = normal(random);
      b.add_tensor(name, {n, k}, type, values);
    };
    auto norm = [&](const std::string& name) {
      std::uniform_real_distribution<float> uniform(0.5F, 1.5F);
      std::vector<float> values(static_cast<size_t>(width));
      for (float& value : values) value = uniform(random);
      b.add_tensor(name, {width}, DType::kF32, values);
    };
    matrix("token_embd.weight", vocabulary, width);
    for (int64_t layer = 0; layer < layers; ++layer) {
      const std::string prefix = "blk." + std::to_string(layer) + ".";
      norm(prefix + "attn_norm.weight");
      matrix(prefix + "attn_q.weight", heads * head_dim, width);
      matrix(prefix + "attn_k.weight", kv_heads * head_dim, width);
      matrix(prefix + "attn_v.weight", kv_heads * head_dim, width);
      matrix(prefix + "attn_output.weight", width, heads * head_dim);
      norm(prefix + "ffn_norm.weight");
      matrix(prefix + "ffn_gate.weight", ffn, width);
      matrix(prefix + "ffn_up.weight", ffn, width);
      matrix(prefix + "ffn_down.weight", width, ffn);
    }
    norm("output_norm.weight");
  }
};

/// A pool that the test cannot do without.
inline std::unique_ptr<ThreadPool> make_pool(int lanes) {
  auto pool = ThreadPool::create(lanes);
  BRISK_ASSERT(pool.ok(), "a pool of a few lanes starts");
  return std::move(pool).value();
}

}  // namespace brisk::test
