#include "runtime/vocabulary.hpp"

#include <cstring>
#include <optional>
#include <string>

namespace brisk::runtime {

namespace {

using formats::GgufArray;
using formats::GgufMetadata;
using formats::GgufType;

/// An array that need not be there: null then.
Result<const GgufArray*> find_array(const GgufMetadata& metadata, const char* key, GgufType element) {
  if (metadata.find(key) == nullptr) return static_cast<const GgufArray*>(nullptr);
  return metadata.get_array(key, element);
}

GgufType element_of(const GgufMetadata& metadata, const char* key) {
  const formats::GgufValue* value = metadata.find(key);
  const auto* array = value == nullptr ? nullptr : std::get_if<GgufArray>(&value->value);
  return array == nullptr ? GgufType::kArray : array->element;
}

/// Element `i` of an array that lies unaligned in the file.
template <typename T>
T element(const GgufArray& array, uint64_t i) {
  T value;
  std::memcpy(&value, array.bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

Status read_text(const GgufMetadata& metadata, const char* key, std::string& text) {
  if (metadata.find(key) == nullptr) return {};
  BRISK_ASSIGN(const std::string_view value, metadata.get_string(key));
  text = std::string(value);
  return {};
}

Status read_texts(const GgufMetadata& metadata, const char* key, std::vector<std::string_view>& texts) {
  BRISK_ASSIGN(const GgufArray* array, find_array(metadata, key, GgufType::kString));
  if (array != nullptr) texts = array->strings;
  return {};
}

Status read_option(const GgufMetadata& metadata, const char* key, std::optional<bool>& option) {
  if (metadata.find(key) == nullptr) return {};
  BRISK_ASSIGN(option, metadata.get_bool(key));
  return {};
}

Status read_id(const GgufMetadata& metadata, const char* key, size_t count, int32_t& id) {
  BRISK_ASSIGN(const int64_t value, metadata.get_int_or(key, -1));
  if (value < -1 || value >= static_cast<int64_t>(count)) {
    return bad_input({metadata.where() + ", " + key, "a token id below " + std::to_string(count),
                      std::to_string(value), "converting the model again"});
  }
  id = static_cast<int32_t>(value);
  return {};
}

Status read_types(const GgufMetadata& metadata, std::vector<text::TokenType>& types) {
  constexpr const char* kKey = "tokenizer.ggml.token_type";
  BRISK_ASSIGN(const GgufArray* array, find_array(metadata, kKey, GgufType::kI32));
  if (array == nullptr) return {};
  types.reserve(array->count);
  for (uint64_t i = 0; i < array->count; ++i) {
    const auto type = element<int32_t>(*array, i);
    if (type < 1 || type > 6) {
      return bad_input({metadata.where() + ", " + kKey + "[" + std::to_string(i) + "]", "1 to 6",
                        std::to_string(type), "converting the model again"});
    }
    types.push_back(static_cast<text::TokenType>(type));
  }
  return {};
}

// Some converters write whole numbers.
Status read_scores(const GgufMetadata& metadata, std::vector<double>& scores) {
  constexpr const char* kKey = "tokenizer.ggml.scores";
  const bool whole = element_of(metadata, kKey) == GgufType::kI32;
  BRISK_ASSIGN(const GgufArray* array, find_array(metadata, kKey, whole ? GgufType::kI32 : GgufType::kF32));
  if (array == nullptr) return {};
  scores.reserve(array->count);
  for (uint64_t i = 0; i < array->count; ++i) {
    scores.push_back(whole ? static_cast<double>(element<int32_t>(*array, i))
                           : static_cast<double>(element<float>(*array, i)));
  }
  return {};
}

Status read_chars_map(const GgufMetadata& metadata, std::string_view& map) {
  constexpr const char* kKey = "tokenizer.ggml.precompiled_charsmap";
  const bool is_signed = element_of(metadata, kKey) == GgufType::kI8;
  BRISK_ASSIGN(const GgufArray* array, find_array(metadata, kKey, is_signed ? GgufType::kI8 : GgufType::kU8));
  if (array == nullptr) return {};
  map = {reinterpret_cast<const char*>(array->bytes.data()), array->bytes.size()};
  return {};
}

Status read_ids(const GgufMetadata& metadata, text::Vocabulary& v) {
  const size_t count = v.tokens.size();
  BRISK_TRY(read_id(metadata, "tokenizer.ggml.bos_token_id", count, v.bos));
  BRISK_TRY(read_id(metadata, "tokenizer.ggml.eos_token_id", count, v.eos));
  BRISK_TRY(read_id(metadata, "tokenizer.ggml.unknown_token_id", count, v.unknown));
  BRISK_TRY(read_id(metadata, "tokenizer.ggml.seperator_token_id", count, v.separator));
  BRISK_TRY(read_id(metadata, "tokenizer.ggml.cls_token_id", count, v.classification));
  for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    int32_t end = -1;
    BRISK_TRY(read_id(metadata, key, count, end));
    if (end >= 0) v.ends.push_back(end);
  }
  return {};
}

Status read_options(const GgufMetadata& metadata, text::Vocabulary& v) {
  BRISK_TRY(read_option(metadata, "tokenizer.ggml.add_bos_token", v.add_bos));
  BRISK_TRY(read_option(metadata, "tokenizer.ggml.add_eos_token", v.add_eos));
  BRISK_TRY(read_option(metadata, "tokenizer.ggml.add_space_prefix", v.add_space_prefix));
  BRISK_TRY(read_option(metadata, "tokenizer.ggml.remove_extra_whitespaces", v.remove_extra_whitespaces));
  BRISK_TRY(read_option(metadata, "tokenizer.ggml.normalizer.lowercase", v.lowercase));
  return read_option(metadata, "tokenizer.ggml.normalizer.strip_accents", v.strip_accents);
}

}  // namespace

Result<text::Vocabulary> read_vocabulary(const GgufMetadata& metadata) {
  text::Vocabulary v;
  v.where = metadata.where();
  BRISK_ASSIGN(const std::string_view model, metadata.get_string("tokenizer.ggml.model"));
  v.model = std::string(model);
  BRISK_TRY(read_text(metadata, "tokenizer.ggml.pre", v.pre_tokenizer));
  BRISK_TRY(read_text(metadata, "general.name", v.name));
  BRISK_ASSIGN(const GgufArray* tokens, metadata.get_array("tokenizer.ggml.tokens", GgufType::kString));
  v.tokens = tokens->strings;
  BRISK_TRY(read_texts(metadata, "tokenizer.ggml.merges", v.merges));
  BRISK_TRY(read_types(metadata, v.types));
  BRISK_TRY(read_scores(metadata, v.scores));
  BRISK_TRY(read_chars_map(metadata, v.chars_map));
  BRISK_TRY(read_ids(metadata, v));
  BRISK_TRY(read_options(metadata, v));
  return v;
}

Result<std::unique_ptr<text::Tokenizer>> load_tokenizer(const formats::GgufFile& file) {
  BRISK_ASSIGN(const text::Vocabulary vocabulary, read_vocabulary(file.metadata()));
  return text::Tokenizer::create(vocabulary);
}

}  // namespace brisk::runtime
