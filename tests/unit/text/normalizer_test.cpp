// Normalizers: each step on stated values, what is refused, and that no text or map does harm. Equality with
// Hugging Face's tokenizers over all code points: tests/differential/test_normalizer.py.
#include "text/normalizer.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "base/utf8.hpp"
#include "support/chars_map_builder.hpp"
#include "text/base64.hpp"

namespace brisk::text {
namespace {

using test::CharsMapBuilder;

Result<Normalizer> read(const std::string& json) {
  const auto value = parse_json(json, "t");
  EXPECT_TRUE(value.ok()) << json;
  return Normalizer::from_json(value.ok() ? *value : Json(), "t");
}

std::string normalize(const Normalizer& normalizer, std::string_view text) {
  Normalizer::Scratch scratch;
  const std::string out(normalizer.apply(text, scratch));
  EXPECT_TRUE(scratch.status.ok()) << scratch.status.message();
  return out;
}

std::string normalize(const std::string& json, std::string_view text) {
  const auto normalizer = read(json);
  EXPECT_TRUE(normalizer.ok()) << normalizer.status().message();
  return normalizer.ok() ? normalize(*normalizer, text) : "";
}

std::string refusal(const std::string& json) {
  const auto normalizer = read(json);
  EXPECT_FALSE(normalizer.ok()) << json;
  if (normalizer.ok()) return "";
  EXPECT_EQ(normalizer.status().code(), StatusCode::kBadInput);
  return normalizer.status().message();
}

TEST(Normalizer, NullDoesNothing) {
  EXPECT_TRUE(read("null")->empty());
  EXPECT_EQ(normalize("null", "a b"), "a b");
}

TEST(Normalizer, UnicodeForms) {
  EXPECT_EQ(normalize(R"({"type":"NFD"})", "aé한x"), "ae\u0301\u1112\u1161\u11ABx");
  EXPECT_EQ(normalize(R"({"type":"NFC"})", "e\u0301 \u1112\u1161\u11AB"), "é 한");
  EXPECT_EQ(normalize(R"({"type":"NFKC"})", "ﬁ①\u00A0Å"), "fi1 Å");
  EXPECT_EQ(normalize(R"({"type":"NFKD"})", "½"), "1\u20442");
  EXPECT_EQ(normalize(R"({"type":"NFD"})", "a\u0301\u0323\u0302"), "a\u0323\u0301\u0302")
      << "marks are ordered";
  EXPECT_EQ(normalize(R"({"type":"NFC"})", "a\u0305\u0301"), "a\u0305\u0301") << "a mark of one class blocks";
  EXPECT_EQ(normalize(R"({"type":"NFC"})", "\u0958"), "\u0915\u093C") << "excluded from composition";
  EXPECT_EQ(normalize(R"({"type":"NFKC"})", "\u32FF"), "\u32FF") << "from after Unicode 9";
}

TEST(Normalizer, CaseAccentsAndSpace) {
  EXPECT_EQ(normalize(R"({"type":"Lowercase"})", "AÉİΣ\u1C89"), "aéi\u0307σ\u1C8A");
  EXPECT_EQ(normalize(R"({"type":"StripAccents"})", "e\u0301é"), "eé");
  EXPECT_EQ(normalize(R"({"type":"Strip"})", "\u00A0 a b\n"), "a b");
  EXPECT_EQ(normalize(R"({"type":"Strip","strip_left":false})", " a "), " a");
  EXPECT_EQ(normalize(R"({"type":"Strip"})", " \n "), "");
  EXPECT_EQ(normalize(R"({"type":"Nmt"})", "a\u200Bb\x07\tc"), "a b c");
}

TEST(Normalizer, PrependAndReplace) {
  EXPECT_EQ(normalize(R"({"type":"Prepend","prepend":"_"})", "a"), "_a");
  EXPECT_EQ(normalize(R"({"type":"Prepend","prepend":"_"})", ""), "");
  const auto replace = [](const std::string& pattern, const std::string& content) {
    return R"({"type":"Replace","pattern":)" + pattern + R"(,"content":")" + content + "\"}";
  };
  EXPECT_EQ(normalize(replace(R"({"String":"aa"})", "b"), "aaaaa"), "bba");
  EXPECT_EQ(normalize(replace(R"({"Regex":" {2,}"})", "_"), "a b  c   d "), "a b_c_d ");
  EXPECT_EQ(normalize(replace(R"({"Regex":"\\s+"})", " "), "\ta\n\u3000b"), " a b");
  EXPECT_EQ(normalize(replace(R"({"Regex":"\\n"})", "|"), "a\n\nb"), "a||b");
  EXPECT_EQ(normalize(replace(R"({"Regex":"x{2,}"})", ""), "axxxbx"), "abx");
  EXPECT_EQ(normalize(replace(R"({"Regex":"[ab]+c"})", "-"), "abcb"), "-b");
}

TEST(Normalizer, BertFollowsItsLowercaseForAccents) {
  EXPECT_EQ(normalize(R"({"type":"BertNormalizer"})", "É\tÅ日\x01"), "e a 日 ");
  EXPECT_EQ(normalize(R"({"type":"BertNormalizer","lowercase":false})", "ÉA"), "ÉA");
  EXPECT_EQ(normalize(R"({"type":"BertNormalizer","lowercase":false,"strip_accents":true})", "É"), "E");
  EXPECT_EQ(
      normalize(R"({"type":"BertNormalizer","handle_chinese_chars":false,"clean_text":false})", "日\x01"),
      "日\x01");
}

TEST(Normalizer, ByteLevelAndSequences) {
  EXPECT_EQ(normalize(R"({"type":"ByteLevel"})", " é"), "\u0120Ã©");
  EXPECT_EQ(normalize(R"({"type":"Sequence","normalizers":[{"type":"Strip"},{"type":"Sequence","normalizers":
                  [{"type":"Lowercase"}]},null,{"type":"Prepend","prepend":">"}]})",
                      " A "),
            ">a");
}

