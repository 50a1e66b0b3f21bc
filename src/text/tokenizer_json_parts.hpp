// Readers of the parts of a tokenizer.json; each sets its fields of the specification. The order matters:
// the model first.
#pragma once

#include "base/status.hpp"
#include "text/json_part.hpp"
#include "text/tokenizer_json_file.hpp"
#include "text/tokenizer_spec.hpp"

namespace brisk::text {

/// "model", whose tables move into the specification.
Status read_model(TokenizerJsonFile& file, const std::string& where, TokenizerSpec& spec);
/// "added_tokens", a list, or "added_tokens_decoder" of tokenizer_config.json, an object by id, of which only
/// the tokens that the specification lacks are taken. Texts are kept in `room`.
Status read_added_tokens(const JsonPart& part, TextRoom& room, TokenizerSpec& spec);
Status read_added_tokens_decoder(const JsonPart& part, TextRoom& room, TokenizerSpec& spec);
/// "post_processor".
Status read_post_processor(const JsonPart& part, TokenizerSpec& spec);
/// "decoder". `byte_level`: the text is encoded in the byte alphabet.
Status read_decoder(const JsonPart& part, bool byte_level, TokenizerSpec& spec);

/// The id of a token, or -1. Goes through all of them.
int32_t find_token(const TokenizerSpec& spec, std::string_view text);

}  // namespace brisk::text
