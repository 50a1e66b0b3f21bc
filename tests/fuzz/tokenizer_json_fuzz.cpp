// Fuzz target: tokenizer.json; every file that is accepted encodes and decodes text.
// (Convention of the fuzz targets: gguf_fuzz.cpp.)
//
// The input is the file, then perhaps a zero byte and a tokenizer_config.json.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "text/tokenizer_json.hpp"

namespace {

using namespace brisk;

void require(bool condition, const char* belief) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: believed that %s\n", belief);
  std::abort();
}

void check_error(const Status& status) {
  require(status.code() == StatusCode::kBadInput, "a bad file is a bad input");
  const ErrorParts& parts = status.parts();
  require(!parts.where.empty() && !parts.expected.empty() && !parts.got.empty(), "an error has its parts");
  require(status.message().size() <= 2048, "a message has at most 2 KiB");
}

void use(const text::Tokenizer& tokenizer, std::string_view written) {
  for (const bool special : {false, true}) {
    const auto ids = tokenizer.encode(written, {.add_special = special, .parse_special = special});
    if (!ids.ok()) {
      check_error(ids.status());
      continue;
    }
#if defined(BRISK_PLANTED_BUG)
    // The planted bug: a table for small ids; those of the corpus are below 10.
    static uint8_t seen[16];
    for (const int32_t id : *ids) ++seen[id];
#endif
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
  use(**tokenizer, "ab  a unable é\n<|end|> one12two \xF0\x9F\x99\x82 \xFF");
  use(**tokenizer, json);
  return 0;
}
