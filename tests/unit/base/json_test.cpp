// parse_json and to_json_text: what is accepted, what is refused, and that hostile text costs little.
#include "base/json.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace brisk {
namespace {

std::string refusal(std::string_view text, JsonLimits limits = {}) {
  const Result<Json> result = parse_json(text, "t.json", limits);
  EXPECT_FALSE(result.ok()) << text.substr(0, 80);
  if (result.ok()) return "";
  EXPECT_EQ(result.status().code(), StatusCode::kBadInput);
  return result.status().message();
}

TEST(Json, ReadsEveryKindAndKeepsTheOrderOfKeys) {
  const auto result = parse_json(R"({"z":[1,-2,3.5,true,false,null],"a":"\u00e9\ud83d\ude00"})", "t.json");
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_EQ(to_json_text(*result), "{\"z\":[1,-2,3.5,true,false,null],\"a\":\"\u00e9\U0001F600\"}");
  EXPECT_EQ(to_json_text(*parse_json("[]", "t"), 2), "[]");
  EXPECT_EQ(to_json_text(*parse_json("[1]", "t"), 1), "[\n 1\n]");
  EXPECT_TRUE(parse_json(" 18446744073709551615 ", "t")->is_number_unsigned());
}

TEST(Json, LastOfDuplicateKeysWinsInSmallAndLargeObjects) {
  EXPECT_EQ(to_json_text(*parse_json(R"({"a":1,"b":2,"a":3})", "t")), R"({"a":3,"b":2})");
  std::string large = "{";
  for (int i = 0; i < 100; ++i) large += "\"k" + std::to_string(i % 50) + "\":" + std::to_string(i) + ",";
  large.back() = '}';
  const auto result = parse_json(large, "t");
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ((*result)["k" + std::to_string(i)], i + 50);
}

TEST(Json, DepthIsLimitedBeforeAnythingRecurses) {
  const std::string arrays(100'000, '[');
  EXPECT_NE(refusal(arrays).find("t.json:1:65"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"[\":\n";
  EXPECT_NE(refusal(objects).find("t.json:65:1"), std::string::npos);
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']'), "t").ok());
  refusal(std::string(65, '[') + std::string(65, ']'));
  refusal("[]", {.depth = 0});
}

TEST(Json, EveryCutOfADocumentIsRefused) {
  const std::string text = R"({"a":[1,{"b":"x\n\u00e9y"},-2.5e3],"c":null})";
  ASSERT_TRUE(parse_json(text, "t").ok());
  for (size_t length = 0; length < text.size(); ++length) refusal(text.substr(0, length));
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "NaN",
                           "Infinity",
                           "-Infinity",
                           "1e400",
                           "-1e400",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "'a'",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "1 2",
                           "[] x",
                           "{} {}",
                           "// c\n1",
                           "/**/1",
                           R"("\ud800")",
                           R"("\udc00")",
                           R"("\ud800\u0041")",
                           R"("\x41")",
                           "\"\xFF\"",
                           "\"\xC0\x80\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF4\x90\x80\x80\"",
                           "\"\xE2\x82\"",
                           "\"a\nb\"",
                           "\"\x01\""}) {
    refusal(text);
  }
  EXPECT_NE(refusal(std::string_view("1\0[", 3)).find("zero byte"), std::string::npos);
  EXPECT_NE(refusal("\xFF\xFE[\0]\0").find("UTF-16"), std::string::npos);
  refusal(std::string_view("[\0]\0", 4));
  EXPECT_NE(refusal("[1,\n 2,\n x]").find("t.json:3:2"), std::string::npos);
}

TEST(Json, AByteOrderMarkOfUtf8IsPassedOver) {
  ASSERT_TRUE(parse_json("\xEF\xBB\xBF[1]", "t").ok());
  refusal("\xEF\xBB[1]");
}

TEST(Json, SizeIsLimited) {
  EXPECT_TRUE(parse_json("[1,2]", "t", {.bytes = 5}).ok());
  EXPECT_NE(refusal("[1,23]", {.bytes = 5}).find("6 bytes"), std::string::npos);
}

TEST(Json, ManyKeysAreNotQuadratic) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  text.back() = '}';
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(parse_json(text, "t").ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Json, WritesOnlyValidText) {
  EXPECT_EQ(to_json_text(Json("a\xFFz")), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(to_json_text(Json(std::numeric_limits<double>::quiet_NaN())), "null");
  EXPECT_EQ(to_json_text(Json(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(to_json_text(Json("\x01\n\"")), R"("\u0001\n\"")");
}

}  // namespace
}  // namespace brisk
