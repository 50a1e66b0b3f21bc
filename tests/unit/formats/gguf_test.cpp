// Valid GGUF files: what they hold is what was put in.
#include "formats/gguf/gguf.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/gguf_builder.hpp"

namespace brisk::formats {
namespace {

using test::Bytes;
using test::GgufBuilder;

std::vector<float> ramp(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), -3.0F);
  return values;
}

GgufBuilder with_everything() {
  GgufBuilder b;
  b.add("general.architecture", "llama");
  b.add("u8", uint8_t{200});
  b.add("i8", int8_t{-100});
  b.add("u16", uint16_t{60000});
  b.add("i16", int16_t{-30000});
  b.add("u32", uint32_t{4000000000U});
  b.add("i32", int32_t{-2000000000});
  b.add("u64", uint64_t{1} << 63);
  b.add("i64", std::numeric_limits<int64_t>::min());
  b.add("f32", 0.5F);
  b.add("f64", 0.1);
  b.add("yes", true);
  b.add("no", false);
  b.add("bytes", std::string("\xFF\x00z", 3));
  b.add("ints", std::vector<int32_t>{-1, 0, 7});
  b.add_array("bools", GgufType::kBool, std::vector<uint8_t>{1, 0});
  b.add("strings", std::vector<std::string>{"a", "", "long one"});
  b.add("none", std::vector<float>{});
  b.add_tensor("scalar", {}, DType::kF32, ramp(1));
  b.add_tensor("matrix", {3, 64}, DType::kQ8_0, ramp(192));
  b.add_tensor("k", {2, 1, 256}, DType::kQ4_K, ramp(512));
  return b;
}

TEST(Gguf, TakesOddButLegalFiles) {
  GgufBuilder b;
  b.add("general.architecture", "");
  b.add("noch nie gehört.\u4e2d", uint32_t{1});
  b.add_tensor_raw("empty", {0}, 0, {});
  b.add_tensor_raw("empty rows", {64, 0}, 2, {});
  b.add_tensor("\u2603 \u200d.weight", {4}, DType::kF32, ramp(4));
  b.add_tensor_raw("empty at the end", {5, 0, 2}, 0, {});
  const Bytes bytes = b.build();
  auto parsed = GgufFile::parse(bytes, "odd");
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  EXPECT_EQ((*parsed)->find_tensor("empty")->data.size(), 0U);
  EXPECT_EQ((*parsed)->find_tensor("empty at the end")->shape, (Shape{2, 0, 5}));
  EXPECT_EQ((*parsed)->find_tensor("\u2603 \u200d.weight")->data.size(), 16U);
}

