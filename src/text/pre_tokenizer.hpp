// Pre-tokenizers: how a text is cut into the words inside which BPE merges. A vocabulary names its own
// ("smollm", "llama-bpe", ...); each name stands for a short list of rules (text/split_rules.hpp).
//
// Every rule cuts the pieces that the one before it left: what it matches is a piece, and so is what lies
// between two matches. No normalisation is done: the tokenizers of Qwen and Command-R as their authors ship
// them compose characters (NFC) first, which a GGUF file does not say and which would lose the text's bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "text/split_rules.hpp"

namespace brisk::text {

class PreTokenizer {
 public:
  /// The pre-tokenizer of that name; "" and "default" are GPT-2's. An unknown name is a bad-input error that
  /// lists the known ones; `where` names the file.
  static Result<PreTokenizer> named(std::string_view name, const std::string& where);
  /// All names, sorted.
  static std::vector<std::string_view> names();

  /// Replaces `ends` by the end of every word of `text` (well-formed UTF-8), in order. `scratch` is room
  /// to work in, so that a caller with many texts allocates once.
  void split(std::string_view text, std::vector<size_t>& ends, std::vector<size_t>& scratch) const;

  /// Whether a word that is a token is taken whole, whatever the merges say ("ignore_merges" of
  /// tokenizer.json).
  bool takes_whole_words() const { return whole_words_; }

 private:
  PreTokenizer(std::span<const SplitRule> rules, bool whole_words)
      : rules_(rules), whole_words_(whole_words) {}
  std::span<const SplitRule> rules_;
  bool whole_words_;
};

}  // namespace brisk::text
