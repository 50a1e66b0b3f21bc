// Chat templates against Python's jinja2 (tools/oracles/chat_templates.py wrote what is expected): the
// public templates of the shared data, our own snippets, and random templates, compared exactly.
#include "text/chat_template.hpp"

#include <gtest/gtest.h>

#include <chrono>
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

/// The files of public templates that the cases name; empty when the shared data is not there.
std::map<std::string, std::string> public_templates(const Json& cases) {
  std::map<std::string, std::string> sources;
  for (const auto& [file, expected] : cases["expected"].items()) {
    auto source = contents(shared_folder() + "/data/chat-templates/" + file);
    if (!source) return {};
    sources.emplace(file, std::move(*source));
  }
  return sources;
}

std::string fnv1a(std::string_view text) {
  uint64_t digest = 0xCBF29CE484222325ULL;
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  char buffer[17];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(digest));
  return buffer;
}

void check_snippets(const std::string& file, size_t least) {
  const Json cases = load(file);
  ASSERT_TRUE(cases.contains("snippets"));
  setenv("BRISK_NOW", cases["now"].get<std::string>().c_str(), 1);
  int passed = 0;
  for (const Json& snippet : cases["snippets"]) {
    const auto source = snippet[0].get<std::string>();
    passed += matches(render(source, cases["variables"]), snippet[1], source) ? 1 : 0;
  }
  std::cout << file << ": " << passed << " of " << cases["snippets"].size() << " as in the reference\n";
  EXPECT_GE(cases["snippets"].size(), least);
}

TEST(ChatTemplateParity, SnippetsRenderAsInTheReference) { check_snippets("snippets.json", 900); }

TEST(ChatTemplateParity, RandomTemplatesRenderAsInTheReference) { check_snippets("random.json", 3000); }

TEST(ChatTemplateParity, PublicTemplatesRenderAsInTheReference) {
  const Json cases = load("cases.json");
  ASSERT_TRUE(cases.contains("expected"));
  const auto sources = public_templates(cases);
  if (sources.empty()) GTEST_SKIP() << "no shared data at " << shared_folder();
  setenv("BRISK_NOW", cases["now"].get<std::string>().c_str(), 1);
  int passed = 0;
  int total = 0;
  for (const auto& [file, source] : sources) {
    const Result<ChatTemplate> parsed = ChatTemplate::parse(source, file);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    for (const auto& [name, text] : cases["expected"][file].items()) {
      ++total;
      passed += matches(parsed->render(cases["conversations"][name]), text, file + " / " + name) ? 1 : 0;
    }
  }
  std::cout << "public templates: " << passed << " of " << total << " as in the reference\n";
  EXPECT_GE(total, 1000);
}

TEST(ChatTemplateParity, PublicTemplatesTakeFurtherArgumentsAsInTheReference) {
  const Json cases = load("cases.json");
  ASSERT_TRUE(cases.contains("variants"));
  const auto sources = public_templates(cases);
  if (sources.empty()) GTEST_SKIP() << "no shared data at " << shared_folder();
  setenv("BRISK_NOW", cases["now"].get<std::string>().c_str(), 1);
  int passed = 0;
  int total = 0;
  for (const auto& [file, source] : sources) {
    const Result<ChatTemplate> parsed = ChatTemplate::parse(source, file);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    std::istringstream hashes(cases["variants"][file].get<std::string>());
    for (const auto& [name, conversation] : cases["conversations"].items()) {
      for (const auto& [set, arguments] : cases["arguments"].items()) {
        Json variables = conversation;
        variables.update(arguments);
        const Result<std::string> result = parsed->render(variables);
        std::string expected;
        ASSERT_TRUE(hashes >> expected);
        const std::string got = result.ok() ? fnv1a(*result) : "error";
        EXPECT_EQ(got, expected) << file << " / " << name << " / " << set << "\n"
                                 << (result.ok() ? *result : result.status().message());
        ++total;
        passed += got == expected ? 1 : 0;
      }
    }
  }
  std::cout << "public templates with arguments: " << passed << " of " << total << " as in the reference\n";
  EXPECT_GE(total, 5000);
}

TEST(ChatTemplateSpeed, AHundredMessagesTakeMilliseconds) {
  const std::string source =
      "{{ bos_token }}{% for message in messages %}{% if message['role'] not in ['user', 'assistant', "
      "'system'] "
      "%}{{ raise_exception('no such role') }}{% endif %}{{ '<|im_start|>' + message.role + '\n' }}{% if "
      "message.content is string %}{{ message.content | trim }}{% else %}{% for part in message.content %}{{ "
      "part.text }}{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ "
      "'<|im_start|>assistant\n' }}{% endif %}";
  const auto parsed = ChatTemplate::parse(source, "t.jinja");
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  Json variables = {{"bos_token", "<s>"}, {"add_generation_prompt", true}, {"messages", Json::array()}};
  for (int i = 0; i < 100; ++i) {
    variables["messages"].push_back(
        {{"role", i % 2 ? "assistant" : "user"}, {"content", std::string(400, 'x') + " "}});
  }
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(parsed->render(variables).ok());
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - begin;
    best = std::min(best, passed.count());
  }
  std::cout << "100 messages: " << best << " ms\n";
#if !defined(BRISK_SANITIZED)
  EXPECT_LT(best, 5.0);
#endif
}

}  // namespace
}  // namespace brisk::text
