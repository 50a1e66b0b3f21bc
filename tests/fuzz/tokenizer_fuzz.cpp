// Fuzzes the vocabularies of GGUF files, all models: create() must refuse or survive them, and any text on
// what it accepts must come out as ids of the vocabulary, none of them forged, that decode alike in one piece
// and one by one.
//
// The input: model, pre-tokenizer and options at its end, changes to a small good vocabulary and the text at
// its beginning. Built with BRISK_PLANTED_BUG the target holds a fault of its own (a copy without a bound),
// which shows that the fuzzer finds such things.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>

#include "../support/byte_vocabulary.hpp"
#include "text/pre_tokenizer.hpp"

namespace {

using namespace brisk;  // NOLINT
using test::ByteVocabulary;
using Ids = std::vector<int32_t>;

void require(bool law) {
  if (!law) __builtin_trap();
}

std::string pick_pre_tokenizer(FuzzedDataProvider& input) {
  const auto names = text::PreTokenizer::names();
  const auto i = input.ConsumeIntegralInRange<size_t>(0, names.size());
  return i < names.size() ? std::string(names[i]) : "no-such";
}

/// These turn BPE over bytes into BPE over characters, for which the vocabulary below lacks tokens.
bool works_on_bytes(const text::Vocabulary& v) {
  return v.model == "gpt2" && v.pre_tokenizer != "gemma4" && v.pre_tokenizer != "sarvam-moe" &&
         v.pre_tokenizer != "granite-embed-multi-311m";
}

/// Tokens of SentencePiece's and BERT's kinds, with scores; the bytes before them serve as fillers.
void make_scored(FuzzedDataProvider& input, ByteVocabulary& vocabulary, const char* model) {
  text::Vocabulary& v = vocabulary.get();
  v.model = model;
  for (const char* text :
       {"\u2581", "\u2581the", "the", "\u2581a", "aa", "\u2581\u2581", "ab", "b\u2581a", "\u00E9"}) {
    vocabulary.add(text);
  }
  vocabulary.add("<unk>", text::TokenType::kUnknown);
  v.unknown = static_cast<int32_t>(v.tokens.size()) - 1;
  for (size_t byte = 0; byte < 256; byte += 1 + static_cast<size_t>(input.ConsumeBool())) {
    char text[7];
    std::snprintf(text, sizeof(text), "<0x%02X>", static_cast<unsigned>(byte));
    vocabulary.add(text, text::TokenType::kByte);
  }
}

// One change to the vocabulary, of a kind that a broken or hostile file might hold.
void change(FuzzedDataProvider& input, ByteVocabulary& vocabulary) {
  text::Vocabulary& v = vocabulary.get();
  switch (input.ConsumeIntegralInRange(0, 13)) {
    case 0: vocabulary.add(input.ConsumeRandomLengthString(40), text::TokenType::kControl); break;
    case 1: vocabulary.add(input.ConsumeRandomLengthString(40), text::TokenType::kUserDefined); break;
    case 2: vocabulary.add(input.ConsumeRandomLengthString(40)); break;
    case 3: vocabulary.add(input.ConsumeRandomLengthString(8), text::TokenType::kByte); break;
    case 4: vocabulary.add_merge(input.ConsumeRandomLengthString(20)); break;
    case 5: vocabulary.merge(input.ConsumeRandomLengthString(4), input.ConsumeRandomLengthString(4)); break;
    case 6: {
      const auto id = input.ConsumeIntegralInRange<size_t>(0, v.types.empty() ? 0 : v.types.size() - 1);
      if (!v.types.empty()) v.types[id] = static_cast<text::TokenType>(input.ConsumeIntegral<uint8_t>());
      break;
    }
    case 7: v.types.resize(input.ConsumeIntegralInRange<size_t>(0, 400), text::TokenType::kNormal); break;
    case 8:
      v.bos = input.ConsumeIntegral<int32_t>();
      v.add_bos = input.ConsumeBool();
      break;
    case 9:
      v.eos = input.ConsumeIntegralInRange<int32_t>(-2, 400);
      v.add_eos = input.ConsumeBool();
      break;
    case 10: v.unknown = input.ConsumeIntegralInRange<int32_t>(-2, 600); break;
    case 11:
      v.add_space_prefix = input.ConsumeBool();
      v.remove_extra_whitespaces = input.ConsumeBool();
      v.lowercase = input.ConsumeBool();
      break;
    case 12: v.chars_map = vocabulary.keep(input.ConsumeRandomLengthString(200)); break;
    default: v.name = input.ConsumeBool() ? "phi-3" : "modern-bert"; break;
  }
}

// Scores last, when all tokens are there; now and then one too few, or none that is a number.
void give_scores(FuzzedDataProvider& input, text::Vocabulary& v) {
  v.scores.clear();
  for (size_t i = 0; i < v.tokens.size(); ++i) v.scores.push_back(-static_cast<double>((i * 7) % 64));
  if (v.scores.empty()) return;
  const auto at = input.ConsumeIntegralInRange<size_t>(0, v.scores.size() - 1);
  switch (input.ConsumeIntegralInRange(0, 9)) {
    case 0: v.scores.pop_back(); break;
    case 1: v.scores[at] = input.ConsumeFloatingPoint<double>(); break;
    case 2: v.scores[at] = 1e30; break;
    default: break;
  }
}

std::string stream(const text::Tokenizer& tokenizer, const Ids& ids, bool special) {
  text::StreamDecoder decoder(tokenizer, special);
  std::string out;
  for (const int32_t id : ids) {
    const auto part = decoder.push(id);
    require(part.ok() && utf8_valid(part.value()));
    out += part.value();
  }
  return out + decoder.finish();
}

void use(const text::Tokenizer& tokenizer, const std::string& written, text::EncodeOptions options,
         bool lossless) {
  const auto encoded = tokenizer.encode(written, options);
  if (!encoded.ok()) {  // a pre-tokenizer's pattern gave up
    require(encoded.status().code() == StatusCode::kBadInput);
    return;
  }
  const Ids& ids = encoded.value();
#if defined(BRISK_PLANTED_BUG)
  int32_t room[64];
  std::copy(ids.begin(), ids.end(), room);
  require(ids.empty() || room[0] == ids[0]);
#endif
  for (const int32_t id : ids) {
    require(id >= 0 && id < tokenizer.size());
    if (!options.parse_special && !options.add_special)
      require(tokenizer.token_type(id) != text::TokenType::kControl);
    tokenizer.ends_generation(id);
  }
  for (const bool special : {false, true}) {
    const auto whole = tokenizer.decode(ids, special);
    require(whole.ok() && whole.value() == stream(tokenizer, ids, special));
    if (special && lossless) require(whole.value() == utf8_sanitize(written));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider input(data, size);
  constexpr const char* kModels[] = {"gpt2", "llama", "t5", "bert", "gemma4", "rwkv"};
  const char* model = kModels[input.ConsumeIntegralInRange<size_t>(0, std::size(kModels) - 1)];
  const bool bytes = std::string_view(model) == "gpt2";
  ByteVocabulary vocabulary(pick_pre_tokenizer(input));
  test::add_common_merges(vocabulary);
  vocabulary.add("<|x|>", text::TokenType::kControl);
  vocabulary.add("<u>", text::TokenType::kUserDefined);
  if (!bytes) make_scored(input, vocabulary, model);
  const text::EncodeOptions options{.add_special = input.ConsumeBool(), .parse_special = input.ConsumeBool()};
  const int changes = input.ConsumeIntegralInRange(0, 4);
  for (int i = 0; i < changes; ++i) change(input, vocabulary);
  if (!bytes) give_scores(input, vocabulary.get());

  const auto tokenizer = text::Tokenizer::create(vocabulary.get());
  if (!tokenizer.ok()) {
    require(tokenizer.status().code() == StatusCode::kBadInput);
    return 0;
  }
  // The vocabulary of bytes as it was has a token for every byte and adds nothing to the text.
  const bool lossless = changes == 0 && works_on_bytes(vocabulary.get());
  use(*tokenizer.value(), input.ConsumeRemainingBytesAsString(), options, lossless);
  return 0;
}
