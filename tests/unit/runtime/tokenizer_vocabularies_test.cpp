// Real vocabularies: llama.cpp's expectation files (NAME.gguf with NAME.gguf.inp and .out beside it), and the
// ids that Hugging Face's tokenizers give (tests/data/tokenizers, tools/oracles/tokenizer_cases.py).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.hpp"
#include "base/paths.hpp"
#include "formats/gguf/gguf.hpp"
#include "text/tokenizer.hpp"

namespace brisk {
namespace {

using Ids = std::vector<int32_t>;

std::string source_folder() {
  const char* folder = std::getenv("BRISK_SOURCE_DIR");
  return folder != nullptr ? folder : ".";
}

std::string shared_vocabulary(const std::string& name) {
  const char* shared = std::getenv("BRISK_SHARED");
  const std::string root = shared != nullptr ? shared : source_folder() + "/../shared";
  return root + "/data/tokenizers/ggml-vocab-" + name + ".gguf";
}

/// SmolLM2's file where the quickstart keeps it, or the one that BRISK_SMOLLM2 names; "" when absent.
std::string smollm2_file() {
  if (const char* given = std::getenv("BRISK_SMOLLM2")) return given;
  const auto folder = models_folder();
  std::error_code error;
  if (!folder.ok()) return "";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.value(), error)) {
    if (entry.path().filename() == "SmolLM2-135M-Instruct.Q4_1.gguf") return entry.path();
  }
  return "";
}

struct Loaded {
  std::shared_ptr<formats::GgufFile> file;  // what the tokenizer views
  std::unique_ptr<text::Tokenizer> tokenizer;
};

text::TokenType token_type(const formats::GgufArray& types, size_t i) {
  return static_cast<text::TokenType>(types.bytes[i * sizeof(int32_t)]);  // small, little-endian
}

/// Another pre-tokenizer than the file's when one is named.
Loaded load(const std::string& path, const std::string& pre_tokenizer = "") {
  Loaded loaded;
  auto opened = formats::GgufFile::open(path);
  EXPECT_TRUE(opened.ok()) << opened.status().message();
  if (!opened.ok()) return loaded;
  loaded.file = opened.value();
  const auto& file = *loaded.file;
  text::Vocabulary vocabulary;
  vocabulary.where = path;
  vocabulary.model = file.metadata().get_string("tokenizer.ggml.model").value();
  vocabulary.pre_tokenizer =
      pre_tokenizer.empty() ? file.metadata().get_string("tokenizer.ggml.pre").value() : pre_tokenizer;
  vocabulary.tokens = file.metadata().get_array("tokenizer.ggml.tokens", formats::GgufType::kString).value()->strings;
  const auto merges = file.metadata().get_array("tokenizer.ggml.merges", formats::GgufType::kString);
  if (merges.ok()) vocabulary.merges = merges.value()->strings;
  const auto* types = file.metadata().get_array("tokenizer.ggml.token_type", formats::GgufType::kI32).value();
  for (size_t i = 0; i < types->count; ++i) vocabulary.types.push_back(token_type(*types, i));
  vocabulary.bos = static_cast<int32_t>(file.metadata().get_int_or("tokenizer.ggml.bos_token_id", -1).value());
  vocabulary.eos = static_cast<int32_t>(file.metadata().get_int_or("tokenizer.ggml.eos_token_id", -1).value());
  auto tokenizer = text::Tokenizer::create(vocabulary);
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
    const Ids ids = loaded.tokenizer->encode(texts[i], {.add_special = false, .parse_special = false}).value();
    EXPECT_EQ(ids, expected) << "case " << i << ": " << texts[i];
    EXPECT_EQ(loaded.tokenizer->decode(ids).value(), texts[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, ExpectationFiles, ::testing::Values("gpt-2", "falcon", "deepseek-llm"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

class OtherModels : public ::testing::TestWithParam<const char*> {};

TEST_P(OtherModels, AreRefusedByName) {
  const std::string path = shared_vocabulary(GetParam());
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set BRISK_SHARED)";
  const auto file = formats::GgufFile::open(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  text::Vocabulary vocabulary;
  vocabulary.model = file.value()->metadata().get_string("tokenizer.ggml.model").value();
  const auto tokenizer = text::Tokenizer::create(vocabulary);
  ASSERT_FALSE(tokenizer.ok());
  EXPECT_NE(tokenizer.status().message().find("'" + vocabulary.model + "'"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, OtherModels, ::testing::Values("llama-spm", "bert-bge", "phi-3"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

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
    EXPECT_EQ(loaded.tokenizer->encode(text, {.add_special = false, .parse_special = false}).value(), plain) << line;
    EXPECT_EQ(loaded.tokenizer->encode(text, {.add_special = false, .parse_special = true}).value(), special) << line;
  }
  EXPECT_GE(checked, 500);
}

TEST(HuggingFaceIds, OfSmolLM2Agree) {
  const std::string path = smollm2_file();
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
