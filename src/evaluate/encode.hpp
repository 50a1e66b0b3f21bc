// From the texts of items to the tokens that are scored.
//
// A prompt is encoded as the model wants it to begin (BOS where the file says so), special tokens written in
// it recognised. An answer is what stands behind it: prompt and answer are encoded as one text and cut at the
// prompt's length. Where the cut falls inside a token, so that the whole does not begin with the prompt's
// tokens, the answer is encoded alone. Lists of token ids are taken as they are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "evaluate/items.hpp"
#include "runtime/score.hpp"

namespace brisk::evaluate {

/// Bad input, naming item and key: ids that the model lacks, an answer without tokens, text beyond the
/// context, and of a question two answers with the same tokens. `where` names the item, as place_of() does.
Result<runtime::ScoreItem> encode(const runtime::Model& model, const ContinuationItem& item,
                                  const std::string& where);
/// The continuations are the correct answers, then the others.
Result<runtime::ScoreItem> encode(const runtime::Model& model, const ChoiceItem& item,
                                  const std::string& where);
/// "FILE, line N"
std::string place_of(const std::string& file, int64_t line);
/// A prompt alone.
Result<std::vector<int32_t>> encode_prompt(const runtime::Model& model, const std::string& text);

}  // namespace brisk::evaluate
