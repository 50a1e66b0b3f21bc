// Fuzz target: tokenizer.json; every file that is accepted encodes and decodes text.
// (Convention of the fuzz targets: gguf_fuzz.cpp.)
//
// The input is the file, then perhaps a zero byte and a tokenizer_config.json.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "fuzz_support.hpp"
#include "text/tokenizer_json.hpp"

namespace {

using namespace brisk;
using fuzz::check_error;
using fuzz::require;

#if defined(BRISK_PLANTED_BUG)
// The planted bug: room for short tokens only. Those of the corpus have at most 10 bytes.
void use_texts(const text::Tokenizer& tokenizer) {
  const auto room = std::make_unique<char[]>(12);
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string_view token = tokenizer.token_text(id);
    std::copy(token.begin(), token.end(), room.get());
  }
}
#endif

void use(const text::Tokenizer& tokenizer, std::string_view written) {
  for (const bool special : {false, true}) {
    const auto ids = tokenizer.encode(written, {.add_special = special, .parse_special = special});
    if (!ids.ok()) {
      check_error(ids.status());
      continue;
    }
    for (const int32_t id : *ids) require(id >= 0 && id < tokenizer.size(), "ids are in range");
    const auto decoded = tokenizer.decode(*ids);
    require(decoded.ok() && utf8_valid(*decoded), "what was encoded can be decoded");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t zero = std::min(input.find('\0'), size);
  // A copy of exactly this size: the sanitizer sees every byte read beyond it.
  const std::string json(input.substr(0, zero));
  auto spec = text::read_tokenizer_json(json, zero < size ? input.substr(zero + 1) : "", "fuzz.json");
  if (!spec.ok()) {
    check_error(spec.status());
    return 0;
  }
  const auto tokenizer = text::create_tokenizer(std::move(spec).value());
  if (!tokenizer.ok()) {
    check_error(tokenizer.status());
    return 0;
  }
  if (fuzz::parse_only()) return 0;
  use(**tokenizer, "ab  a unable é\n<|end|> one12two \xF0\x9F\x99\x82 \xFF");
  use(**tokenizer, json);
#if defined(BRISK_PLANTED_BUG)
  use_texts(**tokenizer);
#endif
  return 0;
}
