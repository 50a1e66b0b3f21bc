#include "text/tokenizer_json.hpp"

#include "text/pre_tokenizer_json.hpp"
#include "text/tokenizer_json_file.hpp"
#include "text/tokenizer_json_parts.hpp"

namespace brisk::text {

namespace {

/// How the text is rewritten and cut; says whether it is encoded in the byte alphabet.
Result<bool> read_pipeline(const JsonPart& file, const std::string& where, TokenizerSpec& spec) {
  const JsonPart normalizer = file.field("normalizer");
  const JsonPart pre_tokenizer = file.field("pre_tokenizer");
  const bool normalized_to_bytes = has_part(normalizer.json(), "ByteLevel");
  BRISK_ASSIGN(spec.normalizer, Normalizer::from_json(normalizer.json(), where));
  BRISK_ASSIGN(PreTokenizerSteps steps, read_pre_tokenizer(pre_tokenizer, normalized_to_bytes));
  spec.pre_tokenizer = PreTokenizer(std::move(steps));
  return normalized_to_bytes || has_part(pre_tokenizer.json(), "ByteLevel");
}

/// A token that tokenizer_config.json names, by its text or as {"content": text, ...}; -1: none such.
Result<int32_t> read_named_token(const JsonPart& config, std::string_view key, const TokenizerSpec& spec) {
  const JsonPart token = config.field(key);
  if (token.is_null()) return -1;
  BRISK_ASSIGN(const std::string text, token.json().is_object() ? token.text("content") : token.text());
  return find_token(spec, text);
}

Status read_config(std::string_view json, const std::string& where, TextRoom& room, TokenizerSpec& spec) {
  if (json.empty()) return {};
  BRISK_ASSIGN(const Json value, parse_json(json, where));
  const JsonPart config(value, where + ": ");
  if (!value.is_object()) return config.wrong("an object", "something else");
  BRISK_TRY(read_added_tokens_decoder(config.field("added_tokens_decoder"), room, spec));
  BRISK_ASSIGN(spec.bos, read_named_token(config, "bos_token", spec));
  BRISK_ASSIGN(spec.eos, read_named_token(config, "eos_token", spec));
  if (config.has("add_bos_token") || config.has("add_eos_token")) {
    BRISK_ASSIGN(const bool add_bos, config.flag("add_bos_token", false));
    BRISK_ASSIGN(const bool add_eos, config.flag("add_eos_token", false));
    spec.prefix.assign(add_bos && spec.bos >= 0 ? 1 : 0, spec.bos);
    spec.suffix.assign(add_eos && spec.eos >= 0 ? 1 : 0, spec.eos);
  }
  return {};
}

/// tokenizer_config.json lies beside the file.
std::string config_beside(const std::string& where) {
  const size_t slash = where.rfind('/');
  return (slash == std::string::npos ? "" : where.substr(0, slash + 1)) + "tokenizer_config.json";
}

}  // namespace

Result<TokenizerSpec> read_tokenizer_json(std::string_view tokenizer_json,
                                          std::string_view tokenizer_config_json, const std::string& where) {
  BRISK_ASSIGN(TokenizerJsonFile file,
               read_tokenizer_json_file(tokenizer_json, tokenizer_config_json.size(), where));
  TokenizerSpec spec;
  spec.where = where;
  spec.storage = file.room;
  BRISK_TRY(read_model(file, where, spec));
  const JsonPart parts(file.parts, where + ": ");
  BRISK_TRY(read_added_tokens(parts.field("added_tokens"), *file.room, spec));
  BRISK_ASSIGN(const bool byte_level, read_pipeline(parts, where, spec));
  BRISK_TRY(read_post_processor(parts.field("post_processor"), spec));
  BRISK_TRY(read_decoder(parts.field("decoder"), byte_level, spec));
  BRISK_TRY(read_config(tokenizer_config_json, config_beside(where), *file.room, spec));
  return spec;
}

}  // namespace brisk::text
