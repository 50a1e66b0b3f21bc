// The steps of a tokenizer.json's pre-tokenizer.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "text/json_part.hpp"
#include "text/pre_tokenizer.hpp"

namespace brisk::text {

using PreTokenizerSteps = std::vector<std::shared_ptr<const PreTokenizerStep>>;

/// Hugging Face's ByteLevel rewrites a text in the byte alphabet (text/byte_alphabet.hpp); here the word
/// model does that last. Steps that come after ByteLevel must see the alphabet all the same: they get it, and
/// the words are turned back into bytes behind them. `in_alphabet`: the normalizer has rewritten the text
/// already.
Result<PreTokenizerSteps> read_pre_tokenizer(const JsonPart& part, bool in_alphabet);

/// Whether a part (normalizer, pre-tokenizer, decoder) is, or is a Sequence that holds, one of that type.
bool has_part(const Json& value, std::string_view type);

}  // namespace brisk::text
