#include "text/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/utf8.hpp"
#include "text/pattern_syntax.hpp"

namespace brisk::text {

namespace {

// One match may backtrack this often, nest this deep, and take this much memory (KiB).
constexpr uint32_t kMatchLimit = 5'000'000;
constexpr uint32_t kDepthLimit = 1'000'000;
constexpr uint32_t kHeapLimit = 128U << 10;

// PCRE2's own limits count backtracking, not the characters that a repeat goes through, and count anew for
// each place where a match may begin. So callouts, which stand between all items of a pattern, count the
// steps of a whole text: items and characters. Known patterns take 10 to 30 steps per byte.
constexpr size_t kStepsAtLeast = 4'000'000;
constexpr size_t kStepsPerByte = 64;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

std::string error_text(int code) {
  PCRE2_UCHAR buffer[256];
  if (pcre2_get_error_message(code, buffer, sizeof(buffer)) < 0) return "error " + std::to_string(code);
  return reinterpret_cast<const char*>(buffer);
}

Status out_of_memory(const std::string& where) {
  return environment_error({where, "memory for a pattern", "none left", "closing other programs"});
}

// What a search has spent.
struct Steps {
  size_t left = 0;
  size_t last_position = 0;
};

int count_steps(pcre2_callout_block* block, void* data) {
  auto& steps = *static_cast<Steps*>(data);
  const size_t position = block->current_position;
  const size_t moved = position > steps.last_position ? position - steps.last_position : 0;
  steps.last_position = position;
  if (steps.left <= moved) return PCRE2_ERROR_MATCHLIMIT;
  steps.left -= moved + 1;
  return 0;
}

}  // namespace

struct Pattern::Compiled {
  std::string where, regex;
  std::unique_ptr<pcre2_code, FreeCode> code;
};

Result<Pattern> Pattern::compile(std::string_view regex, const std::string& where) {
  const std::string place = where + ": pattern '" + pattern_excerpt(regex) + "'";
  if (regex.size() > kLongestPattern || !utf8_valid(regex)) {
    return bad_input({place, "at most " + std::to_string(kLongestPattern) + " bytes of UTF-8",
                      std::to_string(regex.size()) + (utf8_valid(regex) ? " bytes" : " ill-formed bytes"),
                      "a tokenizer.json with a shorter pattern"});
  }
  BRISK_ASSIGN(const std::string translated, translate_pattern(regex, where));
  const std::unique_ptr<pcre2_compile_context, FreeCompileContext> context(
      pcre2_compile_context_create(nullptr));
  if (context == nullptr) return out_of_memory(place);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C |
                                PCRE2_NO_UTF_CHECK | PCRE2_AUTO_CALLOUT;
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto compiled = std::make_shared<Compiled>();
  compiled->where = place;
  compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                     kOptions, &error, &offset, context.get()));
  if (compiled->code == nullptr) {
    return bad_input(
        {place, "a regular expression", error_text(error), "a tokenizer.json with another pattern"});
  }
  return Pattern(std::move(compiled));
}

struct PatternSearch::State {
  std::shared_ptr<const Pattern::Compiled> pattern;
  std::string_view text;
  std::unique_ptr<pcre2_match_context, FreeMatchContext> context;
  std::unique_ptr<pcre2_match_data, FreeMatchData> data;
  Steps steps;
  size_t from = 0;
  std::optional<size_t> last_end;

  // The leftmost match at or after `from`.
  Result<std::optional<Match>> find();
};

PatternSearch::PatternSearch(const Pattern& pattern, std::string_view text) : state_(new State) {
  State& s = *state_;
  s.pattern = pattern.compiled_;
  s.text = text;
  s.steps.left = kStepsAtLeast + kStepsPerByte * text.size();
  s.data.reset(pcre2_match_data_create(1, nullptr));
  s.context.reset(pcre2_match_context_create(nullptr));
  if (s.context == nullptr) return;
  pcre2_set_match_limit(s.context.get(), kMatchLimit);
  pcre2_set_depth_limit(s.context.get(), kDepthLimit);
  pcre2_set_heap_limit(s.context.get(), kHeapLimit);
  pcre2_set_callout(s.context.get(), count_steps, &s.steps);
}

PatternSearch::~PatternSearch() = default;

Result<std::optional<Match>> PatternSearch::State::find() {
  if (context == nullptr || data == nullptr) return out_of_memory(pattern->where);
  steps.last_position = from;
  const int rc = pcre2_match(pattern->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                             from, PCRE2_NO_UTF_CHECK, data.get(), context.get());
  if (rc == PCRE2_ERROR_NOMATCH) return std::optional<Match>();
  if (rc < 0) {
    return bad_input({pattern->where, "a search within its limits of steps, depth and memory", error_text(rc),
                      "a shorter text, or a model whose tokenizer has a simpler pattern"});
  }
  const PCRE2_SIZE* found = pcre2_get_ovector_pointer(data.get());
  return std::optional<Match>(Match{found[0], found[1]});
}

Result<std::optional<Match>> PatternSearch::next() {
  State& s = *state_;
  while (s.from <= s.text.size()) {
    BRISK_ASSIGN(const std::optional<Match> match, s.find());
    if (!match) break;
    if (match->begin == match->end && s.last_end == match->end) {
      // An empty match that touches the one before: look on from the next character.
      s.from = match->end + (match->end < s.text.size() ? utf8_decode(s.text, match->end).length : 1);
      continue;
    }
    s.from = match->end;
    s.last_end = match->end;
    return match;
  }
  s.from = s.text.size() + 1;
  return std::optional<Match>();
}

}  // namespace brisk::text
