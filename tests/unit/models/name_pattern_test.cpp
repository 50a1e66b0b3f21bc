// Patterns of module names: what they match from the start of a name, and what is refused.
#include "models/huggingface/name_pattern.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace brisk::models {
namespace {

bool matches(const std::string& pattern, std::string_view name) {
  const auto compiled = NamePattern::compile(pattern, "config.json: ignore");
  EXPECT_TRUE(compiled.ok()) << pattern << ": " << compiled.status().message();
  return compiled.ok() && compiled->matches(name);
}

TEST(NamePattern, MatchesAsPythonsReMatch) {
  struct Case {
    const char* pattern;
    const char* name;
    bool matches;
  };
  const Case cases[] = {
      {".*lm_head", "lm_head", true},
      {".*lm_head", "model.lm_head.inner", true},  // not to the end
      {".*lm_head$", "model.lm_head.inner", false},
      {"lm_head", "model.lm_head", false},  // from the start
      {"model\\.layers\\.(0|1)\\..*", "model.layers.1.mlp.up_proj", true},
      {"model\\.layers\\.(0|1)\\..*", "model.layers.2.mlp.up_proj", false},
      {"model\\.layers\\.(?:0|1)\\.", "model.layers.0.x", true},
      {".*layers\\.[0-9]+\\.mlp\\.down_proj$", "model.layers.37.mlp.down_proj", true},
      {".*layers\\.[^0-4]\\.", "model.layers.5.", true},
      {".*layers\\.[^0-4]\\.", "model.layers.4.", false},
      {".*\\.\\d\\.\\w+$", "a.3.q_proj", true},
      {".*\\.\\D\\.\\w+$", "a.3.q_proj", false},
      {".*self_attn.(q|k|v|o)_proj", "model.layers.0.self_attn.v_proj", true},
      {".*(gate|up)?_proj", "mlp._proj", true},
      {"^a+b*c$", "aaac", true},
      {"^a+b*c$", "bc", false},
      {"a.*?b", "axxb", true},
      {"", "anything", true},
      {"()", "x", true},
      {"a|", "b", true},
      {"(a|b)*c", "ababc", true},
      {"(a*)*b", "aaaaab", true},
      {"(a*)*b", "aaaaa", false},
      {"(a?)+", "", true},
      {"x$y", "xy", false},
      {"x^y", "xy", false},
      {"[]a]+$", "]a]", true},
      {"[a-]$", "-", true},
      {"[\\d_]+$", "1_2", true},
      {"\\.\\\\\\[", ".\\[", true},
      {".", "\xC3", true},
      {"\\s\\S", " x", true},
      {"\\W", "_", false},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(matches(each.pattern, each.name), each.matches) << each.pattern << " on " << each.name;
  }
}

TEST(NamePattern, RefusesWhatItDoesNotRead) {
  const std::string refused[] = {"(a",
                                 "a)",
                                 "[a",
                                 "[",
                                 "a{2}",
                                 "(?!a)b",
                                 "(?=a)",
                                 "(?<=a)b",
                                 "(?P<x>a)",
                                 "\\1",
                                 "a\\b",
                                 "\\",
                                 "*a",
                                 "a**",
                                 "+",
                                 "[b-a]",
                                 "(*)",
                                 "a\\",
                                 "[\\q]",
                                 "[a-\\d]",
                                 "a|*",
                                 std::string(40, '(') + std::string(40, ')'),
                                 std::string(1025, 'a')};
  for (const std::string& pattern : refused) {
    const auto compiled = NamePattern::compile(pattern, "config.json: ignore");
    ASSERT_EQ(compiled.status().code(), StatusCode::kBadInput) << pattern;
    EXPECT_EQ(compiled.status().parts().where, "config.json: ignore");
    EXPECT_NE(compiled.status().parts().got.find("'re:" + pattern.substr(0, 20)), std::string::npos);
  }
}

// A matcher that tries one way after the other needs 2^n steps for these.
TEST(NamePattern, NeedsLinearTimeWhateverThePattern) {
  const std::string name(2000, 'a');
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(matches("(a*)*(a*)*(a*)*b", name));
  EXPECT_FALSE(matches("(a|a|aa)*(a|aa)+$b", name));
  std::string optional;
  for (int i = 0; i < 150; ++i) optional += "a?";
  EXPECT_FALSE(matches(optional + std::string(600, 'a') + "b", name));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace brisk::models
