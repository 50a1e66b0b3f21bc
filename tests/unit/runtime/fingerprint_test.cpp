// Fingerprints tell models apart: any difference in the metadata, the tensor table or a tensor's sample.
#include "runtime/fingerprint.hpp"

#include <gtest/gtest.h>

#include "support/gguf_builder.hpp"

namespace brisk::runtime {
namespace {

struct Built {
  std::string architecture = "llama";
  int64_t width = 64;
  std::vector<std::string> tokens = {"a", "b"};
  float first = 1, middle = 2, last = 3;
  DType type = DType::kF32;

  std::string digits() const {
    test::GgufBuilder builder;
    builder.add("general.architecture", architecture);
    builder.add("llama.embedding_length", static_cast<uint32_t>(width));
    builder.add("tokenizer.ggml.tokens", tokens);
    std::vector<float> values(16384, 0.5F);  // four samples of 4 KiB and more
    values.front() = first;
    values[values.size() / 2] = middle;
    values.back() = last;
    builder.add_tensor("same", {4}, DType::kF32, std::vector<float>(4, 1.0F));
    builder.add_tensor("weights", {16384}, type, values);
    const std::vector<std::byte> bytes = builder.build();
    const auto file = formats::GgufFile::parse(bytes, "test.gguf");
    EXPECT_TRUE(file.ok()) << file.status().message();
    const auto source = models::ModelSource::from_gguf(*file);
    EXPECT_TRUE(source.ok()) << source.status().message();
    const auto digits = fingerprint(**source);
    EXPECT_TRUE(digits.ok());
    return *digits;
  }
};

TEST(Fingerprint, IsTheSameForTheSameFile) {
  const std::string digits = Built{}.digits();
  EXPECT_EQ(digits.size(), 32U);
  EXPECT_EQ(digits.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(Built{}.digits(), digits);
}

TEST(Fingerprint, DiffersWhenAnyPartDoes) {
  const std::string digits = Built{}.digits();
  EXPECT_NE(Built{.architecture = "other"}.digits(), digits);
  EXPECT_NE(Built{.width = 65}.digits(), digits);
  EXPECT_NE((Built{.tokens = {"ab", ""}}.digits()), digits);
  EXPECT_NE(Built{.first = 1.5F}.digits(), digits) << "a fine-tune has the same shape and other numbers";
  EXPECT_NE(Built{.middle = 1.5F}.digits(), digits);
  EXPECT_NE(Built{.last = 1.5F}.digits(), digits);
  EXPECT_NE(Built{.type = DType::kBF16}.digits(), digits);
}

}  // namespace
}  // namespace brisk::runtime
