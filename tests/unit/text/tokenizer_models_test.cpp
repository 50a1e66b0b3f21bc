// The word models and the pipeline around them, on small specifications.
#include <gtest/gtest.h>

#include <map>

#include "text/tokenizer_spec.hpp"

namespace brisk::text {
namespace {

using Ids = std::vector<int32_t>;
constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};

std::unique_ptr<Tokenizer> make(const TokenizerSpec& spec) {
  auto tokenizer = create_tokenizer(spec);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  return tokenizer.ok() ? std::move(tokenizer).value() : nullptr;
}

std::string refusal(const TokenizerSpec& spec) {
  const auto tokenizer = create_tokenizer(spec);
  if (tokenizer.ok()) return "";
  EXPECT_EQ(tokenizer.status().code(), StatusCode::kBadInput);
  return tokenizer.status().message();
}

/// The texts of the tokens of `text`, with spaces between.
std::string pieces(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options = kPlain) {
  std::string out;
  const Ids ids = tokenizer.encode(text, options).value();
  for (const int32_t id : ids) out += (out.empty() ? "" : " ") + std::string(tokenizer.token_text(id));
  return out;
}

TokenizerSpec spec_of(WordModelKind model, std::vector<std::string_view> tokens) {
  TokenizerSpec spec;
  spec.where = "test";
  spec.model = model;
  spec.spelling = TokenSpelling::kPlain;
  spec.tokens = std::move(tokens);
  return spec;
}

// --- BPE over characters ---

TokenizerSpec character_bpe() {
  TokenizerSpec spec = spec_of(WordModelKind::kBpe, {"<unk>", "a", "b", "c", "ab", "abc", "é"});
  spec.merges = {{"a", "b"}, {"ab", "c"}};
  return spec;
}

TEST(CharacterBpe, MergesCharacters) { EXPECT_EQ(pieces(*make(character_bpe()), "abcabé"), "abc ab é"); }

TEST(CharacterBpe, LeavesOutWhatNothingStandsFor) {
  EXPECT_EQ(pieces(*make(character_bpe()), "xaxbx"), "ab");
}

TEST(CharacterBpe, PutsTheUnknownTokenForEachCharacterOrEachRun) {
  TokenizerSpec spec = character_bpe();
  spec.unknown = 0;
  EXPECT_EQ(pieces(*make(spec), "axyb"), "a <unk> <unk> b");
  spec.fuse_unknown = true;
  EXPECT_EQ(pieces(*make(spec), "axyb"), "a <unk> b");
}

TEST(CharacterBpe, FallsBackToBytesWhereAllAreThere) {
  TokenizerSpec spec = character_bpe();
  spec.unknown = 0;
  spec.byte_fallback = true;
  spec.tokens.insert(spec.tokens.end(), {"<0xC3>", "<0xA8>", "<0xE4>"});
  const auto tokenizer = make(spec);
  EXPECT_EQ(pieces(*tokenizer, "a\u00E8b"), "a <0xC3> <0xA8> b");
  EXPECT_EQ(pieces(*tokenizer, "\u4E2D"), "<unk>");  // two of three bytes are missing
  EXPECT_EQ(tokenizer->decode(Ids{7, 8}).value(), "\u00E8");
}

TEST(CharacterBpe, KnowsPrefixesAndSuffixesOfParts) {
  TokenizerSpec spec = spec_of(WordModelKind::kBpe, {"a", "##b", "ab", "b</w>", "##b</w>", "ab</w>"});
  spec.continuing_prefix = "##";
  spec.end_of_word_suffix = "</w>";
  spec.merges = {{"a", "##b</w>"}, {"a", "##b"}};
  const auto tokenizer = make(spec);
  EXPECT_EQ(pieces(*tokenizer, "ab"), "ab</w>");
  EXPECT_EQ(pieces(*tokenizer, "b"), "b</w>");
  EXPECT_EQ(pieces(*tokenizer, "abb"), "ab ##b</w>");
  EXPECT_EQ(tokenizer->decode(Ids{5, 3}).value(), "ab b");  // no space behind the last
}

TEST(CharacterBpe, TakesAWholeWord) {
  TokenizerSpec spec = character_bpe();
  spec.tokens.push_back("cab");
  EXPECT_EQ(pieces(*make(spec), "cab"), "c ab");
  spec.whole_words = true;
  EXPECT_EQ(pieces(*make(spec), "cab"), "cab");
}

TEST(CharacterBpe, CutsBeforeSpaceMarksOnlyWhereNoTokenReachesAcross) {
  TokenizerSpec spec = spec_of(WordModelKind::kBpe, {"a", "b", "\u2581", "a\u2581", "b\u2581", "\u2581a"});
  spec.spelling = TokenSpelling::kSpaceMark;
  spec.merges = {{"a", "\u2581"}, {"\u2581", "a"}};
  EXPECT_EQ(pieces(*make(spec), "a\u2581a\u2581a"), "a\u2581 a\u2581 a");
  EXPECT_EQ(pieces(*make(spec), "b\u2581a"), "b \u2581a");
}

// --- BPE by scores ---

TokenizerSpec scored() {
  TokenizerSpec spec = spec_of(WordModelKind::kScoredBpe, {"<unk>", "a", "b", "c", "ab", "bc", "abc", "aa"});
  spec.scores = {0, -10, -11, -12, -2, -1, -3, -5};
  spec.types.assign(spec.tokens.size(), TokenType::kNormal);
  spec.types[0] = TokenType::kUnknown;
  return spec;
}

TEST(ScoredBpe, MergesTheHighestScoreFirst) {
  EXPECT_EQ(pieces(*make(scored()), "abc"), "abc");  // bc, then a and bc
  EXPECT_EQ(pieces(*make(scored()), "abab"), "ab ab");
}

TEST(ScoredBpe, MergesTheLeftmostOfEqualScores) {
  EXPECT_EQ(pieces(*make(scored()), "aaa"), "aa a");
  TokenizerSpec spec = scored();
  spec.scores[4] = spec.scores[5] = -1;
  spec.tokens[6] = "x";
  EXPECT_EQ(pieces(*make(spec), "abc"), "ab c");
}

TEST(ScoredBpe, NeverMakesASpecialToken) {
  TokenizerSpec spec = scored();
  spec.types[6] = TokenType::kControl;
  EXPECT_EQ(pieces(*make(spec), "abc"), "a bc");
}

TEST(ScoredBpe, FallsBackToBytesThenToUnknown) {
  TokenizerSpec spec = scored();
  EXPECT_EQ(pieces(*make(spec), "aéb"), "a b");
  spec.unknown = 0;
  EXPECT_EQ(pieces(*make(spec), "aéb"), "a <unk> b");
  spec.tokens.insert(spec.tokens.end(), {"<0xC3>", "<0xA9>"});
  spec.types.insert(spec.types.end(), 2, TokenType::kByte);
  spec.scores.insert(spec.scores.end(), 2, 0.0);
  spec.byte_fallback = true;
  EXPECT_EQ(pieces(*make(spec), "aéb"), "a <0xC3> <0xA9> b");
  EXPECT_EQ(pieces(*make(spec), "<0xC3>").find("<0xC3>"), std::string::npos);  // written out: no byte
}

TEST(ScoredBpe, RefusesScoresThatAreMissingOrNoNumbers) {
  TokenizerSpec spec = scored();
  spec.scores[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(refusal(spec).find("score 3"), std::string::npos);
  spec.scores.pop_back();
  EXPECT_NE(refusal(spec).find("scores: expected 8, one per token, got 7"), std::string::npos);
}

// --- Unigram ---

TokenizerSpec unigram() {
  TokenizerSpec spec = spec_of(WordModelKind::kUnigram, {"<unk>", "a", "b", "ab", "aba", "ba"});
  spec.scores = {0, -3, -3, -4, -9, -4};
  spec.types.assign(spec.tokens.size(), TokenType::kNormal);
  spec.types[0] = TokenType::kUnknown;
  spec.unknown = 0;
  spec.fuse_unknown = true;
  return spec;
}

TEST(Unigram, TakesTheBestPath) {
  EXPECT_EQ(pieces(*make(unigram()), "aba"), "a ba");  // -7, as "ab a": the later one stays out
  EXPECT_EQ(pieces(*make(unigram()), "abab"), "ab ab");
  TokenizerSpec spec = unigram();
  spec.scores[4] = -6.5;
  EXPECT_EQ(pieces(*make(spec), "aba"), "aba");
}

TEST(Unigram, JoinsUnknownCharactersAlsoAcrossCuts) {
  EXPECT_EQ(pieces(*make(unigram()), "axyb"), "a <unk> b");
  EXPECT_EQ(pieces(*make(unigram()), "x\u2581y"), "<unk>");
  TokenizerSpec spec = unigram();
  spec.fuse_unknown = false;
  EXPECT_EQ(pieces(*make(spec), "x\u2581y"), "<unk> <unk> <unk>");
}

TEST(Unigram, AnUnknownCharacterCostsTenMoreThanTheWorstToken) {
  TokenizerSpec spec = spec_of(WordModelKind::kUnigram, {"<unk>", "a", "ax"});
  spec.scores = {0, -1, -12.5};
  spec.types = {TokenType::kUnknown, TokenType::kNormal, TokenType::kNormal};
  spec.unknown = 0;
  EXPECT_EQ(pieces(*make(spec), "ax"), "ax");  // -12.5; "a" and unknown: -1 - 22.5
  spec.scores[1] = 11;
  EXPECT_EQ(pieces(*make(spec), "ax"), "a <unk>");  // 11 - 22.5
}

TEST(Unigram, RefusesTokensThatAreTooLong) {
  TokenizerSpec spec = unigram();
  const std::string longest(1024, 'x'), longer(1025, 'x');
  spec.tokens[5] = longest;
  EXPECT_EQ(refusal(spec), "");
  spec.tokens[5] = longer;
  EXPECT_NE(refusal(spec).find("token 5: expected at most 1024 bytes, got 1025"), std::string::npos);
}

// --- WordPiece ---

TokenizerSpec word_piece() {
  TokenizerSpec spec = spec_of(WordModelKind::kWordPiece, {"[UNK]", "un", "##able", "##a", "##ble", "able"});
  spec.spelling = TokenSpelling::kWordPieces;
  spec.continuing_prefix = "##";
  spec.unknown = 0;
  spec.pre_tokenizer = PreTokenizer({bert_words_step()});
  return spec;
}

TEST(WordPiece, TakesTheLongestFirst) {
  EXPECT_EQ(pieces(*make(word_piece()), "unable able"), "un ##able able");
  EXPECT_EQ(pieces(*make(word_piece()), "unaable"), "un ##a ##able");
}

TEST(WordPiece, AWordThatCannotBeCutIsUnknownAsAWhole) {
  EXPECT_EQ(pieces(*make(word_piece()), "unabl able"), "[UNK] able");
  TokenizerSpec spec = word_piece();
  spec.unknown = -1;
  EXPECT_EQ(pieces(*make(spec), "unabl able"), "able");
}

TEST(WordPiece, HasALongestWord) {
  TokenizerSpec spec = word_piece();
  spec.longest_word = 6;
  EXPECT_EQ(pieces(*make(spec), "unable unaable"), "un ##able [UNK]");
}

TEST(WordPiece, JoinsPartsWhenDecoding) {
  TokenizerSpec spec = word_piece();
  spec.tokens.insert(spec.tokens.end(), {".", "'", "s"});
  EXPECT_EQ(make(spec)->decode(Ids{1, 2, 5, 6}).value(), "unable able .");
  spec.clean_up_spaces = true;
  EXPECT_EQ(make(spec)->decode(Ids{1, 2, 5, 6}).value(), "unable able.");
  EXPECT_EQ(make(spec)->token_bytes(5, true).value(), " able");
  EXPECT_EQ(make(spec)->token_bytes(2, true).value(), "able");
}

TEST(WordPiece, KnowsGgufMarks) {
  TokenizerSpec spec = spec_of(WordModelKind::kWordPiece, {"[UNK]", "\u2581un", "able", "\u2581"});
  spec.spelling = TokenSpelling::kSpaceMark;
  spec.word_prefix = "\u2581";
  spec.unknown = 0;
  EXPECT_EQ(pieces(*make(spec), "unable"), "\u2581un able");
  EXPECT_EQ(pieces(*make(spec), "able"), "\u2581 able");  // the mark alone, then what continues it
  EXPECT_EQ(pieces(*make(spec), "unx"), "[UNK]");
}

// --- The pipeline ---

TokenizerSpec with_added(AddedToken token) {
  TokenizerSpec spec = spec_of(WordModelKind::kBpe, {"a", "b", " ", "<x>", "<"});
  token.id = 3;
  token.text = "<x>";
  spec.added = {token};
  return spec;
}

TEST(AddedTokens, TakeWhiteSpaceAlong) {
  EXPECT_EQ(make(with_added({}))->encode("a <x> b").value(), (Ids{0, 2, 3, 2, 1}));
  EXPECT_EQ(make(with_added({.strip_left = true}))->encode("a\u00A0 <x> b").value(), (Ids{0, 3, 2, 1}));
  EXPECT_EQ(make(with_added({.strip_right = true}))->encode("a <x> \u3000b").value(), (Ids{0, 2, 3, 1}));
  const auto both = make(with_added({.strip_left = true, .strip_right = true}));
  EXPECT_EQ(both->encode("a <x> <x> b").value(), (Ids{0, 3, 3, 1}));
  EXPECT_EQ(both->encode(" <x> ").value(), (Ids{3}));
}

TEST(AddedTokens, OfOneWordStandAlone) {
  const auto tokenizer = make(with_added({.single_word = true}));
  EXPECT_EQ(tokenizer->encode("a<x>b").value(), (Ids{0, 4, 1}));  // x and > have no token
  EXPECT_EQ(tokenizer->encode("a <x> b").value(), (Ids{0, 2, 3, 2, 1}));
  EXPECT_EQ(tokenizer->encode("\u00E9<x>").value(), (Ids{4}));
  EXPECT_EQ(tokenizer->encode("<x>").value(), (Ids{3}));
}

TEST(AddedTokens, AreFoundInNormalizedText) {
  TokenizerSpec spec = with_added({.normalized = true});
  spec.normalizer = Normalizer({replace_step("x", "b"), replace_step("[", "<"), replace_step("]", ">")});
  const auto tokenizer = make(spec);  // looks for "<b>"
  EXPECT_EQ(tokenizer->encode("a[x]").value(), (Ids{0, 3}));
  EXPECT_EQ(tokenizer->encode("a<b>").value(), (Ids{0, 3}));
}

TEST(AddedTokens, ThatAreSpecialAreTextOfUsers) {
  const auto tokenizer = make(with_added({.special = true}));
  EXPECT_EQ(tokenizer->encode("a<x>b").value(), (Ids{0, 3, 1}));
  EXPECT_EQ(tokenizer->encode("a<x>b", kPlain).value(), (Ids{0, 4, 1}));
}

TEST(AddedTokens, RefuseEmptyTextsAndIdsOutOfRange) {
  TokenizerSpec empty = with_added({});
  empty.added[0].text = "";
  EXPECT_NE(refusal(empty).find("token 3"), std::string::npos);
  TokenizerSpec far = with_added({});
  far.added[0].id = 5;
  EXPECT_NE(refusal(far).find("an id below 5, got 5"), std::string::npos);
  TokenizerSpec gone = with_added({.normalized = true});
  gone.normalizer = Normalizer({replace_step("<x>", "")});
  EXPECT_NE(refusal(gone).find("token 3"), std::string::npos);  // nothing to look for: no endless loop
}

TEST(Affixes, StandAroundTheText) {
  TokenizerSpec spec = with_added({});
  spec.prefix = {3, 1};
  spec.suffix = {3};
  EXPECT_EQ(make(spec)->encode("a").value(), (Ids{3, 1, 0, 3}));
  EXPECT_EQ(make(spec)->encode("a", kPlain).value(), (Ids{0}));
  for (const int32_t id : {-1, -2, 5, INT32_MAX, INT32_MIN}) {
    TokenizerSpec prefix = spec, suffix = spec, end = spec, unknown = spec;
    prefix.prefix.push_back(id);
    suffix.suffix.push_back(id);
    end.ends.push_back(id);
    unknown.unknown = id;
    EXPECT_NE(refusal(prefix).find("prefix token"), std::string::npos) << id;
    EXPECT_NE(refusal(suffix).find("suffix token"), std::string::npos) << id;
    EXPECT_NE(refusal(end).find("end token"), std::string::npos) << id;
    EXPECT_EQ(refusal(unknown).find("unknown token") == std::string::npos, id == -1) << id;
  }
}

TEST(Ends, AreWhatTheFileLists) {
  TokenizerSpec spec = with_added({});
  spec.ends = {1};
  EXPECT_TRUE(make(spec)->ends_generation(1));
  EXPECT_FALSE(make(spec)->ends_generation(0));
}

TEST(Decoding, DropsOneSpaceAtTheBeginningOnly) {
  TokenizerSpec spec = spec_of(WordModelKind::kBpe, {"\u2581a", "\u2581", "<s>", "b"});
  spec.spelling = TokenSpelling::kSpaceMark;
  spec.types = {TokenType::kNormal, TokenType::kNormal, TokenType::kControl, TokenType::kNormal};
  spec.strip_first_space = true;
  const auto tokenizer = make(spec);
  EXPECT_EQ(tokenizer->decode(Ids{0, 0}).value(), "a a");
  EXPECT_EQ(tokenizer->decode(Ids{1, 1, 0}).value(), "  a");
  EXPECT_EQ(tokenizer->decode(Ids{3, 0}).value(), "b a");
  EXPECT_EQ(tokenizer->decode(Ids{2, 0}, false).value(), "a");  // nothing stands in front
  EXPECT_EQ(tokenizer->decode(Ids{2, 0}, true).value(), "<s> a");
  StreamDecoder begins(*tokenizer), continues(*tokenizer, false, true);
  EXPECT_EQ(begins.push(0).value(), "a");
  EXPECT_EQ(begins.push(0).value(), " a");
  EXPECT_EQ(continues.push(0).value(), " a");
}

// Not timed: what is not linear (or n log n) here ends at the limit of the test runner, hours too early.
TEST(HostileText, IsEncodedByEveryModel) {
  for (const TokenizerSpec& spec : {character_bpe(), scored(), unigram(), word_piece()}) {
    const auto tokenizer = make(spec);
    for (const char* unit : {"a", "ab", "\u2581", "\u0301", " ", "\n", "x"}) {
      std::string text;
      while (text.size() < (1U << 20)) text += unit;
      const auto ids = tokenizer->encode(text, kPlain);
      ASSERT_TRUE(ids.ok());
      EXPECT_LE(ids->size(), text.size());
    }
  }
}

// Words come back from the cache of a call as they were made first.
TEST(Words, ThatComeAgainGiveTheSameIds) {
  TokenizerSpec spec = scored();
  spec.pre_tokenizer = PreTokenizer({bert_words_step()});
  const auto tokenizer = make(spec);
  const std::map<std::string, Ids> words = {{"abc", {6}},
                                            {"aaa", {7, 1}},
                                            {"cab", {3, 4}},
                                            {"aaaaaaaaaaaaaaaaaaaaa", {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 1}}};
  std::string text;
  Ids expected;
  for (int round = 0; round < 100; ++round) {
    for (const auto& [word, ids] : words) {
      text += word + " ";
      expected.insert(expected.end(), ids.begin(), ids.end());
    }
  }
  EXPECT_EQ(tokenizer->encode(text).value(), expected);
}

}  // namespace
}  // namespace brisk::text
