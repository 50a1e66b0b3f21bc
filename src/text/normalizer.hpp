// Normalizers: how a text is rewritten before it is cut into words (Unicode forms, lower case, marks for
// spaces, SentencePiece's precompiled map). A list of steps, as the normalizer of tokenizer.json states it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"

namespace brisk::text {

/// One step: reads a text, appends what becomes of it to `out`. Linear in the text, no recursion.
class NormalizerStep {
 public:
  virtual ~NormalizerStep() = default;
  /// Fails (bad input) where a regular expression exceeds its limits, or the text grows beyond reason.
  virtual Status apply(std::string_view text, std::string& out) const = 0;
};

class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<std::shared_ptr<const NormalizerStep>> steps) : steps_(std::move(steps)) {}
  /// From the value of "normalizer" in tokenizer.json; null is no step. Unknown types are refused by name.
  static Result<Normalizer> from_json(const Json& value, const std::string& where);

  bool empty() const { return steps_.empty(); }
  /// `text` (well-formed UTF-8) through all steps. `scratch` is room to work in; the result is a view of it,
  /// or of `text` when there are no steps. A step that fails leaves its error in `scratch.status`, and the
  /// text comes back as it was given.
  struct Scratch {
    std::string a, b;
    Status status;
  };
  std::string_view apply(std::string_view text, Scratch& scratch) const;

 private:
  std::vector<std::shared_ptr<const NormalizerStep>> steps_;
};

/// The steps that GGUF vocabularies need too; one maker per step, in normalizer_steps.cpp.
std::shared_ptr<const NormalizerStep> replace_step(std::string from, std::string to);
std::shared_ptr<const NormalizerStep> prepend_step(std::string text);
enum class UnicodeForm : uint8_t { kNfc, kNfd, kNfkc, kNfkd };
std::shared_ptr<const NormalizerStep> unicode_step(UnicodeForm form);
/// BERT's: controls out, white space to spaces, spaces round Chinese characters, accents off, lower case.
struct BertRules {
  bool clean_text = true, chinese_characters = true, strip_accents = true, lowercase = true;
};
std::shared_ptr<const NormalizerStep> bert_step(BertRules rules);
/// SentencePiece's precompiled map: u32 size of a double-array trie, the trie, then replacement strings, each
/// ended by a zero byte. Hostile maps are refused here, not when they are used.
/// `by_graphemes`: as Hugging Face's Precompiled, which replaces a grapheme of up to five bytes as a whole by
/// the replacement of its shortest mapped beginning; else as SentencePiece, longest mapped stretch first.
Result<std::shared_ptr<const NormalizerStep>> chars_map_step(std::string_view blob, const std::string& where,
                                                             bool by_graphemes = false);

}  // namespace brisk::text