TEST(Gguf, GivesBackEveryTypeOfValue) {
  const Bytes bytes = with_everything().build();
  auto parsed = GgufFile::parse(bytes, "mem");
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const GgufFile& file = **parsed;
  EXPECT_EQ(file.version(), 3U);
  EXPECT_EQ(file.alignment(), 32U);
  EXPECT_EQ(file.file_bytes(), bytes.size());
  EXPECT_EQ(file.where(), "mem");
  EXPECT_EQ(file.mapping(), nullptr);
  EXPECT_EQ(file.metadata().entries().size(), 18U);
  EXPECT_EQ(file.metadata().entries()[1].first, "u8");
  EXPECT_EQ(*file.metadata().get_string("general.architecture"), "llama");
  EXPECT_EQ(*file.metadata().get_int("u8"), 200);
  EXPECT_EQ(*file.metadata().get_int("i8"), -100);
  EXPECT_EQ(*file.metadata().get_int("u16"), 60000);
  EXPECT_EQ(*file.metadata().get_int("i16"), -30000);
  EXPECT_EQ(*file.metadata().get_int("u32"), 4000000000);
  EXPECT_EQ(*file.metadata().get_int("i32"), -2000000000);
  EXPECT_EQ(*file.metadata().get_int("i64"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(*file.metadata().get_float("f32"), 0.5);
  EXPECT_EQ(*file.metadata().get_float("f64"), 0.1);
  EXPECT_TRUE(*file.metadata().get_bool("yes"));
  EXPECT_FALSE(*file.metadata().get_bool("no"));
  EXPECT_EQ(*file.metadata().get_string("bytes"), std::string_view("\xFF\x00z", 3));
  const GgufArray& ints = **file.metadata().get_array("ints", GgufType::kI32);
  ASSERT_EQ(ints.count, 3U);
  ASSERT_EQ(ints.bytes.size(), 12U);
  int32_t last = 0;
  std::memcpy(&last, ints.bytes.data() + 8, 4);
  EXPECT_EQ(last, 7);
  const GgufArray& bools = **file.metadata().get_array("bools", GgufType::kBool);
  EXPECT_EQ(bools.bytes[0], std::byte{1});
  const GgufArray& strings = **file.metadata().get_array("strings", GgufType::kString);
  EXPECT_EQ(strings.strings, (std::vector<std::string_view>{"a", "", "long one"}));
  EXPECT_EQ((*file.metadata().get_array("none", GgufType::kF32))->count, 0U);
}

TEST(Gguf, TensorsLieWhereTheFileSaysOutermostDimensionFirst) {
  const Bytes bytes = with_everything().build();
  auto parsed = GgufFile::parse(bytes, "mem");
  ASSERT_TRUE(parsed.ok());
  const GgufFile& file = **parsed;
  ASSERT_EQ(file.tensors().size(), 3U);
  EXPECT_EQ(file.tensors()[0].shape, Shape{});
  const GgufTensor* matrix = file.find_tensor("matrix");
  ASSERT_NE(matrix, nullptr);
  EXPECT_EQ(matrix->shape, (Shape{3, 64}));
  EXPECT_EQ(matrix->dtype, DType::kQ8_0);
  EXPECT_EQ(matrix->data.size(), 6U * 34);
  EXPECT_EQ(matrix->data.data(), bytes.data() + matrix->file_offset);
  EXPECT_EQ(matrix->file_offset % 32, 0U);
  EXPECT_EQ(file.find_tensor("k")->shape, (Shape{2, 1, 256}));
  EXPECT_EQ(file.find_tensor("absent"), nullptr);
  float out[192];
  quant::find_format(DType::kQ8_0)->decode(matrix->data.data(), 192, out);
  EXPECT_NEAR(out[100], 97.0F, 1.0F);
}

TEST(Gguf, LookupsNameKeyAndTypes) {
  const Bytes bytes = with_everything().build();
  auto parsed = GgufFile::parse(bytes, "mem");
  ASSERT_TRUE(parsed.ok());
  const GgufFile& file = **parsed;
  const std::pair<Status, const char*> cases[] = {
      {file.metadata().get_int("absent").status(), "no such key"},
      {file.metadata().get_float("absent").status(), "no such key"},
      {file.metadata().get_bool("absent").status(), "no such key"},
      {file.metadata().get_string("absent").status(), "no such key"},
      {file.metadata().get_array("absent", GgufType::kF32).status(), "no such key"},
      {file.metadata().get_int("f32").status(), "f32"},
      {file.metadata().get_int("u64").status(), "9223372036854775808"},
      {file.metadata().get_float("u32").status(), "u32"},
      {file.metadata().get_bool("u8").status(), "u8"},
      {file.metadata().get_string("ints").status(), "array of i32"},
      {file.metadata().get_array("ints", GgufType::kU32).status(), "array of i32"},
      {file.metadata().get_array("f64", GgufType::kF64).status(), "f64"},
      {file.metadata().get_int_or("f32", 1).status(), "f32"},
      {file.metadata().get_float_or("yes", 1).status(), "bool"},
      {file.metadata().get_bool_or("strings", true).status(), "array of string"},
  };
  for (const auto& [status, got] : cases) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.code(), StatusCode::kBadInput);
    EXPECT_EQ(status.parts().where.find("mem: key '"), 0U);
    EXPECT_EQ(status.parts().got, got);
    EXPECT_FALSE(status.parts().expected.empty());
    EXPECT_FALSE(status.parts().hint.empty());
  }
  EXPECT_EQ(*file.metadata().get_int_or("absent", 5), 5);
  EXPECT_EQ(*file.metadata().get_int_or("u8", 5), 200);
  EXPECT_EQ(*file.metadata().get_float_or("absent", 0.25), 0.25);
  EXPECT_TRUE(*file.metadata().get_bool_or("absent", true));
}

