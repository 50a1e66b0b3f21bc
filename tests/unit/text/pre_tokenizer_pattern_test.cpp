// Patterns that PCRE2 runs: what they match, what is refused, and that no pattern can take unbounded work.
#include "text/pattern.hpp"

#include <gtest/gtest.h>

#include <ctime>

#include "text/pattern_syntax.hpp"
#include "text/pre_tokenizer_steps.hpp"

namespace brisk::text {
namespace {

double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Pattern compiled(std::string_view regex) {
  auto pattern = Pattern::compile(regex, "test");
  EXPECT_TRUE(pattern.ok()) << regex << ": " << pattern.status().message();
  return std::move(pattern).value();
}

// "begin-end" of each match.
std::string matches(std::string_view regex, std::string_view text) {
  const Pattern pattern = compiled(regex);
  PatternSearch search(pattern, text);
  std::string list;
  while (true) {
    const auto match = search.next();
    if (!match.ok()) return match.status().message();
    if (!*match) return list;
    list += (list.empty() ? "" : " ") + std::to_string((*match)->begin) + "-" + std::to_string((*match)->end);
  }
}

TEST(Pattern, FindsAllMatches) {
  EXPECT_EQ(matches("a+", "aabaa"), "0-2 3-5");
  EXPECT_EQ(matches("\\p{L}+", "\u00E9a 1b"), "0-3 5-6");
  EXPECT_EQ(matches("x", "abc"), "");
}

TEST(Pattern, EmptyMatchesComeToAnEnd) {
  EXPECT_EQ(matches("x*", "axxb"), "0-0 1-3 4-4");
  EXPECT_EQ(matches("", "\u4E2Da"), "0-0 3-3 4-4");
  EXPECT_EQ(matches("(?=b)", "ab"), "1-1");
  EXPECT_EQ(matches("$", "a\n"), "1-1 2-2");
  EXPECT_EQ(matches("", ""), "0-0");
}

TEST(Pattern, ReadsOnigurumasSyntax) {
  EXPECT_EQ(matches("\\p{N}{1,3}+", "1234567"), "0-7");
  EXPECT_EQ(matches("a{2}?", "aaa"), "0-2 3-3");
  EXPECT_EQ(matches("a{,2}", "aaa"), "0-2 2-3");
  EXPECT_EQ(matches("a{x}", "a{x}"), "0-4");
  EXPECT_EQ(matches("[a[bc]]+", "abcd"), "0-3");
  EXPECT_EQ(matches("(?m:a.b)", "a\nb"), "0-3");
  EXPECT_EQ(matches("\\s", "\u180E \u0085"), "3-4 4-6");
  EXPECT_EQ(matches("\\w+", "e\u0301_\u200D"), "0-4");
  EXPECT_EQ(matches("\\p{Greek}", "\u03B1a"), "0-2");
  EXPECT_EQ(matches("\\u0041", "A"), "0-1");
}

TEST(Pattern, RefusesWhatItDoesNotKnow) {
  for (const char* regex : {"(a)\\1",      "(?<x>a\\g<x>?)",
                            "(?R)",        "(?1)",
                            "(?&x)",       "(?P>x)",
                            "(?(1)a)",     "\\h",
                            "\\R",         "\\X",
                            "\\K",         "\\G",
                            "[a&&b]",      "[a[^b]]",
                            "[[:alpha:]]", "[\\W]",
                            "(?x)a",       "a(?i)b",
                            "(*FAIL)",     "(?#c)",
                            "a**",         "a+?+",
                            "*a",          "(",
                            ")",           "[a",
                            "[",           "a\\",
                            "\\p",         "\\pL",
                            "\\p{",        "\\p{Nonsense}",
                            "(?<=a+)b",    "\\xE9",
                            "\\x{110000}", "\\x{D800}",
                            "\\u12",       "(?:(?:a{1000}){1000}){1000}",
                            "a{99999}",    "(?<",
                            "(?",          "(?<a"}) {
    const auto pattern = Pattern::compile(regex, "model/tokenizer.json");
    ASSERT_FALSE(pattern.ok()) << regex;
    EXPECT_EQ(pattern.status().code(), StatusCode::kBadInput) << regex;
    EXPECT_NE(pattern.status().message().find("model/tokenizer.json: pattern '"), std::string::npos) << regex;
  }
}

TEST(Pattern, RefusesLongAndDeepAndIllFormedOnes) {
  EXPECT_FALSE(Pattern::compile(std::string(1'000'000, 'a'), "test").ok());
  EXPECT_TRUE(Pattern::compile(std::string(kLongestPattern, 'a'), "test").ok());
  EXPECT_FALSE(Pattern::compile(std::string(1000, '(') + std::string(1000, ')'), "test").ok());
  EXPECT_TRUE(Pattern::compile(std::string(90, '(') + "a" + std::string(90, ')'), "test").ok());
  EXPECT_FALSE(Pattern::compile("a\xFF", "test").ok());
  EXPECT_LT(Pattern::compile(std::string(1'000'000, 'a'), "test").status().message().size(), 500U);
}

// Each takes exponential or quadratic time when nothing stops it.
TEST(Pattern, StopsAtItsLimitsAndNamesThePattern) {
  // With no "b" at all PCRE2 would see at once that nothing matches.
  const std::string text = std::string(64 << 10, 'a') + "!b";
  for (const char* regex : {"(a+)+b", "(a|aa)+b", "(a*)*b", "(?:a|a)*b", "a*a*a*a*b", "a++b", "(?=a*b)a",
                            "(?:a++b|a)+b", "(?>a*)b"}) {
    const Pattern pattern = compiled(regex);
    const double begin = thread_seconds();
    PatternSearch search(pattern, text);
    const auto match = search.next();
    EXPECT_LT(thread_seconds() - begin, 20.0) << regex;  // 1 s on a free machine; sanitizers are slower
    ASSERT_FALSE(match.ok()) << regex;
    EXPECT_EQ(match.status().code(), StatusCode::kBadInput);
    EXPECT_NE(match.status().message().find(regex), std::string::npos) << match.status().message();
  }
}

TEST(Pattern, TheStepPassesTheErrorOn) {
  const auto step = pattern_split_step("(a+)+b", SplitBehavior::kIsolated, false, "test");
  ASSERT_TRUE(step.ok());
  Words words;
  EXPECT_FALSE(PreTokenizer({*step}).split(std::string(64 << 10, 'a') + "!b", true, words).ok());
  EXPECT_TRUE(PreTokenizer({*step}).split("aab", true, words).ok());
}

TEST(Pattern, OrdinaryOnesStayWithinTheLimitsOnLongTexts) {
  for (const char* unit : {"a", " ", "\n", "a b ", "1", "!", "\u0301", "\u4E2D\u6587", "word's "}) {
    std::string text;
    while (text.size() < (256 << 10)) text += unit;
    for (const char* regex : {"\\w+|[^\\w\\s]+", " ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                              "[aeiou]+(?=\\p{L})", "(?:\\r?\\n)+"}) {
      const Pattern pattern = compiled(regex);
      PatternSearch search(pattern, text);
      while (true) {
        const auto match = search.next();
        ASSERT_TRUE(match.ok()) << regex << " on " << unit << ": " << match.status().message();
        if (!*match) break;
      }
    }
  }
}

TEST(PatternSyntax, IsRewrittenForPcre2) {
  EXPECT_EQ(translate_pattern("a|b+?", "test").value(), "a|b+?");
  EXPECT_EQ(translate_pattern("(ab)", "test").value(), "(?:ab)");
  EXPECT_EQ(translate_pattern("(?<n>ab){1,2}+", "test").value(), "(?:(?:ab){1,2})+");
  EXPECT_EQ(translate_pattern("(?mi:a)", "test").value(), "(?si:a)");
  EXPECT_EQ(translate_pattern("\\p{Han}\\P{^L}", "test").value(), "\\p{sc:Han}\\P{^L}");
}

}  // namespace
}  // namespace brisk::text
