// What the vocabulary of a GGUF file means, model by model, and what is refused.
#include "text/gguf_vocabulary.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace brisk::text {
namespace {

using Ids = std::vector<int32_t>;
constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};
constexpr TokenType kNormal = TokenType::kNormal, kControl = TokenType::kControl;

std::unique_ptr<Tokenizer> make(const Vocabulary& vocabulary) {
  auto tokenizer = Tokenizer::create(vocabulary);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
}

std::string refusal(const Vocabulary& vocabulary) {
  const auto tokenizer = Tokenizer::create(vocabulary);
  if (tokenizer.ok()) return "";
  EXPECT_EQ(tokenizer.status().code(), StatusCode::kBadInput);
  return tokenizer.status().message();
}

std::string pieces(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options = kPlain) {
  std::string out;
  const Ids ids = tokenizer.encode(text, options).value();
  for (const int32_t id : ids) out += (out.empty() ? "" : " ") + std::string(tokenizer.token_text(id));
  return out;
}

Vocabulary vocabulary_of(const char* model, std::vector<std::string_view> tokens) {
  Vocabulary v;
  v.where = "test";
  v.model = model;
  v.tokens = std::move(tokens);
  v.types.assign(v.tokens.size(), kNormal);
  v.scores.assign(v.tokens.size(), 0);
  for (size_t i = 0; i < v.tokens.size(); ++i) v.scores[i] = -static_cast<double>(i);
  return v;
}

// --- "llama" ---

Vocabulary llama() {
  Vocabulary v =
      vocabulary_of("llama", {"<unk>", "<s>", "</s>", "\u2581a", "\u2581", "a", "b", "<0x0A>", "<x>"});
  v.types = {TokenType::kUnknown, kControl, kControl, kNormal, kNormal, kNormal, kNormal,
             TokenType::kByte,    kControl};
  return v;
}

TEST(GgufLlama, PutsASpaceInFrontOfEachSection) {
  EXPECT_EQ(pieces(*make(llama()), "a"), "\u2581a");
  EXPECT_EQ(pieces(*make(llama()), " a"), "\u2581 \u2581a");
  EXPECT_EQ(pieces(*make(llama()), "b<x>a a", {.add_special = false}), "\u2581 b <x> \u2581a \u2581a");
  EXPECT_EQ(pieces(*make(llama()), ""), "");
}

TEST(GgufLlama, PutsNoneWhereTheFileSaysSo) {
  Vocabulary v = llama();
  v.add_space_prefix = false;
  EXPECT_EQ(pieces(*make(v), "a a"), "a \u2581a");
  EXPECT_EQ(make(v)->decode(Ids{3}).value(), " a");
}

TEST(GgufLlama, DecodesBackToTheText) {
  const auto tokenizer = make(llama());
  for (const char* text : {"a", " a", "  a", "a b\nab", "\n", " ", "  "}) {
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, kPlain).value()).value(), text);
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text).value(), false).value(), text);  // behind BOS
  }
}

TEST(GgufLlama, HasBosByCustom) {
  EXPECT_EQ(make(llama())->bos(), 1);
  EXPECT_EQ(make(llama())->eos(), 2);
  EXPECT_EQ(make(llama())->encode("a").value(), (Ids{1, 3}));
  Vocabulary v = llama();
  v.add_bos = false;
  v.add_eos = true;
  v.eos = 8;
  EXPECT_EQ(make(v)->encode("a").value(), (Ids{3, 8}));
  Vocabulary tiny = vocabulary_of("llama", {"a"});  // too small to have it
  EXPECT_EQ(make(tiny)->encode("").value(), Ids{});
  tiny.add_bos = true;
  EXPECT_NE(refusal(tiny).find("BOS"), std::string::npos);
}

TEST(GgufLlama, UsesBytesThenTheUnknownToken) {
  EXPECT_EQ(pieces(*make(llama()), "\nz"), "\u2581 <0x0A> <unk>");
}

TEST(GgufLlama, RefusesBadScoresAndByteTokens) {
  Vocabulary v = llama();
  v.scores[4] = std::numeric_limits<double>::infinity();
  EXPECT_NE(refusal(v).find("score 4"), std::string::npos);
  v.scores.clear();
  EXPECT_NE(refusal(v).find("scores: expected 9"), std::string::npos);
  for (const char* text : {"<0x-1>", "<0xZZ>", "<0x100>", "<0x1>"}) {
    Vocabulary bytes = llama();
    bytes.tokens[7] = text;
    EXPECT_NE(refusal(bytes).find("token 7"), std::string::npos) << text;
  }
}

// --- "t5" ---

Vocabulary t5() {
  Vocabulary v = vocabulary_of("t5", {"<pad>", "</s>", "<unk>", "\u2581a", "a", "\u2581", "<u>"});
  v.types = {kControl, kControl, TokenType::kUnknown, kNormal, kNormal, kNormal, TokenType::kUserDefined};
  return v;
}

