// Fuzzes byte-level BPE: vocabularies that create() must refuse or survive, and any text on what it accepts.
//
// The input: pre-tokenizer and options at its end, changes to a small good vocabulary and the text at its
// beginning. Built with BRISK_PLANTED_BUG the target holds a fault of its own (a copy without a bound), which
// shows that the fuzzer finds such things.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>

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

// One change to the vocabulary, of a kind that a broken or hostile file might hold.
void change(FuzzedDataProvider& input, ByteVocabulary& vocabulary) {
  text::Vocabulary& v = vocabulary.get();
  switch (input.ConsumeIntegralInRange(0, 9)) {
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
    default:
      v.eos = input.ConsumeIntegralInRange<int32_t>(-2, 400);
      v.add_eos = input.ConsumeBool();
      break;
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
  const Ids ids = tokenizer.encode(written, options).value();
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
  ByteVocabulary vocabulary(pick_pre_tokenizer(input));
  test::add_common_merges(vocabulary);
  vocabulary.add("<|x|>", text::TokenType::kControl);
  vocabulary.add("<u>", text::TokenType::kUserDefined);
  const text::EncodeOptions options{.add_special = input.ConsumeBool(), .parse_special = input.ConsumeBool()};
  const int changes = input.ConsumeIntegralInRange(0, 4);
  for (int i = 0; i < changes; ++i) change(input, vocabulary);

  const auto tokenizer = text::Tokenizer::create(vocabulary.get());
  if (!tokenizer.ok()) {
    require(tokenizer.status().code() == StatusCode::kBadInput);
    return 0;
  }
  // The vocabulary as it was has a token for every byte and adds nothing to the text.
  use(*tokenizer.value(), input.ConsumeRemainingBytesAsString(), options, changes == 0);
  return 0;
}
