// Laws of byte-level BPE, on random texts and on texts of one character, for every pre-tokenizer.
#include "text/tokenizer.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "support/byte_vocabulary.hpp"
#include "text/pre_tokenizer.hpp"

namespace brisk::text {
namespace {

using test::ByteVocabulary;
using Ids = std::vector<int32_t>;

uint32_t seed() {
  const char* given = std::getenv("BRISK_SEED");
  return given != nullptr ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
}

class Laws : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    test::add_common_merges(vocabulary_);
    control_ = vocabulary_.add("<|x|>", TokenType::kControl);
    vocabulary_.add("<u>", TokenType::kUserDefined);
    auto tokenizer = Tokenizer::create(vocabulary_.get());
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
    tokenizer_ = std::move(tokenizer).value();
    const uint32_t s = seed();
    random_.seed(s);
    RecordProperty("seed", std::to_string(s));
    std::printf("seed %u (BRISK_SEED)\n", s);
  }

  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

  // Characters from ASCII, from the scripts that rules speak of, and from everywhere.
  std::string random_text() {
    static constexpr char32_t kUsual[] = {
        ' ',    ' ',  '\n',   '\r',    '\t',   '\'',  's',  'T',   'l',   'a',   'e',    'h',    '1',
        '2',    '.',  '!',    '<',     '|',    'x',   '>',  'u',   0xE9,  0x301, 0x4E2D, 0x3042, 0xAC00,
        0x3000, 0xA0, 0x2028, 0x1F600, 0x200D, 0x663, 0xBD, 0x2B0, 0x1C5, 0x17F, 0};
    std::string text;
    for (size_t n = below(60); n > 0; --n) {
      utf8_append(text,
                  below(4) != 0 ? kUsual[below(std::size(kUsual))] : static_cast<char32_t>(below(0x110000)));
    }
    return text;
  }

  ByteVocabulary vocabulary_{GetParam()};
  std::unique_ptr<Tokenizer> tokenizer_;
  int32_t control_ = 0;
  std::mt19937 random_;
};

TEST_P(Laws, DecodingGivesTheTextBack) {
  for (int i = 0; i < 500; ++i) {
    const std::string text = random_text();
    for (const bool parse : {false, true}) {
      const Ids ids = tokenizer_->encode(text, {.add_special = false, .parse_special = parse}).value();
      ASSERT_EQ(tokenizer_->decode(ids).value(), text);
    }
  }
}

TEST_P(Laws, PlainTextHoldsNoControlToken) {
  for (int i = 0; i < 500; ++i) {
    const std::string text = random_text() + "<|x|>" + random_text();
    const Ids ids = tokenizer_->encode(text, {.add_special = false, .parse_special = false}).value();
    for (const int32_t id : ids) ASSERT_NE(id, control_);
  }
}

TEST_P(Laws, StreamingEqualsDecodingAtOnce) {
  for (int i = 0; i < 500; ++i) {
    Ids ids;
    const auto size = static_cast<size_t>(tokenizer_->size());
    for (size_t n = below(30); n > 0; --n) ids.push_back(static_cast<int32_t>(below(size)));
    for (const bool special : {false, true}) {
      StreamDecoder stream(*tokenizer_, special);
      std::string text;
      for (const int32_t id : ids) {
        const std::string part = stream.push(id).value();
        ASSERT_TRUE(utf8_valid(part));
        text += part;
      }
      text += stream.finish();
      ASSERT_EQ(text, tokenizer_->decode(ids, special).value());
    }
  }
}

// Runs `work` on a thread whose stack is 256 KiB: recursion on the text would overflow it.
void on_small_stack(void* (*work)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, &attributes, work, argument), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

struct Job {
  const Tokenizer* tokenizer;
  std::string text;
  Ids ids;
};

// The text of `bytes` bytes that repeats `unit` survives encoding and decoding.
void expect_lossless(const Tokenizer& tokenizer, const std::string& unit, size_t bytes) {
  Job job{&tokenizer, {}, {}};
  while (job.text.size() < bytes) job.text += unit;
  on_small_stack(
      [](void* argument) -> void* {
        auto* j = static_cast<Job*>(argument);
        j->ids = j->tokenizer->encode(j->text, {.add_special = false, .parse_special = true}).value();
        return nullptr;
      },
      &job);
  EXPECT_TRUE(tokenizer.decode(job.ids).value() == utf8_sanitize(job.text)) << "repeated: " << unit;
}

TEST_P(Laws, LongRunsAreEncodedWithinASmallStack) {
  for (const char* unit : {"a", " ", "\n", "7", "\xF0\x9F\x98\x80"})
    expect_lossless(*tokenizer_, unit, 1 << 20);
  for (const char* unit : {"A", "\t", "!", "'", "\u4E2D", "\u0301", "\u00A0", "\u3000", "\u2028", "\u00AAA",
                           " \n", "<|x", "'ll", "ab ", "\xED\xA0"}) {
    expect_lossless(*tokenizer_, unit, 1 << 15);
  }
}

// The merge rule itself, with nothing clever: the earliest merge first, the leftmost of equal ones.
Ids merge_naively(const Vocabulary& vocabulary, const std::string& word) {
  std::vector<std::string> parts;
  for (const char c : word) parts.emplace_back(1, c);
  for (const std::string_view merge : vocabulary.merges) {
    const std::string left(merge.substr(0, merge.find(' '))), right(merge.substr(left.size() + 1));
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      if (parts[i] != left || parts[i + 1] != right) continue;
      parts[i] += right;
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }
  Ids ids;
  for (const std::string& part : parts) {
    const auto found = std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), part);
    ids.push_back(static_cast<int32_t>(found - vocabulary.tokens.begin()));
  }
  return ids;
}

// Merges are drawn as training makes them, of tokens that exist already, so none makes a pair that an
// earlier one should have taken: going through them once, in order, is then the rule.
TEST(Merging, EqualsTheNaiveAlgorithm) {
  const uint32_t s = seed();
  std::printf("seed %u (BRISK_SEED)\n", s);
  std::mt19937 random(s);
  const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  for (int round = 0; round < 100; ++round) {
    ByteVocabulary vocabulary;
    std::vector<std::string> tokens{"a", "b", "c"};
    for (int i = 0; i < 12; ++i) {
      const std::string left = tokens[below(tokens.size())], right = tokens[below(tokens.size())];
      if (std::find(tokens.begin(), tokens.end(), left + right) != tokens.end()) continue;
      vocabulary.merge(left, right);
      tokens.push_back(left + right);
    }
    const auto tokenizer = Tokenizer::create(vocabulary.get());
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
    for (int i = 0; i < 20; ++i) {
      std::string word;
      for (size_t n = 1 + below(60); n > 0; --n) word += static_cast<char>('a' + below(3));
      ASSERT_EQ(tokenizer.value()->encode(word).value(), merge_naively(vocabulary.get(), word)) << word;
    }
  }
}

// One name for each list of rules.
INSTANTIATE_TEST_SUITE_P(PreTokenizers, Laws,
                         ::testing::Values("gpt-2", "smollm", "llama-bpe", "qwen2", "qwen35", "gpt-4o",
                                           "tekken", "falcon", "deepseek-llm", "deepseek-coder",
                                           "deepseek-v3", "jais-2", "kimi-k2", "chameleon", "superbpe",
                                           "bloom", "exaone-moe", "afmoe", "youtu"),
                         [](const auto& pre_tokenizer) {
                           std::string name = pre_tokenizer.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace brisk::text