TEST(GgufT5, HandlesSpacesAsTheFileSays) {
  struct Case {
    bool prefix, merge;
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {false, false, " a  a", "\u2581a \u2581 \u2581a"},
      {true, false, "a a", "\u2581a \u2581a"},
      {true, false, " a", "\u2581 \u2581a"},
      {true, false, "  ", "\u2581 \u2581"},
      {true, true, "  a   a  ", "\u2581a \u2581a"},
      {false, true, "a  a", "\u2581a \u2581a"},
      {true, true, "   ", ""},
  };
  for (const Case& c : cases) {
    Vocabulary v = t5();
    v.add_space_prefix = c.prefix;
    v.remove_extra_whitespaces = c.merge;
    EXPECT_EQ(pieces(*make(v), c.text), c.expected) << c.prefix << c.merge << "'" << c.text << "'";
  }
}

TEST(GgufT5, EndsTextsByCustom) {
  EXPECT_EQ(make(t5())->encode("a").value(), (Ids{4, 1}));
  EXPECT_EQ(pieces(*make(t5()), "azz<u>a"), "a <unk> <u> a");
}

TEST(GgufT5, RefusesAHostileMap) {
  for (const std::string& map :
       {std::string("x"), std::string("\xFF\xFF\xFF\xFF", 4), std::string("\4\0\0\0ab", 6)}) {
    Vocabulary v = t5();
    v.chars_map = map;
    EXPECT_NE(refusal(v).find("precompiled_charsmap"), std::string::npos) << map.size();
  }
}

// --- "bert" ---

Vocabulary bert() {
  Vocabulary v = vocabulary_of(
      "bert", {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u2581hello", "\u2581,", "\u2581wor", "ld"});
  for (size_t i = 0; i < 4; ++i) v.types[i] = kControl;
  v.scores.clear();
  v.unknown = 1;
  v.classification = 2;
  v.separator = 3;
  return v;
}

TEST(GgufBert, NormalizesAndCutsWords) {
  EXPECT_EQ(pieces(*make(bert()), "  H\u00E9llo,WORLD x"), "\u2581hello \u2581, \u2581wor ld [UNK]");
  EXPECT_EQ(make(bert())->encode("hello").value(), (Ids{2, 4, 3}));
  EXPECT_EQ(make(bert())->encode("hello[SEP]hello", {.add_special = false}).value(), (Ids{4, 3, 4}));
  Vocabulary cased = bert();
  cased.lowercase = false;
  EXPECT_EQ(pieces(*make(cased), "Hello hello"), "[UNK] \u2581hello");
}

TEST(GgufBert, DecodesWords) {
  EXPECT_EQ(make(bert())->decode(Ids{2, 4, 5, 6, 7, 3}).value(), "[CLS] hello, world [SEP]");
  EXPECT_EQ(make(bert())->decode(Ids{2, 4, 5, 6, 7, 3}, false).value(), "hello, world");
}

TEST(GgufBert, NeverMakesASpecialTokenOfText) {
  Vocabulary v = bert();
  v.tokens.insert(v.tokens.end(), {"\u2581[", "\u2581]", "\u2581sep"});
  v.types.resize(v.tokens.size(), kNormal);
  EXPECT_EQ(pieces(*make(v), "[SEP]"), "\u2581[ \u2581sep \u2581]");
}

// --- "gpt2" over characters, "gemma4" ---

TEST(GgufGemma4, MergesCharactersWithMarksForSpaces) {
  Vocabulary v =
      vocabulary_of("gemma4", {"<bos>", "a", "\u2581", "\u2581a", "\n", "\n\n", "<0xC3>", "<0xA9>"});
  v.types[0] = kControl;
  v.types[6] = v.types[7] = TokenType::kByte;
  v.merges = {"\u2581 a"};
  v.bos = 0;
  EXPECT_EQ(make(v)->encode("a a\n\na\u00E9").value(), (Ids{0, 1, 3, 5, 1, 6, 7}));
  EXPECT_EQ(make(v)->decode(Ids{3, 5, 6, 7}).value(), " a\n\n\u00E9");
}

// --- Special tokens ---

TEST(GgufSpecialTokens, OfPhi3TakeWhiteSpaceAlong) {
  Vocabulary v = llama();
  v.name = "Phi-3 Mini";
  EXPECT_EQ(pieces(*make(v), "a<x> \n a<s> a", {.add_special = false}),
            "\u2581a <x> \u2581a <s> \u2581 \u2581a");
}

TEST(GgufSpecialTokens, ThatEndTurnsAreNeverTextOfUsers) {
  Vocabulary v = llama();
  v.tokens[8] = "<|im_end|>";
  v.types[8] = TokenType::kUserDefined;
  const auto tokenizer = make(v);
  EXPECT_EQ(tokenizer->token_type(8), kControl);
  EXPECT_TRUE(tokenizer->ends_generation(8));
  const Ids ids = tokenizer->encode("<|im_end|>", kPlain).value();
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 8), 0);
}

TEST(GgufSpecialTokens, EndGenerationWhereTheFileSaysSo) {
  Vocabulary v = llama();
  v.ends = {8};
  EXPECT_TRUE(make(v)->ends_generation(8));
  EXPECT_TRUE(make(v)->ends_generation(2));
  EXPECT_FALSE(make(v)->ends_generation(3));
}

}  // namespace
}  // namespace brisk::text
