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

std::vector<size_t> ends_of(const std::string& name, std::string_view text) {
  const auto pre = PreTokenizer::named(name, "test");
  EXPECT_TRUE(pre.ok()) << name;
  std::vector<size_t> ends, scratch;
  pre.value().split(text, ends, scratch);
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
  EXPECT_EQ(words("smollm", "a 1234"), (std::vector<std::string>{"a", " ", "1", "2", "3", "4"}));
  EXPECT_EQ(words("llama-bpe", "a 1234"), (std::vector<std::string>{"a", " ", "123", "4"}));
  EXPECT_EQ(words("gpt-2", "a 1234"), (std::vector<std::string>{"a", " 1234"}));
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

TEST(CharClass, KnowsUnicode16) {
  EXPECT_EQ(classes_of('a'), kLetter | kLower);
  EXPECT_EQ(classes_of(0x01C5), kLetter | kUpper);  // a title-case digraph
  EXPECT_EQ(classes_of(0x4E2D), kLetter);
  EXPECT_EQ(classes_of(0x0301), kMark);
  EXPECT_EQ(classes_of(0x2167), kNumber);  // a Roman numeral
  EXPECT_EQ(classes_of(0x0085), kSpace);
  EXPECT_EQ(classes_of(0x200B), 0);                 // zero-width space is no white space
  EXPECT_EQ(classes_of(0x31350), kLetter);          // CJK extension H, Unicode 15
  EXPECT_EQ(classes_of(0x1C89), kLetter | kUpper);  // Unicode 16
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
