// Pre-tokenizers against the pieces that Hugging Face's tokenizers cut (tools/oracles/tokenizer_cases.py).
#include "text/pre_tokenizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "text/char_class.hpp"

namespace brisk::text {
namespace {

// The ends of the words; they must leave no gaps.
std::vector<size_t> ends_of(const std::string& name, std::string_view text) {
  const auto pre = PreTokenizer::named(name, "test");
  EXPECT_TRUE(pre.ok()) << name;
  Words words;
  EXPECT_TRUE(pre.value().split(text, true, words).ok());
  EXPECT_EQ(words.text, text);
  std::vector<size_t> ends;
  for (const Words::Span& span : words.spans) {
    EXPECT_EQ(span.begin, ends.empty() ? 0 : ends.back()) << name;
    ends.push_back(span.end);
  }
  return ends;
}

std::vector<std::string> words(const std::string& name, std::string_view text) {
  std::vector<std::string> out;
  size_t begin = 0;
  for (const size_t end : ends_of(name, text)) {
    out.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return out;
}

using Strings = std::vector<std::string>;

TEST(PreTokenizer, CutsAsHuggingFaceDoes) {
  const char* source = std::getenv("BRISK_SOURCE_DIR");
  ASSERT_NE(source, nullptr) << "set BRISK_SOURCE_DIR to the root of the source tree";
  std::ifstream file(std::string(source) + "/tests/data/tokenizers/pre_tokenizers.jsonl");
  std::map<std::string, int> checked;
  for (std::string line; std::getline(file, line);) {
    const Json row = Json::parse(line);
    const auto text = row["text"].get<std::string>();
    for (const auto& [names, ends] : row["ends"].items()) {
      std::istringstream list(names);
      for (std::string name; list >> name; ++checked[name]) {
        EXPECT_EQ(ends_of(name, text), ends.get<std::vector<size_t>>()) << name << ": " << line;
      }
    }
  }
  EXPECT_EQ(checked.size(), 11U);
  for (const auto& [name, count] : checked) EXPECT_GE(count, 700) << name;
}

TEST(PreTokenizer, SplitsDigitsByModel) {
  EXPECT_EQ(words("smollm", "a 1234"), (Strings{"a", " ", "1", "2", "3", "4"}));
  EXPECT_EQ(words("llama-bpe", "a 1234"), (Strings{"a", " ", "123", "4"}));
  EXPECT_EQ(words("gpt-2", "a 1234"), (Strings{"a", " 1234"}));
}

TEST(PreTokenizer, RefusesAnUnknownNameWithTheKnownOnes) {
  const auto pre = PreTokenizer::named("martian", "model.gguf");
  ASSERT_FALSE(pre.ok());
  EXPECT_EQ(pre.status().code(), StatusCode::kBadInput);
  EXPECT_NE(pre.status().message().find("martian"), std::string::npos);
  EXPECT_NE(pre.status().message().find("smollm"), std::string::npos);
}

TEST(PreTokenizer, FindsEveryNameOfItsTable) {
  const auto names = PreTokenizer::names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const auto name : names) EXPECT_TRUE(PreTokenizer::named(name, "test").ok()) << name;
}

TEST(PreTokenizer, TakesWordsWholeByName) {
  EXPECT_TRUE(PreTokenizer::takes_whole_words("llama-bpe"));
  EXPECT_TRUE(PreTokenizer::takes_whole_words("tekken"));
  EXPECT_FALSE(PreTokenizer::takes_whole_words("gpt-2"));
  EXPECT_FALSE(PreTokenizer::takes_whole_words("martian"));
}

TEST(PreTokenizer, WithoutStepsTheTextIsOneWord) {
  Words words;
  ASSERT_TRUE(PreTokenizer().split("a b", true, words).ok());
  ASSERT_EQ(words.spans.size(), 1U);
  EXPECT_EQ(words.spans[0].end, 3U);
  ASSERT_TRUE(PreTokenizer().split("", true, words).ok());
  EXPECT_TRUE(words.spans.empty());
}

// What llama.cpp cuts, written down from its rules; the differential test compares at large.
TEST(PreTokenizer, CutsByTheRulesOfEachName) {
  EXPECT_EQ(words("bloom", "a b, c"), (Strings{"a", " b", ",", " c"}));
  EXPECT_EQ(words("viking", "a12"), (Strings{"a", "1", "2"}));
  EXPECT_EQ(words("seed-coder", "a!\n\nb"), (Strings{"a", "!", "\n\n", "b"}));
  EXPECT_EQ(words("exaone-moe", "ab cd  e/\n\n"), (Strings{"ab cd", " ", " e", "/\n", "\n"}));
  EXPECT_EQ(words("jais-2", "a" + std::string(7, ' ') + "b"), (Strings{"a", "    ", "  ", " b"}));
  EXPECT_EQ(words("minicpm5", "12345"), (Strings{"123", "45"}));
  EXPECT_EQ(words("afmoe", "a1234567"), (Strings{"a", "1", "234", "567"}));
  EXPECT_EQ(words("superbpe", "1234567 12"), (Strings{"1", "234", "567", " ", "12"}));
  EXPECT_EQ(words("tiny_aya", "aBc 1234"), (Strings{"aBc", " ", "1", "234"}));
  EXPECT_EQ(words("gpt-4o", "aBc"), (Strings{"a", "Bc"}));
  EXPECT_EQ(words("granite-embed-multi-97m", "aBc"), (Strings{"a", "Bc"}));
  EXPECT_EQ(words("kimi-k2", "a\u4E2D\u6587b's"), (Strings{"a", "\u4E2D\u6587", "b's"}));
  EXPECT_EQ(words("youtu", "\uAC00\u4E2D\u3001a"), (Strings{"\uAC00", "\u4E2D", "\u3001", "a"}));
  EXPECT_EQ(words("ufakzeka", "Ali'nin"), (Strings{"Ali", "'nin"}));
  EXPECT_EQ(words("spark2_5", "!\n\n"), (Strings{"!", "\n", "\n"}));
  EXPECT_EQ(words("laguna", "a b\n\nc"), (Strings{"a", " b", "\n\n", "c"}));
  EXPECT_EQ(words("gemma4", "a b\n\nc"), (Strings{"a b", "\n\n", "c"}));
  EXPECT_EQ(words("whitespace", "a  b"), (Strings{"a", "  ", "b"}));
  EXPECT_EQ(words("chameleon", "<sentinel:12>IMGIMGABZa   b!?"),
            (Strings{"<", "sentinel", ":", "1", "2", ">", "IMGIMGABZ", "a", "  ", " b", "!", "?"}));
}

TEST(CharClass, KnowsUnicode16) {
  EXPECT_EQ(classes_of('a'), kLetter | kLower | kWord);
  EXPECT_EQ(classes_of(0x01C5), kLetter | kUpper | kWord);  // a title-case digraph
  EXPECT_EQ(classes_of(0x4E2D), kLetter | kHan | kWord);
  EXPECT_EQ(classes_of(0x0301), kMark | kWord);
  EXPECT_EQ(classes_of(0x2167), kNumber | kSplitNumber | kWord);  // a Roman numeral
  EXPECT_EQ(classes_of(0x00BD), kNumber | kSplitNumber);          // a half
  EXPECT_EQ(classes_of(0x0663), kNumber | kSplitNumber | kDigit | kWord);
  EXPECT_EQ(classes_of(0x0085), kSpace);
  EXPECT_EQ(classes_of(0x200B), 0);                         // zero-width space is no white space
  EXPECT_EQ(classes_of(0x200D), kWord);                     // a joiner
  EXPECT_EQ(classes_of(0x31350), kLetter | kHan | kWord);   // CJK extension H, Unicode 15
  EXPECT_EQ(classes_of(0x1C89), kLetter | kUpper | kWord);  // Unicode 16
  EXPECT_EQ(classes_of(0x11DE0), kSplitNumber);             // Unicode 17
  EXPECT_EQ(classes_of(0x3001), kPunct | kSplitPunctuation);
  EXPECT_EQ(classes_of(0x2E52), kPunct);  // after Unicode 8
  EXPECT_EQ(classes_of(0xD800), 0);
  EXPECT_EQ(classes_of(0x10FFFF), 0);
  EXPECT_EQ(classes_of(0x110000), 0);
}

TEST(CharClass, AsciiTableAgreesWithTheCategories) {
  for (char32_t c = 0; c < 128; ++c) {
    const char text[] = {static_cast<char>(c)};
    EXPECT_EQ(char_at(std::string_view(text, 1), 0).classes, classes_of(c)) << static_cast<int>(c);
  }
}

}  // namespace
}  // namespace brisk::text
