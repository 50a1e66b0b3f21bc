// Plain text as the model would read it, for perplexity: how well a model predicts running text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/score.hpp"

namespace brisk::evaluate {

/// A few paragraphs about nothing in particular, for when the user gives no text of his own.
std::string_view neutral_text();

/// Tokens of a text that are read at most: more would not change a ratio of perplexities much.
inline constexpr int64_t kMostTextTokens = 2048;

/// A file's content as stretches to score: plain text, or (when it begins with '{') lines {"text": TEXT}. At
/// most kMostTextTokens tokens, in stretches of at most 512; at least two tokens. `where` names the file.
Result<std::vector<runtime::ScoreItem>> read_text_task(const runtime::Model& model, std::string_view content,
                                                       const std::string& where);

}  // namespace brisk::evaluate
