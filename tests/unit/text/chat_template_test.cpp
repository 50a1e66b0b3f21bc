// Chat templates against Python's jinja2 (tools/oracles/chat_templates.py wrote what is expected): the
// public templates of the shared data, and our own snippets, compared exactly.
#include "text/chat_template.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace brisk::text {
namespace {

std::string source_folder() {
  const char* folder = std::getenv("BRISK_SOURCE_DIR");
  return folder == nullptr ? "." : folder;
}

std::string shared_folder() {
  const char* folder = std::getenv("BRISK_SHARED");
  return folder == nullptr ? source_folder() + "/../shared" : folder;
}

std::optional<std::string> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Json load(const std::string& name) {
  const auto text = contents(source_folder() + "/tests/data/chat_templates/" + name);
  EXPECT_TRUE(text.has_value()) << name;
  Result<Json> json = parse_json(text.value_or("{}"), name, {.depth = 64, .bytes = 64U << 20});
  EXPECT_TRUE(json.ok()) << json.status().message();
  return json.ok() ? *json : Json::object();
}

Result<std::string> render(std::string_view source, const Json& variables) {
  Result<ChatTemplate> parsed = ChatTemplate::parse(source, "t.jinja");
  if (!parsed.ok()) return parsed.status();
  return parsed->render(variables);
}

/// Whether the result is what the oracle says; null means an error.
bool matches(const Result<std::string>& result, const Json& expected, const std::string& name) {
  if (expected.is_null()) {
    EXPECT_FALSE(result.ok()) << name << "\nrendered what the reference refuses: " << *result;
    return !result.ok();
  }
  EXPECT_TRUE(result.ok()) << name << "\n" << result.status().message();
  if (!result.ok()) return false;
  EXPECT_EQ(*result, expected.get<std::string>()) << name;
  return *result == expected.get<std::string>();
}

TEST(ChatTemplateParity, SnippetsRenderAsInTheReference) {
  const Json cases = load("snippets.json");
  ASSERT_TRUE(cases.contains("snippets"));
  setenv("BRISK_NOW", cases["now"].get<std::string>().c_str(), 1);
  int passed = 0;
  for (const Json& snippet : cases["snippets"]) {
    const auto source = snippet[0].get<std::string>();
    passed += matches(render(source, cases["variables"]), snippet[1], source) ? 1 : 0;
  }
  std::cout << "snippets: " << passed << " of " << cases["snippets"].size() << " as in the reference\n";
  EXPECT_GE(cases["snippets"].size(), 500U);
}

TEST(ChatTemplateParity, PublicTemplatesRenderAsInTheReference) {
  const std::string folder = shared_folder() + "/data/chat-templates/";
  const Json cases = load("cases.json");
  ASSERT_TRUE(cases.contains("expected"));
  if (!contents(folder + cases["expected"].begin().key())) GTEST_SKIP() << "no shared data at " << folder;
  setenv("BRISK_NOW", cases["now"].get<std::string>().c_str(), 1);
  int passed = 0;
  int total = 0;
  for (const auto& [file, expected] : cases["expected"].items()) {
    const auto source = contents(folder + file);
    ASSERT_TRUE(source.has_value()) << file;
    const Result<ChatTemplate> parsed = ChatTemplate::parse(*source, file);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    for (const auto& [name, text] : expected.items()) {
      ++total;
      passed += matches(parsed->render(cases["conversations"][name]), text, file + " / " + name) ? 1 : 0;
    }
  }
  std::cout << "public templates: " << passed << " of " << total << " as in the reference\n";
  EXPECT_GE(total, 400);
}

}  // namespace
}  // namespace brisk::text
