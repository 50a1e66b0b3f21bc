// Real vocabularies: llama.cpp's expectation files (NAME.gguf with NAME.gguf.inp and .out beside it), and the
// ids that Hugging Face's tokenizers and llama.cpp give (tests/data/tokenizers, made by tokenizer_cases.py
// and tokenizer_digests.py of tools/oracles).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <type_traits>

#include "base/json.hpp"
#include "base/paths.hpp"
#include "formats/gguf/gguf.hpp"
#include "runtime/vocabulary.hpp"
#include "support/many_script_text.hpp"
#include "text/tokenizer.hpp"

namespace brisk {
namespace {

using Ids = std::vector<int32_t>;

constexpr const char* kSmolLM2 = "SmolLM2-135M-Instruct.Q4_1.gguf";

std::string test_name(const ::testing::TestParamInfo<const char*>& test) {
  std::string name = test.param;
  for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
  return name;
}

std::string source_folder() {
  const char* folder = std::getenv("BRISK_SOURCE_DIR");
  return folder != nullptr ? folder : ".";
}

std::string shared_vocabulary(const std::string& name) {
  const char* shared = std::getenv("BRISK_SHARED");
  const std::string root = shared != nullptr ? shared : source_folder() + "/../shared";
  return root + "/data/tokenizers/ggml-vocab-" + name + ".gguf";
}

/// A file in the models folder, "" when absent. BRISK_SMOLLM2 names SmolLM2's.
std::string model_file(const std::string& name) {
  const char* given = std::getenv("BRISK_SMOLLM2");
  if (given != nullptr && name == kSmolLM2) return given;
  const auto folder = models_folder();
  std::error_code error;
  if (!folder.ok()) return "";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.value(), error)) {
    if (entry.path().filename() == name) return entry.path();
  }
  return "";
}

struct Loaded {
  std::shared_ptr<formats::GgufFile> file;  // what the tokenizer views
  std::unique_ptr<text::Tokenizer> tokenizer;
};

/// Another pre-tokenizer than the file's when one is named.
Loaded load(const std::string& path, const std::string& pre_tokenizer = "") {
  Loaded loaded;
  auto opened = formats::GgufFile::open(path);
  EXPECT_TRUE(opened.ok()) << opened.status().message();
  if (!opened.ok()) return loaded;
  loaded.file = opened.value();
  auto vocabulary = runtime::read_vocabulary(loaded.file->metadata());
  EXPECT_TRUE(vocabulary.ok()) << vocabulary.status().message();
  if (!vocabulary.ok()) return loaded;
  if (!pre_tokenizer.empty()) vocabulary->pre_tokenizer = pre_tokenizer;
  auto tokenizer = text::Tokenizer::create(*vocabulary);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  if (tokenizer.ok()) loaded.tokenizer = std::move(tokenizer).value();
  return loaded;
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split_at(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at; (at = text.find(separator, begin)) != std::string::npos; begin = at + separator.size()) {
    parts.push_back(text.substr(begin, at - begin));
  }
  if (begin < text.size()) parts.push_back(text.substr(begin));
  return parts;
}

class ExpectationFiles : public ::testing::TestWithParam<const char*> {};

