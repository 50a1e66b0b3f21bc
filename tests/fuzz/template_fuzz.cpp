// Parses and renders templates with a fixed, rich set of variables and small limits. What is accepted is
// rendered twice and must come out the same, as well-formed UTF-8 within the limit of the output.
// BRISK_PLANTED_BUG puts a fault into this file that the fuzzer must find (tests of the fuzzing itself).
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "fuzz/fuzz_support.hpp"
#include "text/chat_template.hpp"

namespace {

constexpr brisk::text::TemplateLimits kLimits{
    .steps = 20'000, .depth = 60, .source_bytes = 1U << 14, .output_bytes = 1U << 16};

constexpr std::string_view kVariables = R"({
  "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüße 世界 🌍"},
               {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {"a": 1}}}]}],
  "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
  "bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": true,
  "n": 7, "x": 2.5, "t": true, "f": false, "nil": null, "s": "Hello, World\n", "l": [3, 1, 2], "d": {"a": 1, "b": "two"}
})";

const brisk::Json& variables() {
  static const brisk::Json json = brisk::parse_json(kVariables, "variables").value();
  return json;
}

void require(bool holds) {
  if (!holds) std::abort();
}

/// A fault of the kind that a careless template reader has: an index from the text, used unchecked.
void planted_bug([[maybe_unused]] std::string_view source) {
#if defined(BRISK_PLANTED_BUG)
  if (const size_t tag = source.find("{%-");
      tag != std::string_view::npos && source.find("[-", tag) != std::string_view::npos) {
    const auto* cell = new char[4];
    volatile char read = cell[source.size() + 4];
    static_cast<void>(read);
    delete[] cell;
  }
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  setenv("BRISK_NOW", "2024-07-26T14:05:09", 1);
  planted_bug(source);
  const auto parsed = brisk::text::ChatTemplate::parse(source, "fuzz", kLimits);
  if (!parsed.ok()) {
    require(brisk::utf8_valid(parsed.status().message()) && !parsed.status().parts().where.empty());
    return 0;
  }
  if (brisk::fuzz::parse_only()) return 0;
  const auto once = parsed->render(variables());
  const auto twice = parsed->render(variables());
  require(once.ok() == twice.ok());
  if (!once.ok()) {
    require(brisk::utf8_valid(once.status().message()) &&
            once.status().code() == brisk::StatusCode::kBadInput);
    return 0;
  }
  require(*once == *twice && brisk::utf8_valid(*once) &&
          once->size() <= kLimits.output_bytes + kLimits.source_bytes);
  return 0;
}
