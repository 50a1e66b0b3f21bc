// Files of questions and texts: JSON lines, one object each. A TEXT below is a string, or a list of ids.
//
//   questions with answers   {"prompt": TEXT, "correct": [TEXT, ...], "incorrect": [TEXT, ...]}
//   texts to score           {"prompt": TEXT, "continuations": [TEXT, ...]}  or  {"text": TEXT}
//
// Other keys are left alone, empty lines passed over. Errors name the line and the key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.hpp"

namespace brisk::evaluate {

/// Text to be tokenized, or tokens.
using Text = std::variant<std::string, std::vector<int32_t>>;

/// A question: at least one correct and one incorrect answer, none empty, no two the same.
struct ChoiceItem {
  int64_t line;  ///< of the file, from 1
  Text prompt;
  std::vector<Text> correct, incorrect;
};

/// Texts that may follow a prompt; of {"text": T}: an empty prompt (as T: string or ids) and T.
struct ContinuationItem {
  int64_t line;
  Text prompt;
  std::vector<Text> continuations;
};

/// Bounds of such files; what exceeds them is an error.
inline constexpr uint64_t kMostLineBytes = 16U << 20;
inline constexpr size_t kMostItems = 1'000'000;
inline constexpr size_t kMostAnswers = 10'000;  ///< of one item

/// All items of a file's content; at least one. `where` names the file.
Result<std::vector<ChoiceItem>> read_choice_items(std::string_view content, const std::string& where);
Result<std::vector<ContinuationItem>> read_continuation_items(std::string_view content,
                                                              const std::string& where);

}  // namespace brisk::evaluate