TEST(Normalizer, CharsMapTakesTheLongestOrTheGrapheme) {
  CharsMapBuilder builder;
  builder.add("a", "1").add("ab", "2").add("é", "e").add("\r", "");
  const auto longest = chars_map_step(builder.blob(), "t");
  ASSERT_TRUE(longest.ok()) << longest.status().message();
  EXPECT_EQ(normalize(Normalizer({*longest}), "abacé"), "21ce");
  const auto graphemes = chars_map_step(builder.blob(), "t", true);
  ASSERT_TRUE(graphemes.ok());
  // Shortest key first, and the whole grapheme goes: an accent after it, a line feed after its return.
  EXPECT_EQ(normalize(Normalizer({*graphemes}), "aba\u0301cé\r\nx"), "1b1cex");
}

TEST(Normalizer, HostileMapsAreRefused) {
  const auto refused = [](const std::string& blob, const char* why) {
    const auto step = chars_map_step(blob, "t");
    ASSERT_FALSE(step.ok()) << why;
    EXPECT_NE(step.status().message().find(why), std::string::npos) << step.status().message();
  };
  const std::string good = CharsMapBuilder().add("ab", "é").blob();
  ASSERT_TRUE(chars_map_step(good, "t").ok());
  refused("", "at least 4 bytes");
  refused(good.substr(0, 1000), "inside the map");
  refused("\xFF\xFF\xFF\xFF" + good.substr(4), "inside the map");
  refused(good + "\xFF", "UTF-8");
  CharsMapBuilder outside;
  outside.add("a", "x").units()[0] = 0x1FFFFFU << 10;
  refused(outside.blob(), "points outside");
  CharsMapBuilder loop;
  loop.add("a", "x").units()[256 ^ 'a'] = 'a' | ('a' << 10);  // its children are its brothers
  refused(loop.blob(), "a loop");
  CharsMapBuilder value;
  value.add("a", "x").units()[512] = 1000;
  refused(value.blob(), "outside the replacements");
  CharsMapBuilder half;
  half.add("a", "é").units()[512] = 1;
  refused(half.blob(), "into a character");
  refused(CharsMapBuilder().add(std::string(300, 'a'), "x").blob(), "more than 256 bytes");
}

TEST(Normalizer, RefusesByName) {
  EXPECT_NE(refusal(R"({"type":"Rot13"})").find("BertNormalizer, ByteLevel, Lowercase, NFC"),
            std::string::npos);
  EXPECT_NE(refusal("[]").find("an array"), std::string::npos);
  EXPECT_NE(refusal(R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"x"}]})")
                .find("normalizer.normalizers[1].type"),
            std::string::npos);
  refusal(R"({"type":"Sequence"})");
  refusal(R"({"type":"Strip","strip_left":1})");
  refusal(R"({"type":"Replace","pattern":{"String":""},"content":"a"})");
  refusal(R"({"type":"Replace","pattern":{"Regex":""},"content":"a"})");
  refusal(R"({"type":"Replace","pattern":{"Regex":"("},"content":"a"})");
  refusal(R"({"type":"Replace","pattern":{"String":"a"}})");
  refusal(R"({"type":"Precompiled","precompiled_charsmap":"%%%%"})");
  refusal(R"({"type":"Precompiled","precompiled_charsmap":"AAAA"})");
  std::string many = R"({"type":"Sequence","normalizers":[{"type":"NFC"})";
  for (int i = 0; i < 100; ++i) many += R"(,{"type":"NFC"})";
  EXPECT_NE(refusal(many + "]}").find("at most 64"), std::string::npos);
}

TEST(Normalizer, AGrowingTextIsStopped) {
  std::string json = R"({"type":"Sequence","normalizers":[{"type":"NFC"})";
  for (int i = 0; i < 60; ++i) json += R"(,{"type":"Replace","pattern":{"String":"a"},"content":"aa"})";
  const auto normalizer = read(json + "]}");
  ASSERT_TRUE(normalizer.ok());
  Normalizer::Scratch scratch;
  normalizer->apply("a", scratch);
  EXPECT_EQ(scratch.status.code(), StatusCode::kBadInput);
  EXPECT_EQ(normalize(*normalizer, "b"), "b") << "the scratch is good for the next text";
}

// Quadratic work would take minutes here.
TEST(Normalizer, LongRunsOfMarksAreLinear) {
  std::string marks = "a";
  for (int i = 0; i < 500'000; ++i) marks += i % 2 == 0 ? "\u0345" : "\u0334";
  const auto start = std::chrono::steady_clock::now();
  for (const char* type : {"NFC", "NFD", "NFKC", "NFKD"}) {
    const std::string out = normalize(R"({"type":")" + std::string(type) + "\"}", marks);
    EXPECT_EQ(out.size(), marks.size());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(Base64, DecodesAndRefuses) {
  EXPECT_EQ(decode_base64("aGVsbG8="), "hello");
  EXPECT_EQ(decode_base64("AP8="), std::string("\0\xFF", 2));
  EXPECT_EQ(decode_base64(""), "");
  for (const char* bad : {"a", "a===", "aGVsbG8", "aGVsbG9=x", "aG=sbG8=", "aGVsbG9=", " GVsbG8="}) {
    EXPECT_EQ(decode_base64(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace brisk::text