TEST_P(ExpectationFiles, AgreeInEveryCase) {
  const std::string path = shared_vocabulary(GetParam());
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set BRISK_SHARED)";
  const Loaded loaded = load(path);
  ASSERT_NE(loaded.tokenizer, nullptr);
  const auto texts = split_at(read_all(path + ".inp"), "\n__ggml_vocab_test__\n");
  const auto lines = split_at(read_all(path + ".out"), "\n");
  ASSERT_EQ(texts.size(), lines.size());
  ASSERT_GE(texts.size(), 40U);
  for (size_t i = 0; i < texts.size(); ++i) {
    std::istringstream numbers(lines[i]);
    Ids expected;
    for (int32_t id; numbers >> id;) expected.push_back(id);
    const Ids ids =
        loaded.tokenizer->encode(texts[i], {.add_special = false, .parse_special = false}).value();
    EXPECT_EQ(ids, expected) << "case " << i << ": " << texts[i];
    if (std::string_view(GetParam()) == "bert-bge") continue;  // loses case and white space
    EXPECT_EQ(loaded.tokenizer->decode(ids).value(), texts[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, ExpectationFiles,
                         ::testing::Values("gpt-2", "falcon", "deepseek-llm", "llama-spm", "phi-3",
                                           "bert-bge"),
                         test_name);

/// FNV-1a, 64 bits.
template <typename Numbers>
std::string digest(const Numbers& numbers) {
  uint64_t value = 0xCBF29CE484222325;
  for (const auto number : numbers) {
    value = (value ^ static_cast<std::make_unsigned_t<decltype(number)>>(number)) * 0x100000001B3;
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

Json digests() { return Json::parse(read_all(source_folder() + "/tests/data/tokenizers/digests.json")); }

std::string without(std::string text, const std::string& part) {
  for (size_t at; !part.empty() && (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
  return text;
}

/// Where a vocabulary writes U+2581 for a space, a mark in the text comes back as one.
std::string spaces_for_marks(std::string text, const text::Tokenizer& tokenizer) {
  const std::string mark = "\u2581";
  if (tokenizer.find(mark) < 0) return text;
  for (size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, mark.size(), " ");
  return text;
}

std::string many_scripts() {
  const Json text = digests()["text"];
  return test::ManyScriptText::make(text["seed"].get<uint64_t>(), text["bytes"].get<size_t>());
}

TEST(ManyScripts, IsTheTextOfTheGenerator) {
  EXPECT_EQ(digest(many_scripts()), digests()["text"]["digest"].get<std::string>());
}

class ManyScripts : public ::testing::TestWithParam<const char*> {};

// 2 MB of many scripts: as many ids, and the same, as llama.cpp (for WordPiece: Hugging Face) gives.
TEST_P(ManyScripts, GiveTheRecordedIds) {
  const std::string name = GetParam();
  const bool shared = name.starts_with("ggml-vocab-");
  const std::string path = shared ? shared_vocabulary(name.substr(11, name.size() - 16)) : model_file(name);
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << name << " (set BRISK_SHARED)";
  const Loaded loaded = load(path);
  ASSERT_NE(loaded.tokenizer, nullptr);
  const Json all = digests()["vocabularies"];
  const auto row = std::find_if(all.begin(), all.end(), [&](const Json& r) { return r["file"] == name; });
  ASSERT_NE(row, all.end());
  const std::string text = without(many_scripts(), row->value("without", ""));
  for (const bool special : {false, true}) {
    const auto expected = row->find(special ? "special" : "plain");
    if (expected == row->end()) continue;
    const auto ids = loaded.tokenizer->encode(text, {.add_special = special, .parse_special = special});
    ASSERT_TRUE(ids.ok());
    EXPECT_EQ(static_cast<int64_t>(ids->size()), (*expected)["count"].get<int64_t>()) << special;
    EXPECT_EQ(digest(*ids), (*expected)["digest"].get<std::string>()) << special;
    const bool lossless = name.find("bert") == std::string::npos && !special;
    if (!lossless) continue;
    EXPECT_TRUE(loaded.tokenizer->decode(*ids).value() == spaces_for_marks(text, *loaded.tokenizer));
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, ManyScripts,
                         ::testing::Values("ggml-vocab-llama-spm.gguf", "ggml-vocab-phi-3.gguf",
                                           "ggml-vocab-bert-bge.gguf", "ggml-vocab-deepseek-llm.gguf",
                                           "ggml-vocab-falcon.gguf", "ggml-vocab-gpt-2.gguf", kSmolLM2,
                                           "gemma-3-270m-q4_k_m.gguf"),
                         test_name);

/// Compares with every line of a file of cases, whose first line names the pre-tokenizer.
void check_cases(const std::string& vocabulary, const std::string& cases) {
  std::ifstream file(source_folder() + "/tests/data/tokenizers/" + cases);
  std::string line;
  ASSERT_TRUE(std::getline(file, line)) << cases;
  const Json head = Json::parse(line);
  const Loaded loaded = load(vocabulary, head["pre_tokenizer"].get<std::string>());
  ASSERT_NE(loaded.tokenizer, nullptr);
  ASSERT_EQ(loaded.tokenizer->size(), head["tokens"].get<int32_t>());
  int checked = 0;
  for (; std::getline(file, line); ++checked) {
    const Json row = Json::parse(line);
    const auto text = row["text"].get<std::string>();
    const Ids plain = row["ids"].get<Ids>();
    const Ids special = row.contains("special") ? row["special"].get<Ids>() : plain;
    EXPECT_EQ(loaded.tokenizer->encode(text, {.add_special = false, .parse_special = false}).value(), plain)
        << line;
    EXPECT_EQ(loaded.tokenizer->encode(text, {.add_special = false, .parse_special = true}).value(), special)
        << line;
  }
  EXPECT_GE(checked, 500);
}

TEST(HuggingFaceIds, OfSmolLM2Agree) {
  const std::string path = model_file(kSmolLM2);
  if (path.empty())
    GTEST_SKIP() << "SmolLM2 is not in the models folder (scripts/fetch_model.sh or BRISK_SMOLLM2)";
  check_cases(path, "smollm2.jsonl");
}

// GPT-2's vocabulary cut as Llama 3 cuts, whole words first: an unusual pair that tests both.
TEST(HuggingFaceIds, OfWholeWordsFirstAgree) {
  const std::string path = shared_vocabulary("gpt-2");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set BRISK_SHARED)";
  check_cases(path, "gpt-2_llama-bpe.jsonl");
}

TEST(HuggingFaceIds, OfFalconAgree) {
  const std::string path = shared_vocabulary("falcon");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set BRISK_SHARED)";
  check_cases(path, "falcon.jsonl");
}

}  // namespace
}  // namespace brisk
