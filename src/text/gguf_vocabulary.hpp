// Vocabularies as GGUF files hold them (the keys tokenizer.ggml.*), and what a tokenizer is made of according
// to them. docs/design/tokenizers.md tells what each model means and where its rules come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "text/tokenizer.hpp"
#include "text/tokenizer_spec.hpp"

namespace brisk::text {

/// A vocabulary as the model file gives it; an id of -1 and an option without value are keys that the file
/// does not have. Views point into the file, which must outlive the tokenizer.
struct Vocabulary {
  std::string where;          ///< names the file in errors
  std::string model;          ///< "gpt2", "llama", "bert", "t5" or "gemma4"
  std::string pre_tokenizer;  ///< "smollm", "llama-bpe", "qwen2", "gpt-2", ...
  std::string name;           ///< general.name: some rules hang on it
  std::vector<std::string_view> tokens;
  std::vector<TokenType> types;          ///< empty: all normal
  std::vector<double> scores;            ///< "llama", "t5"
  std::vector<std::string_view> merges;  ///< "left right", best first; "gpt2", "gemma4"
  std::string_view chars_map;            ///< SentencePiece's precompiled map; "t5"
  int32_t bos = -1, eos = -1, unknown = -1, separator = -1, classification = -1;
  std::vector<int32_t> ends = {};  ///< end of turn, end of message
  std::optional<bool> add_bos, add_eos;
  std::optional<bool> add_space_prefix, remove_extra_whitespaces;  ///< "llama", "t5"
  std::optional<bool> lowercase, strip_accents;                    ///< "bert"
};

/// Fills in what the file leaves out, as llama.cpp does. A model that we do not know is refused by name.
Result<TokenizerSpec> specification_of(const Vocabulary& vocabulary);

}  // namespace brisk::text
