// Byte-level BPE on small vocabularies: merging, special tokens, decoding, and what create() refuses.
#include "text/tokenizer.hpp"

#include <gtest/gtest.h>

#include "support/byte_vocabulary.hpp"

namespace brisk::text {
namespace {

using test::ByteVocabulary;
using Ids = std::vector<int32_t>;

std::unique_ptr<Tokenizer> make(ByteVocabulary& vocabulary) {
  auto tokenizer = Tokenizer::create(vocabulary.get());
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
}

/// The message of create(), or "" when it succeeds.
std::string refusal(ByteVocabulary& vocabulary) {
  const auto tokenizer = Tokenizer::create(vocabulary.get());
  if (tokenizer.ok()) return "";
  EXPECT_EQ(tokenizer.status().code(), StatusCode::kBadInput);
  return tokenizer.status().message();
}

int32_t byte_id(char c) { return static_cast<uint8_t>(c); }

TEST(Bpe, MergesTheEarliestPairFirst) {
  ByteVocabulary vocabulary;
  const int32_t bc = vocabulary.merge("b", "c");
  vocabulary.merge("a", "b");
  const auto tokenizer = make(vocabulary);
  EXPECT_EQ(tokenizer->encode("abc").value(), (Ids{byte_id('a'), bc}));
}

TEST(Bpe, MergesTheLeftmostOfEqualPairsFirst) {
  ByteVocabulary vocabulary;
  const int32_t aa = vocabulary.merge("a", "a");
  const auto tokenizer = make(vocabulary);
  EXPECT_EQ(tokenizer->encode("aaaaa").value(), (Ids{aa, aa, byte_id('a')}));
}

TEST(Bpe, OfTwoMergesOfOnePairTheEarlierCounts) {
  ByteVocabulary vocabulary;
  const int32_t ab = vocabulary.merge("a", "b");
  vocabulary.merge("b", "c");
  vocabulary.add_merge("a b");
  const auto tokenizer = make(vocabulary);
  EXPECT_EQ(tokenizer->encode("abc").value(), (Ids{ab, byte_id('c')}));
}

TEST(Bpe, TakesAWholeWordWhereThePreTokenizerSaysSo) {
  ByteVocabulary plain("gpt-2"), whole("llama-bpe");
  plain.add("abc");
  const int32_t abc = whole.add("abc");
  EXPECT_EQ(make(plain)->encode("abc").value(), (Ids{'a', 'b', 'c'}));
  EXPECT_EQ(make(whole)->encode("abc").value(), (Ids{abc}));
}

TEST(Bpe, EncodesIllFormedTextAsReplacementCharacters) {
  ByteVocabulary vocabulary;
  const auto tokenizer = make(vocabulary);
  EXPECT_EQ(tokenizer->encode("a\xED\xA0\x80z").value(), tokenizer->encode("a\uFFFD\uFFFD\uFFFDz").value());
  EXPECT_EQ(tokenizer->encode("\xF0\x9F\x98").value(), tokenizer->encode("\uFFFD").value());
}

TEST(Bpe, EncodesNulBytes) {
  ByteVocabulary vocabulary;
  EXPECT_EQ(make(vocabulary)->encode(std::string_view("a\0b", 3)).value(), (Ids{'a', 0, 'b'}));
}

TEST(Bpe, LeavesOutBytesWithoutAToken) {
  ByteVocabulary vocabulary;
  vocabulary.get().tokens[0x04] = "[unused]";
  const int32_t pair = vocabulary.merge("!", "!");
  EXPECT_EQ(make(vocabulary)->encode("!\x04!").value(), (Ids{pair}));
}

TEST(Bpe, FallsBackToByteTokens) {
  ByteVocabulary vocabulary;
  vocabulary.get().tokens[0x04] = "<0x04>";
  vocabulary.get().types[0x04] = TokenType::kByte;
  const auto tokenizer = make(vocabulary);
  EXPECT_EQ(tokenizer->encode("\x04").value(), (Ids{4}));
  EXPECT_EQ(tokenizer->token_bytes(4, false).value(), "\x04");
}

class SpecialTokens : public ::testing::Test {
 protected:
  void SetUp() override {
    start_ = vocabulary_.add("<|s|>", TokenType::kControl);
    longer_ = vocabulary_.add("<|s|>x", TokenType::kControl);
    user_ = vocabulary_.add("<tool>", TokenType::kUserDefined);
    vocabulary_.get().bos = start_;
    vocabulary_.get().eos = longer_;
    tokenizer_ = make(vocabulary_);
  }
  static constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};
  static constexpr EncodeOptions kParsed{.add_special = false, .parse_special = true};
  ByteVocabulary vocabulary_;
  std::unique_ptr<Tokenizer> tokenizer_;
  int32_t start_ = 0, longer_ = 0, user_ = 0;
};

TEST_F(SpecialTokens, AreFoundLongestFirst) {
  EXPECT_EQ(tokenizer_->encode("<|s|>a<|s|>xx", kParsed).value(), (Ids{start_, 'a', longer_, 'x'}));
  EXPECT_EQ(tokenizer_->encode("<|<|s|>", kParsed).value(), (Ids{'<', '|', start_}));
  EXPECT_EQ(tokenizer_->encode("<|s|", kParsed).value(), (Ids{'<', '|', 's', '|'}));
}

TEST_F(SpecialTokens, OfControlAreTextUnlessAskedFor) {
  const Ids ids = tokenizer_->encode("<|s|>x", kPlain).value();
  EXPECT_EQ(ids, (Ids{'<', '|', 's', '|', '>', 'x'}));
  EXPECT_EQ(tokenizer_->decode(ids).value(), "<|s|>x");
}

TEST_F(SpecialTokens, OfTheUserAreAlwaysFound) {
  EXPECT_EQ(tokenizer_->encode("a<tool>", kPlain).value(), (Ids{'a', user_}));
}

TEST_F(SpecialTokens, AreAddedWhereTheFileSaysSo) {
  EXPECT_EQ(tokenizer_->encode("a").value(), (Ids{'a'}));
  vocabulary_.get().add_bos = vocabulary_.get().add_eos = true;
  const auto adding = make(vocabulary_);
  EXPECT_EQ(adding->encode("a").value(), (Ids{start_, 'a', longer_}));
  EXPECT_EQ(adding->encode("").value(), (Ids{start_, longer_}));
  EXPECT_EQ(adding->encode("a", kPlain).value(), (Ids{'a'}));
}

TEST_F(SpecialTokens, DecodeToTheirNamesOrNothing) {
  const Ids ids{'a', start_, user_};
  EXPECT_EQ(tokenizer_->decode(ids, true).value(), "a<|s|><tool>");
  EXPECT_EQ(tokenizer_->decode(ids, false).value(), "a<tool>");
}

TEST(SpecialTokensOfText, CannotBeForgedByMergesOrWholeWords) {
  ByteVocabulary merged("gpt-2"), whole("llama-bpe");
  const int32_t control = merged.add("ab", TokenType::kControl);
  merged.add_merge("a b");
  whole.add("ab", TokenType::kControl);
  const EncodeOptions plain{.add_special = false, .parse_special = false};
  EXPECT_EQ(make(merged)->encode("ab", plain).value(), (Ids{'a', 'b'}));
  EXPECT_EQ(make(whole)->encode("ab", plain).value(), (Ids{'a', 'b'}));
  EXPECT_EQ(make(merged)->encode("ab").value(), (Ids{control}));
}

TEST(Tokenizer, KnowsWhatEndsGeneration) {
  ByteVocabulary vocabulary;
  const int32_t eos = vocabulary.add("[my end]", TokenType::kControl);
  const int32_t turn = vocabulary.add("<|im_end|>", TokenType::kControl);
  const int32_t text = vocabulary.add("</s>", TokenType::kNormal);
  vocabulary.get().eos = eos;
  const auto tokenizer = make(vocabulary);
  EXPECT_TRUE(tokenizer->ends_generation(eos));
  EXPECT_TRUE(tokenizer->ends_generation(turn));
  EXPECT_FALSE(tokenizer->ends_generation(text));
  EXPECT_FALSE(tokenizer->ends_generation('a'));
  EXPECT_FALSE(tokenizer->ends_generation(-1));
}

TEST(Tokenizer, AnInnerEndOfMessageDoesNotEndGeneration) {
  ByteVocabulary simple, channels;
  const int32_t end = simple.add("<|end|>", TokenType::kControl);
  channels.add("<|end|>", TokenType::kControl);
  channels.add("<|return|>", TokenType::kControl);
  channels.add("<|call|>", TokenType::kControl);
  EXPECT_TRUE(make(simple)->ends_generation(end));
  EXPECT_FALSE(make(channels)->ends_generation(end));
  EXPECT_TRUE(make(channels)->ends_generation(end + 1));
}

TEST(Tokenizer, AnswersForTokens) {
  ByteVocabulary vocabulary;
  const int32_t empty = vocabulary.add("");
  const int32_t control = vocabulary.add("<x>", TokenType::kControl);
  const auto tokenizer = make(vocabulary);
  EXPECT_EQ(tokenizer->size(), 258);
  EXPECT_EQ(tokenizer->find("\u0120"), ' ');
  EXPECT_EQ(tokenizer->find("none"), -1);
  EXPECT_EQ(tokenizer->find(""), -1);
  EXPECT_EQ(tokenizer->token_text(' '), "\u0120");
  EXPECT_EQ(tokenizer->token_text(-1), "");
  EXPECT_EQ(tokenizer->token_type(control), TokenType::kControl);
  EXPECT_EQ(tokenizer->token_bytes(empty, true).value(), "");
  EXPECT_EQ(tokenizer->bos(), -1);
}

TEST(Tokenizer, RefusesIdsOutOfRange) {
  ByteVocabulary vocabulary;
  const auto tokenizer = make(vocabulary);
  for (const int32_t id : {-1, 256, INT32_MAX, INT32_MIN}) {
    const auto bytes = tokenizer->token_bytes(id, true);
    ASSERT_FALSE(bytes.ok()) << id;
    EXPECT_EQ(bytes.status().code(), StatusCode::kBadInput);
    EXPECT_FALSE(tokenizer->decode(Ids{'a', id}).ok());
    EXPECT_FALSE(StreamDecoder(*tokenizer).push(id).ok());
  }
}

TEST(Tokenizer, DecodesTokensOutsideTheAlphabetAsTheyAre) {
  ByteVocabulary vocabulary;
  const int32_t id = vocabulary.add("a \u4E2D");
  EXPECT_EQ(make(vocabulary)->token_bytes(id, false).value(), "a \u4E2D");
}

TEST(StreamDecoder, HoldsBackIncompleteCharacters) {
  ByteVocabulary vocabulary;
  const auto tokenizer = make(vocabulary);
  StreamDecoder stream(*tokenizer);
  EXPECT_EQ(stream.push('a').value(), "a");
  for (const int32_t part : {0xF0, 0x9F, 0x98}) EXPECT_EQ(stream.push(part).value(), "");
  EXPECT_EQ(stream.push(0x80).value(), "\U0001F600");
  EXPECT_EQ(stream.finish(), "");
}

TEST(StreamDecoder, ReplacesWhatNeverBecomesACharacter) {
  ByteVocabulary vocabulary;
  const auto tokenizer = make(vocabulary);
  StreamDecoder stream(*tokenizer);
  EXPECT_EQ(stream.push(0xE4).value(), "");
  EXPECT_EQ(stream.push('a').value(), "\uFFFDa");
  EXPECT_EQ(stream.push(0x80).value(), "\uFFFD");
  EXPECT_EQ(stream.push(0xF0).value(), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

// --- What create() refuses ---

TEST(Create, NamesTheModelsItKnows) {
  ByteVocabulary vocabulary;
  for (const char* model : {"rwkv", "plamo2", "none", "no_vocab", ""}) {
    vocabulary.get().model = model;
    const std::string message = refusal(vocabulary);
    EXPECT_NE(message.find("gpt2"), std::string::npos) << message;
    EXPECT_NE(message.find("t5"), std::string::npos) << message;
    EXPECT_NE(message.find("'" + std::string(model) + "'"), std::string::npos) << message;
  }
}

TEST(Create, RefusesAnUnknownPreTokenizer) {
  ByteVocabulary vocabulary("no-such");
  EXPECT_NE(refusal(vocabulary).find("'no-such'"), std::string::npos);
}

TEST(Create, RefusesCountsThatDisagree) {
  ByteVocabulary vocabulary;
  vocabulary.get().types.pop_back();
  EXPECT_NE(refusal(vocabulary).find("256, one per token, got 255"), std::string::npos);
  vocabulary.get().types.clear();
  EXPECT_EQ(refusal(vocabulary), "");
  vocabulary.get().tokens.clear();
  EXPECT_NE(refusal(vocabulary), "");
}

TEST(Create, RefusesTypesOutOfRange) {
  for (const int type : {0, 7, 255}) {
    ByteVocabulary vocabulary;
    vocabulary.get().types[5] = static_cast<TokenType>(type);
    EXPECT_NE(refusal(vocabulary).find("token 5"), std::string::npos) << type;
  }
}

TEST(Create, RefusesSpecialIdsOutOfRange) {
  for (const int32_t id : {-2, 256, INT32_MAX, INT32_MIN}) {
    ByteVocabulary bos, eos;
    bos.get().bos = id;
    eos.get().eos = id;
    EXPECT_NE(refusal(bos).find("BOS"), std::string::npos) << id;
    EXPECT_NE(refusal(eos).find("EOS"), std::string::npos) << id;
  }
}

TEST(Create, RefusesToAddATokenThatIsNone) {
  ByteVocabulary bos, eos;
  bos.get().add_bos = true;
  eos.get().add_eos = true;
  EXPECT_NE(refusal(bos).find("BOS"), std::string::npos);
  EXPECT_NE(refusal(eos).find("EOS"), std::string::npos);
}

TEST(Create, RefusesMalformedByteTokens) {
  for (const char* text : {"<0x-1>", "<0xZZ>", "<0x100>", "<0x1>", "<0x+1>", "<0X41>", "0x41", ""}) {
    ByteVocabulary vocabulary;
    vocabulary.add(text, TokenType::kByte);
    EXPECT_NE(refusal(vocabulary).find("token 256"), std::string::npos) << text;
  }
}

TEST(Create, RefusesTwoTokensWithOneText) {
  ByteVocabulary vocabulary;
  vocabulary.add("abc");
  vocabulary.add("abc");
  EXPECT_NE(refusal(vocabulary).find("token 257: expected a text of its own, got 'abc', which is token 256"),
            std::string::npos);
}

TEST(Create, RefusesSpecialTokensThatAreEmptyHugeOrIllFormed) {
  for (const TokenType type : {TokenType::kControl, TokenType::kUserDefined, TokenType::kUnknown}) {
    for (const std::string& text : {std::string(), std::string(1025, 'x'), std::string("\x80")}) {
      ByteVocabulary vocabulary;
      vocabulary.add(text, type);
      EXPECT_NE(refusal(vocabulary).find("token 256"), std::string::npos) << text.size();
    }
  }
}

TEST(Create, RefusesMergesThatAreNone) {
  for (const char* merge : {"", " ", "ab", "a ", " b", "a b c", "a  b", "a zz", "zz a", "a b"}) {
    ByteVocabulary vocabulary;
    vocabulary.add_merge(merge);
    EXPECT_NE(refusal(vocabulary).find("merge 0"), std::string::npos) << "'" << merge << "'";
  }
}

TEST(Create, WritesHostileTextSafely) {
  ByteVocabulary vocabulary;
  vocabulary.add_merge("\x1B[2J\xFF\n");
  const std::string message = refusal(vocabulary);
  EXPECT_EQ(message.find('\x1B'), std::string::npos);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace brisk::text
