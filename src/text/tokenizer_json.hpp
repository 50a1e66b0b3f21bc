// Hugging Face's tokenizer.json, with the tokenizer_config.json beside it, as a specification that
// create_tokenizer() runs. docs/design/tokenizer-json.md has the table of what is understood.
//
// What a tokenizer.json is made of:
//   model            BPE, Unigram, WordPiece, WordLevel       -> the word model
//   added_tokens     tokens that stand for themselves         -> added
//   normalizer       (text/normalizer.cpp)
//   pre_tokenizer    (text/pre_tokenizer_json.cpp)
//   post_processor   what is put around a text                -> prefix, suffix
//   decoder          how tokens become text again             -> spelling, spaces
//   truncation, padding   ignored: they are the caller's choice, not the tokenizer's
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"
#include "text/tokenizer_spec.hpp"

namespace brisk::text {

/// `tokenizer_config_json` may be empty. Of it count: bos_token and eos_token, added_tokens_decoder (tokens
/// that the other file lacks), and add_bos_token, add_eos_token, which replace the post-processor where one
/// of them is given, as transformers 5 does. Unknown parts are bad-input errors that list the known ones;
/// `where` names the file in errors. The texts are copied: neither argument need outlive the specification.
Result<TokenizerSpec> read_tokenizer_json(std::string_view tokenizer_json,
                                          std::string_view tokenizer_config_json, const std::string& where);

}  // namespace brisk::text
