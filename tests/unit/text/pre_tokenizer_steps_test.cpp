// The steps of pre-tokenizers, each with the words that Hugging Face's tokenizers 0.23 give.
#include "text/pre_tokenizer_steps.hpp"

#include <gtest/gtest.h>

#include "text/known_patterns.hpp"

namespace brisk::text {
namespace {

using Strings = std::vector<std::string>;

Strings cut(std::vector<StepPtr> steps, std::string_view text, bool first = true) {
  Words words;
  const Status status = PreTokenizer(std::move(steps)).split(text, first, words);
  EXPECT_TRUE(status.ok());
  Strings out;
  for (const Words::Span& span : words.spans) {
    out.emplace_back(words.text.substr(span.begin, span.end - span.begin));
  }
  return out;
}

StepPtr dashes(SplitBehavior behavior, bool invert = false) {
  return literal_split_step("-", behavior, invert);
}

TEST(Split, BehavesInFiveWays) {
  EXPECT_EQ(cut({dashes(SplitBehavior::kRemoved)}, "a--b-"), (Strings{"a", "b"}));
  EXPECT_EQ(cut({dashes(SplitBehavior::kIsolated)}, "a--b-"), (Strings{"a", "-", "-", "b", "-"}));
  EXPECT_EQ(cut({dashes(SplitBehavior::kMergedWithPrevious)}, "a--b-"), (Strings{"a-", "-", "b-"}));
  EXPECT_EQ(cut({dashes(SplitBehavior::kMergedWithNext)}, "a--b-"), (Strings{"a", "-", "-b", "-"}));
  EXPECT_EQ(cut({dashes(SplitBehavior::kContiguous)}, "a--b-"), (Strings{"a", "--", "b", "-"}));
}

TEST(Split, MayBeInverted) {
  EXPECT_EQ(cut({dashes(SplitBehavior::kRemoved, true)}, "a--b-"), (Strings{"-", "-", "-"}));
  EXPECT_EQ(cut({dashes(SplitBehavior::kMergedWithPrevious, true)}, "a--b-"), (Strings{"a", "-", "-b", "-"}));
}

TEST(Split, AnEmptyLiteralMatchesNothing) {
  EXPECT_EQ(cut({literal_split_step("", SplitBehavior::kIsolated, false)}, "ab"), (Strings{"ab"}));
}

TEST(Split, AtEmptyMatchesOfAPattern) {
  const auto step = pattern_split_step("(?=b)", SplitBehavior::kIsolated, false, "test");
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(cut({*step}, "abab"), (Strings{"a", "ba", "b"}));
}

TEST(ByteLevel, PutsASpaceInFront) {
  EXPECT_EQ(cut({byte_level_step(true, true)}, "a b"), (Strings{" a", " b"}));
  EXPECT_EQ(cut({byte_level_step(true, false)}, " a b"), (Strings{" a b"}));
  EXPECT_EQ(cut({byte_level_step(false, false)}, "a b"), (Strings{"a b"}));
  EXPECT_EQ(cut({byte_level_step(true, true)}, ""), Strings{});
}

TEST(ByteLevel, PutsASpaceInFrontOfEachWordOfTheStepBefore) {
  EXPECT_EQ(cut({digits_step(true), byte_level_step(true, true)}, "a12"), (Strings{" a", " 1", " 2"}));
}

TEST(Metaspace, MarksSpaces) {
  const std::string mark = "\u2581";
  const auto step = [&](PrependScheme scheme, bool split) { return metaspace_step(mark, scheme, split); };
  EXPECT_EQ(cut({step(PrependScheme::kAlways, true)}, "a  b "),
            (Strings{mark + "a", mark, mark + "b", mark}));
  EXPECT_EQ(cut({step(PrependScheme::kNever, false)}, "a b"), (Strings{"a" + mark + "b"}));
  EXPECT_EQ(cut({step(PrependScheme::kAlways, true)}, mark + "a"), (Strings{mark + "a"}));
}

TEST(Metaspace, MarksTheFirstWordOnlyAtTheBeginningOfTheInput) {
  const StepPtr step = metaspace_step("_", PrependScheme::kFirst, true);
  EXPECT_EQ(cut({step}, "a b"), (Strings{"_a", "_b"}));
  EXPECT_EQ(cut({step}, "a b", false), (Strings{"a", "_b"}));
  // The step before dropped what stood there.
  EXPECT_EQ(cut({whitespace_split_step(), step}, " a b"), (Strings{"a", "b"}));
  EXPECT_EQ(cut({whitespace_split_step(), step, step}, " a b"), (Strings{"a", "b"}));
  EXPECT_EQ(cut({whitespace_split_step(), step}, "a b"), (Strings{"_a", "b"}));
}

TEST(Steps, OfCharacterKinds) {
  EXPECT_EQ(cut({digits_step(false)}, "a12\u0663b"), (Strings{"a", "12\u0663", "b"}));
  EXPECT_EQ(cut({digits_step(true)}, "a12"), (Strings{"a", "1", "2"}));
  EXPECT_EQ(cut({punctuation_step(SplitBehavior::kIsolated)}, "a$$\u3002"),
            (Strings{"a", "$", "$", "\u3002"}));
  EXPECT_EQ(cut({whitespace_step()}, "a_1 b!?\u0301"), (Strings{"a_1", "b", "!?", "\u0301"}));
  EXPECT_EQ(cut({whitespace_split_step()}, " a\u3000b! "), (Strings{"a", "b!"}));
  EXPECT_EQ(cut({bert_words_step()}, " a!b\n$"), (Strings{"a", "!", "b", "$"}));
  EXPECT_EQ(cut({char_delimiter_step("\u00A0")}, "a\u00A0\u00A0b"), (Strings{"a", "b"}));
  EXPECT_EQ(cut({fixed_length_step(2)}, "a\u4E2Dbcd"), (Strings{"a\u4E2D", "bc", "d"}));
}

TEST(Scripts, KanaAndHanAreOneAndSpacesAreOfAny) {
  EXPECT_EQ(cut({unicode_scripts_step()}, "ab \u4E2D\u3042\u30A2\u30FC \u0436c"),
            (Strings{"ab ", "\u4E2D\u3042\u30A2\u30FC ", "\u0436", "c"}));
  EXPECT_EQ(cut({unicode_scripts_step()}, "  a"), (Strings{"a"}));
  EXPECT_EQ(cut({unicode_scripts_step()}, "  "), Strings{});
}

TEST(KnownPatterns, AreFoundByTheirText) {
  for (const KnownPattern& known : known_patterns()) EXPECT_EQ(find_known_rule(known.regex), known.rule);
  EXPECT_EQ(find_known_rule(R"(\p{N}{1,2})"), nullptr);
  EXPECT_EQ(find_known_rule(""), nullptr);
}

}  // namespace
}  // namespace brisk::text