TEST(Gguf, AcceptsVersionsAlignmentsGapsAndOrder) {
  GgufBuilder v2;
  v2.version = 2;
  EXPECT_TRUE(GgufFile::parse(v2.build(), "v2").ok());

  for (const uint32_t alignment : {8U, 16U, 64U, 4096U}) {
    GgufBuilder b;
    b.set_alignment(alignment);
    b.add_tensor("a", {5}, DType::kF32, ramp(5));
    b.add_tensor("b", {5}, DType::kF16, ramp(5));
    const Bytes bytes = b.build();
    auto file = GgufFile::parse(bytes, "aligned");
    ASSERT_TRUE(file.ok()) << file.status().message();
    EXPECT_EQ((*file)->alignment(), alignment);
    EXPECT_EQ((*file)->find_tensor("b")->file_offset % alignment, 0U);
  }

  GgufBuilder swapped;  // the second tensor first, and a gap
  swapped.add_tensor("a", {8}, DType::kF32, ramp(8)).offset = 128;
  swapped.add_tensor("b", {8}, DType::kF32, ramp(8)).offset = 0;
  Bytes bytes = swapped.build();
  bytes.resize(bytes.size() + 128);
  EXPECT_TRUE(GgufFile::parse(bytes, "swapped").ok());
}

TEST(Gguf, OpensAFileAndKeepsItMapped) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("brisk_gguf_" + std::to_string(getpid()));
  with_everything().write(path);
  auto file = GgufFile::open(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_NE((*file)->mapping(), nullptr);
  EXPECT_EQ((*file)->tensors().size(), 3U);
  EXPECT_FALSE(GgufFile::open("/no/such/file").ok());
  EXPECT_EQ(GgufFile::open("/no/such/file").status().code(), StatusCode::kEnvironment);
}

// Names chosen to be slow for a hash table or a quadratic check cost nothing here: there is neither.
TEST(Gguf, ReadsALargeVocabularyAndManyTensorsQuickly) {
  GgufBuilder b;
  std::vector<std::string> tokens;
  for (int i = 0; i < 260'000; ++i) tokens.push_back("token" + std::to_string(i));
  b.add("tokenizer.ggml.tokens", tokens);
  const Bytes one(32);
  for (int i = 0; i < 50'000; ++i) b.add_tensor_raw("blk." + std::to_string(i) + ".weight", {8}, 0, one);
  const Bytes bytes = b.build();
  const auto begin = std::chrono::steady_clock::now();
  auto file = GgufFile::parse(bytes, "large");
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  ASSERT_TRUE(file.ok()) << file.status().message();
  RecordProperty("milliseconds", std::to_string(spent.count()));
  std::printf("260,000 strings and 50,000 tensors: %.1f ms\n", spent.count());
  // The bound of 100 ms and 10 ms per MiB of header; sanitizers and busy machines get room.
  EXPECT_LT(spent.count(), 2000.0);
}

TEST(Gguf, ReadsTheBuiltInModel) {
  const char* named = std::getenv("BRISK_MODEL");
  const char* home = std::getenv("HOME");
  const std::string path = named != nullptr ? std::string(named)
                                            : std::string(home != nullptr ? home : "") +
                                                  "/.cache/brisk/models/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "no built-in model at " << path << " (BRISK_MODEL names it)";
  const auto begin = std::chrono::steady_clock::now();
  auto parsed = GgufFile::open(path);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  std::printf("opened in %.2f ms\n", spent.count());
  const GgufFile& file = **parsed;
  EXPECT_EQ(file.tensors().size(), 272U);
  EXPECT_EQ(*file.metadata().get_string("general.architecture"), "llama");
  EXPECT_EQ(*file.metadata().get_int("llama.embedding_length"), 576);
  EXPECT_EQ((*file.metadata().get_array("tokenizer.ggml.tokens", GgufType::kString))->count, 49152U);
  int q4_1 = 0, f32 = 0, q8_0 = 0;
  for (const GgufTensor& tensor : file.tensors()) {
    q4_1 += tensor.dtype == DType::kQ4_1;
    f32 += tensor.dtype == DType::kF32;
    q8_0 += tensor.dtype == DType::kQ8_0;
  }
  EXPECT_EQ(q4_1, 210);
  EXPECT_EQ(f32, 61);
  EXPECT_EQ(q8_0, 1);
}

}  // namespace
}  // namespace brisk::formats
