// Pre-tokenizers: how a text is cut into the words inside which the word model works. GGUF vocabularies name
// theirs ("smollm", "llama-bpe", ...), tokenizer.json spells it out as steps; known regular expressions of
// either become hand-written rules (text/split_rules.hpp), others run in PCRE2 under a match limit.
//
// Every step cuts the pieces that the one before it left, and may drop pieces or rewrite the text (a space
// put in front, U+2581 in the place of spaces).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "text/split_rules.hpp"

namespace brisk::text {

/// The words of a text: stretches of `text`, in order, perhaps with gaps.
struct Words {
  struct Span {
    size_t begin, end;
  };
  std::string_view text;  ///< what the spans count in: the text that was given, or `rewritten`
  std::vector<Span> spans;
  std::string rewritten;
  // Room to work in, kept from text to text.
  std::vector<Span> spare_spans;
  std::string spare_text;
};

/// One step: replaces the words by what becomes of them.
class PreTokenizerStep {
 public:
  virtual ~PreTokenizerStep() = default;
  /// `first`: whether the text stands at the beginning of the input. A pattern that exceeds its match limit
  /// is a bad-input error; nothing else can fail.
  virtual Status apply(bool first, Words& words) const = 0;
};

class PreTokenizer {
 public:
  PreTokenizer() = default;  ///< the whole text is one word
  explicit PreTokenizer(std::vector<std::shared_ptr<const PreTokenizerStep>> steps)
      : steps_(std::move(steps)) {}
  /// The pre-tokenizer of that name in GGUF files; "" and "default" are GPT-2's. An unknown name is a
  /// bad-input error that lists the known ones; `where` names the file.
  static Result<PreTokenizer> named(std::string_view name, const std::string& where);
  /// All names, sorted.
  static std::vector<std::string_view> names();
  /// Whether vocabularies of that name take a word that is a token whole, whatever the merges say.
  static bool takes_whole_words(std::string_view name);
  /// From the value of "pre_tokenizer" in tokenizer.json; null is no step.
  static Result<PreTokenizer> from_json(const Json& value, const std::string& where);

  /// Replaces `words` by the words of `text` (well-formed UTF-8).
  Status split(std::string_view text, bool first, Words& words) const;

 private:
  std::vector<std::shared_ptr<const PreTokenizerStep>> steps_;
};

/// A list of rules as one step, each cutting what the one before it left.
std::shared_ptr<const PreTokenizerStep> rules_step(std::span<const SplitRule> rules);
/// BERT's: white space dropped, each punctuation character a word.
std::shared_ptr<const PreTokenizerStep> bert_words_step();

}  // namespace brisk::text
