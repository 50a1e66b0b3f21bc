// Which files a name means.
#include "hub/select.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brisk::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> chosen(const std::string& name, const std::vector<std::string>& files) {
  const auto parsed = parse_repo(name);
  EXPECT_TRUE(parsed.ok()) << name;
  const auto result = select_files(*parsed, files);
  return result.ok() ? *result : std::vector<std::string>{"error: " + result.status().message()};
}

TEST(SelectTest, LabelsAtTheEndOfNames) {
  const std::pair<std::string_view, std::string_view> labels[] = {{"model-Q4_K_M", "Q4_K_M"},
                                                                  {"model.q8_0", "Q8_0"},
                                                                  {"a/b-IQ2_XXS", "IQ2_XXS"},
                                                                  {"model-bf16", "BF16"},
                                                                  {"model-UD-Q4_K_XL", "UD-Q4_K_XL"},
                                                                  {"model-mxfp4", "MXFP4"},
                                                                  {"q4_0", "Q4_0"},
                                                                  {"model", ""},
                                                                  {"model-v0.1", ""},
                                                                  {"model-instruct", ""},
                                                                  {"model-q", ""},
                                                                  {"model-7b", ""},
                                                                  {"model-qwen", ""},
                                                                  {"", ""}};
  for (const auto& [name, label] : labels) EXPECT_EQ(quant_label(name), label) << name;
}

TEST(SelectTest, PrefersTheUsualQuants) {
  EXPECT_THAT(chosen("a/b", {"m-Q4_0.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf"}), ElementsAre("m-Q4_K_M.gguf"));
  EXPECT_THAT(chosen("a/b", {"m-Q4_0.gguf", "m-Q8_0.gguf"}), ElementsAre("m-Q4_0.gguf"));
  EXPECT_THAT(chosen("a/b", {"m-Q2_K.gguf", "m-Q8_0.gguf"}), ElementsAre("m-Q8_0.gguf"));
  EXPECT_THAT(chosen("a/b", {"m-Q2_K.gguf"}), ElementsAre("m-Q2_K.gguf"));
  EXPECT_THAT(chosen("a/b", {"m.gguf", "mmproj-m-f16.gguf", "m.imatrix.gguf"}), ElementsAre("m.gguf"));
  EXPECT_THAT(chosen("a/b", {"m-UD-Q4_K_M.gguf", "m-Q4_K_M.gguf"}), ElementsAre("m-Q4_K_M.gguf"));
}

TEST(SelectTest, QuantsByTheirSuffix) {
  const std::vector<std::string> files = {"m-IQ4_XS.gguf", "m-UD-Q4_K_XL.gguf", "m-q5_k_m.gguf",
                                          "m_custom.gguf"};
  EXPECT_THAT(chosen("a/b:iq4_xs", files), ElementsAre("m-IQ4_XS.gguf"));
  EXPECT_THAT(chosen("a/b:Q4_K_XL", files), ElementsAre("m-UD-Q4_K_XL.gguf"));
  EXPECT_THAT(chosen("a/b:UD-Q4_K_XL", files), ElementsAre("m-UD-Q4_K_XL.gguf"));
  EXPECT_THAT(chosen("a/b:Q5_K_M", files), ElementsAre("m-q5_k_m.gguf"));
  EXPECT_THAT(chosen("a/b:custom", files), ElementsAre("m_custom.gguf"));
  EXPECT_THAT(chosen("a/b:m_custom", files), ElementsAre("m_custom.gguf"));
  // A part of a label is none.
  EXPECT_THAT(chosen("a/b:K_M", files), ElementsAre(HasSubstr("none")));
  EXPECT_THAT(chosen("a/b:XS", files), ElementsAre(HasSubstr("none")));
}

TEST(SelectTest, LabelsOfFolders) {
  const std::vector<std::string> files = {"Q8_0/model.gguf", "BF16/model.gguf"};
  EXPECT_THAT(chosen("a/b:bf16", files), ElementsAre("BF16/model.gguf"));
}

TEST(SelectTest, PartsAreOneFile) {
  const std::vector<std::string> files = {"m-Q4_0-00002-of-00002.gguf", "m-Q4_0-00001-of-00002.gguf",
                                          "m-Q8_0-00001-of-00003.gguf", "m-x-00005-of-00003.gguf"};
  EXPECT_THAT(chosen("a/b:Q4_0", files),
              ElementsAre("m-Q4_0-00001-of-00002.gguf", "m-Q4_0-00002-of-00002.gguf"));
  EXPECT_THAT(chosen("a/b/m-Q4_0-00002-of-00002.gguf", files),
              ElementsAre("m-Q4_0-00001-of-00002.gguf", "m-Q4_0-00002-of-00002.gguf"));
  EXPECT_THAT(chosen("a/b:Q8_0", files), ElementsAre(HasSubstr("3 parts")));
  EXPECT_THAT(chosen("a/b/m-x-00005-of-00003.gguf", files), ElementsAre("m-x-00005-of-00003.gguf"));
}

TEST(SelectTest, SafetensorsBringWhatTheyNeed) {
  EXPECT_THAT(chosen("a/b", {"README.md", "config.json", "consolidated.safetensors", "model.safetensors",
                             "model.safetensors.index.json", "onnx/model.safetensors", "pytorch_model.bin",
                             "tokenizer.bin", "tokenizer.json", "tokenizer.model", "x.pt"}),
              ElementsAre("config.json", "model.safetensors.index.json", "tokenizer.json", "tokenizer.model",
                          "model.safetensors"));
  EXPECT_THAT(chosen("a/b", {"config.json", "pytorch_model.bin"}),
              ElementsAre(HasSubstr("pytorch_model.bin")));
  EXPECT_THAT(chosen("a/b", {}), ElementsAre(HasSubstr("no files")));
}

TEST(SelectTest, NeverAPickle) {
  for (const std::string file : {"pytorch_model.bin", "a.pt", "a.PTH", "a.ckpt", "a.pkl"}) {
    EXPECT_THAT(chosen("a/b/" + file, {file}), ElementsAre(HasSubstr("pickle"))) << file;
  }
}

}  // namespace
}  // namespace brisk::hub
