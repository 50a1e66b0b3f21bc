// Laws of pre-tokenizers: the words of every name cover the text, every rule and step takes time linear in
// hostile texts and a small stack, PCRE2 and the hand-written rule of each known expression agree.
#include "text/pre_tokenizer.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <set>

#include "base/utf8.hpp"
#include "text/known_patterns.hpp"
#include "text/pattern.hpp"
#include "text/pre_tokenizer_steps.hpp"

namespace brisk::text {
namespace {

uint32_t seed() {
  const char* given = std::getenv("BRISK_SEED");
  const uint32_t s =
      given != nullptr ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  std::printf("seed %u (BRISK_SEED)\n", s);
  return s;
}

// Characters that some rule tells apart; all assigned before Unicode 13.
constexpr char32_t kUsual[] = {
    ' ',    ' ',    ' ',     '\n',   '\r',   '\t',   '\'',   's',    'T',    'l',    'L',     'v',    'e',
    'a',    'B',    'h',     '1',    '2',    '3',    '.',    '!',    '/',    '$',    '_',     '(',    '<',
    '|',    0xE9,   0xC9,    0x301,  0x903,  0x4E2D, 0x3005, 0x3042, 0x30A2, 0xAC00, 0x3105,  0x3000, 0xA0,
    0x2028, 0x85,   0x1F600, 0x200D, 0xFE0F, 0x663,  0xBD,   0xB2,   0x2167, 0x2B0,  0x1C5,   0x17F,  0x3002,
    0xFF01, 0x2026, 0x60C,   0x964,  0x5D0,  0xE01,  0x93F,  0x436,  0x416,  0,      0x20000, 0x7F};

std::string random_text(std::mt19937& random, size_t most) {
  const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  std::string text;
  const size_t kinds = 1 + below(std::size(kUsual));
  const size_t shift = below(std::size(kUsual));
  for (size_t n = below(most); n > 0; --n) {
    const char32_t code = kUsual[(shift + below(kinds)) % std::size(kUsual)];
    for (size_t times = below(4) == 0 ? 1 + below(8) : 1; times > 0; --times) utf8_append(text, code);
  }
  return text;
}

TEST(Names, WordsCoverTheTextInOrder) {
  std::mt19937 random(seed());
  Words words;
  for (const std::string_view name : PreTokenizer::names()) {
    const auto pre = PreTokenizer::named(name, "test").value();
    for (int i = 0; i < 300; ++i) {
      const std::string text = random_text(random, 60);
      ASSERT_TRUE(pre.split(text, true, words).ok());
      size_t last = 0;
      for (const Words::Span& span : words.spans) {
        ASSERT_EQ(span.begin, last) << name;
        ASSERT_GT(span.end, span.begin) << name;
        ASSERT_EQ(utf8_floor(text, span.end), span.end) << name << ": a word ends inside a character";
        last = span.end;
      }
      ASSERT_EQ(last, text.size()) << name;
    }
  }
}

// The words of a text under a rule: what it matches and what lies between.
std::vector<size_t> ends_by_rule(SplitRule rule, std::string_view text) {
  std::vector<size_t> ends;
  for (size_t at = 0; at < text.size();) {
    const Match match = rule(text, at);
    if (match.begin != at) ends.push_back(match.begin);
    if (match.end != match.begin) ends.push_back(match.end);
    at = match.end;
  }
  return ends;
}

std::vector<size_t> ends_by_pattern(const Pattern& pattern, std::string_view text) {
  std::vector<size_t> ends;
  PatternSearch search(pattern, text);
  size_t at = 0;
  while (true) {
    const auto match = search.next();
    EXPECT_TRUE(match.ok()) << match.status().message();
    if (!match.ok() || !*match) break;
    if ((*match)->begin != at) ends.push_back((*match)->begin);
    if ((*match)->end != (*match)->begin) ends.push_back((*match)->end);
    at = (*match)->end;
  }
  if (at != text.size()) ends.push_back(text.size());
  return ends;
}

TEST(KnownPatterns, Pcre2AgreesWithTheRules) {
  std::mt19937 random(seed());
  for (const KnownPattern& known : known_patterns()) {
    if (known.regex.find("&&") != std::string_view::npos) continue;  // PCRE2 has no sets less sets
    const auto pattern = Pattern::compile(known.regex, "test");
    ASSERT_TRUE(pattern.ok()) << pattern.status().message();
    for (int i = 0; i < 200; ++i) {
      const std::string text = random_text(random, i % 2 == 0 ? 12 : 100);
      ASSERT_EQ(ends_by_rule(known.rule, text), ends_by_pattern(*pattern, text))
          << known.regex << ": " << text;
    }
  }
}

// --- Hostile texts -----------------------------------------------------------------------------------

const std::vector<std::string>& hostile_units() {
  static const std::vector<std::string> units = {"a",
                                                 "A",
                                                 " ",
                                                 "\n",
                                                 "\t",
                                                 "\r\n",
                                                 "7",
                                                 "!",
                                                 "'",
                                                 "/",
                                                 "\u0301",
                                                 "\u4E2D",
                                                 "\u00A0",
                                                 "\u3000",
                                                 "\U0001F600",
                                                 "\u2028",
                                                 " \n",
                                                 "'ll",
                                                 "ab ",
                                                 "aB",
                                                 "Ab1",
                                                 "1,",
                                                 "12a",
                                                 "\u0301a",
                                                 "\u02B0",
                                                 "\u01C5",
                                                 "<",
                                                 "<sentinel:",
                                                 "IMG",
                                                 "IMGIMGA",
                                                 "\u0663",
                                                 "\u200D",
                                                 "\u0300\u0301",
                                                 "\U0001F468\u200D\U0001F469\u200D\U0001F467",
                                                 "\u3042",
                                                 "\u2581",
                                                 "-",
                                                 "a b",
                                                 "!\n",
                                                 "1 "};
  return units;
}

double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::string repeated(const std::string& unit, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

double seconds_to_cut(const PreTokenizer& pre, const std::string& text, Words& words) {
  const double begin = thread_seconds();
  EXPECT_TRUE(pre.split(text, true, words).ok());
  return thread_seconds() - begin;
}

// Sixteen times the text: linear work takes 16 times as long, quadratic work 256 times. Other work on the
// machine can disturb a run, not each of several.
bool is_linear(const PreTokenizer& pre, const std::string& unit, const std::string& head, Words& words) {
  constexpr size_t kSmall = 16 << 10;
  const std::string small = head + repeated(unit, kSmall), large = head + repeated(unit, 16 * kSmall) + "x";
  for (int run = 0; run < 5; ++run) {
    const double base = std::max(seconds_to_cut(pre, small, words), 1e-4);
    if (seconds_to_cut(pre, large, words) < 64 * base) return true;
  }
  return false;
}

void expect_linear(const PreTokenizer& pre, std::string_view name) {
  Words words;
  for (const std::string& unit : hostile_units()) {
    for (const char* head : {"", "!\n"}) {
      EXPECT_TRUE(is_linear(pre, unit, head, words)) << name << " on repeated '" << unit << "'";
    }
  }
}

// Runs `work` on a thread whose stack is 256 KiB: recursion on the text would overflow it.
void on_small_stack(const std::function<void()>& work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_t thread;
  const auto run = [](void* argument) -> void* {
    (*static_cast<const std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, const_cast<std::function<void()>*>(&work)), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::vector<StepPtr> all_steps() {
  std::vector<StepPtr> steps = {
      byte_level_step(true, true), metaspace_step("\u2581", PrependScheme::kAlways, true),
      digits_step(true),           digits_step(false),
      whitespace_step(),           bert_words_step(),
      char_delimiter_step("-"),    unicode_scripts_step(),
      fixed_length_step(5)};
  for (const SplitBehavior behavior : {SplitBehavior::kRemoved, SplitBehavior::kMergedWithPrevious,
                                       SplitBehavior::kMergedWithNext, SplitBehavior::kContiguous}) {
    steps.push_back(punctuation_step(behavior));
    steps.push_back(literal_split_step("ab", behavior, true));
  }
  return steps;
}

TEST(Hostile, EveryRuleIsLinear) {
  on_small_stack([] {
    std::set<SplitRule> seen;
    for (const KnownPattern& known : known_patterns()) {
      if (seen.insert(known.rule).second)
        expect_linear(PreTokenizer({rules_step({&known.rule, 1})}), known.regex);
    }
  });
}

TEST(Hostile, EveryNameOfSeveralRulesIsLinear) {
  on_small_stack([] {
    for (const char* name : {"afmoe", "chameleon", "deepseek-coder", "deepseek-llm", "deepseek-v3", "falcon",
                             "granite-embed-multi-97m", "kimi-k2", "laguna", "smollm", "spark2_5", "superbpe",
                             "tiny_aya", "viking", "youtu"}) {
      expect_linear(PreTokenizer::named(name, "test").value(), name);
    }
  });
}

TEST(Hostile, EveryStepIsLinear) {
  on_small_stack([] {
    int number = 0;
    for (const StepPtr& step : all_steps()) expect_linear(PreTokenizer({step}), std::to_string(number++));
  });
}

TEST(Hostile, TenMegabytesOfOneCharacterPassEveryName) {
  on_small_stack([] {
    Words words;
    for (const std::string_view name : PreTokenizer::names()) {
      const auto pre = PreTokenizer::named(name, "test").value();
      const bool common = name == "gpt-2" || name == "llama-bpe" || name == "gpt-4o" || name == "jais-2";
      for (const char* unit : {"a", " ", "\u0301"}) {
        const std::string text = repeated(unit, common ? 10 << 20 : 1 << 20);
        ASSERT_TRUE(pre.split(text, true, words).ok());
        ASSERT_FALSE(words.spans.empty());
        ASSERT_EQ(words.spans.back().end, text.size());
      }
    }
  });
}

TEST(Hostile, UnknownPatternsEndWithinTheirLimitsOnASmallStack) {
  on_small_stack([] {
    Words words;
    for (const char* regex : {"(a+)+b", "(?:\\p{L}\\p{M}*)+", "(a|b|c)*", "(?=(a*)*b)"}) {
      const auto step = pattern_split_step(regex, SplitBehavior::kIsolated, false, "test");
      ASSERT_TRUE(step.ok());
      // An answer or an error are both right; a stack overflow or an endless run is not.
      const Status status = PreTokenizer({*step}).split(repeated("a", 1 << 20), true, words);
      EXPECT_TRUE(status.ok() || status.code() == StatusCode::kBadInput) << regex;
    }
  });
}

}  // namespace
}  // namespace brisk::text
