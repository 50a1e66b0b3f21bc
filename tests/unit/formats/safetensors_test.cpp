// safetensors files: what is read, what is refused and why, and that the writer's files are read back.
#include "formats/safetensors/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/file.hpp"
#include "formats/safetensors/writer.hpp"

namespace brisk::formats {
namespace {

using testing::HasSubstr;

/// A file of this header, of which the data follows.
std::string file_of(const std::string& header, size_t data_bytes = 0) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
  bytes += header;
  for (size_t i = 0; i < data_bytes; ++i) bytes += static_cast<char>(i);
  return bytes;
}

Result<std::shared_ptr<SafetensorsFile>> parse(const std::string& bytes, SafetensorsLimits limits = {}) {
  return SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "test.safetensors", limits);
}

// With padding, so that the data begins at a multiple of 8.
std::string padded(std::string header) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirData) {
  const std::string bytes = file_of(padded(R"({"__metadata__":{"format":"pt","note":"é"},
      "b":{"dtype":"I8","shape":[3],"data_offsets":[8,11]},
      "a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8],"extra":[1]},
      "empty":{"dtype":"BF16","shape":[4,0],"data_offsets":[8,8]},
      "scalar":{"dtype":"F8_E4M3","shape":[],"data_offsets":[11,12]}})"),
                                    12);
  const auto file = parse(bytes);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_EQ((*file)->tensors().size(), 4U);
  EXPECT_EQ((*file)->tensors()[0].name, "a");
  EXPECT_EQ((*file)->tensors()[1].name, "empty");
  EXPECT_EQ((*file)->tensors()[2].name, "b");
  EXPECT_EQ((*file)->metadata().at("note"), "é");
  EXPECT_EQ((*file)->mapping(), nullptr);

  const SafetensorsTensor* b = (*file)->find("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->type->dtype, DType::kI8);
  EXPECT_EQ(b->data[0], std::byte{8});
  const SafetensorsTensor* scalar = (*file)->find("scalar");
  EXPECT_EQ(scalar->type->dtype, std::nullopt);
  EXPECT_TRUE(scalar->shape.empty());
  EXPECT_EQ(scalar->data.size(), 1U);
  EXPECT_EQ((*file)->find("__metadata__"), nullptr);

  EXPECT_TRUE((*file)->get("a", DType::kF32, {2, 1}).ok());
  EXPECT_THAT((*file)->get("a", DType::kF32, {2}).status().message(),
              HasSubstr("tensor 'a': expected F32 [2], got F32 [2, 1]"));
  EXPECT_THAT((*file)->get("scalar", DType::kU8, {}).status().message(), HasSubstr("got F8_E4M3 []"));
  EXPECT_THAT((*file)->get("c", DType::kF32, {1}).status().message(), HasSubstr("no such tensor"));
}

TEST(Safetensors, ReadsFilesWithoutTensors) {
  const std::string bytes = file_of("{}      ");
  const auto file = parse(bytes);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE((*file)->tensors().empty());
}

TEST(Safetensors, KnowsItsTypes) {
  EXPECT_EQ(find_safetensors_type("BF16")->dtype, DType::kBF16);
  EXPECT_EQ(find_safetensors_type("bf16"), nullptr);
  EXPECT_EQ(find_safetensors_type(DType::kBool)->name, "BOOL");
  EXPECT_EQ(find_safetensors_type(DType::kQ8_0), nullptr);
  EXPECT_EQ(safetensors_bytes(*find_safetensors_type("F4"), {2, 3}), 3U);
  EXPECT_EQ(safetensors_bytes(*find_safetensors_type("F4"), {3}), std::nullopt) << "half a byte";
  EXPECT_EQ(safetensors_bytes(*find_safetensors_type("F6_E2M3"), {4}), 3U);
  EXPECT_EQ(safetensors_bytes(*find_safetensors_type("F64"), {INT64_MAX / 4}), std::nullopt);
}

struct BadFile {
  const char* name;
  std::string bytes;
  const char* message;
};

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                size_t data_bytes) {
  return file_of(
      padded(R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}"),
      data_bytes);
}

std::string two(const std::string& first, const std::string& second, size_t data_bytes) {
  return file_of(padded(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
                        R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}"),
                 data_bytes);
}

std::vector<BadFile> bad_files() {
  const std::string f32 = R"("F32")";
  return {
      {"empty", "", "8 bytes for the length"},
      {"cut_length", "1234567", "8 bytes for the length"},
      {"no_header", std::string(8, '\0'), "begins with '{'"},
      {"huge_header", std::string(8, '\xFF') + "{}", "a header of at most 2 bytes"},
      {"long_header", std::string("\x03\0\0\0\0\0\0\0{}", 10), "a header of at most 2 bytes"},
      {"list", file_of("[]"), "begins with '{'"},
      {"space_first", file_of(" {}"), "begins with '{'"},
      {"half_json", file_of("{\"a\":"), "valid JSON"},
      {"not_utf8", file_of("{\"\xFF\":1}"), "valid JSON"},
      {"behind_json", file_of("{}{}"), "valid JSON"},
      {"deep", file_of(R"({"a":[[[[[[]]]]]]})"), "levels deep"},
      {"not_an_object", file_of(R"({"a":1})"), "'a': expected an object, got number"},
      {"metadata_number", file_of(R"({"__metadata__":{"a":1}})"), "metadata 'a': expected text"},
      {"metadata_text", file_of(R"({"__metadata__":"a"})"), "expected an object"},
      {"same_name",
       file_of(padded(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":)"
                      R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]}})")),
       "a name twice"},
      {"same_key", file_of(R"({"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       "a name twice"},
      {"no_dtype", file_of(R"({"a":{"shape":[0],"data_offsets":[0,0]}})"), "a dtype, got none"},
      {"unknown_dtype", one(R"("F33")", "[1]", "[0,4]", 4), "got 'F33'"},
      {"shape_text", one(f32, R"("1")", "[0,4]", 4), "no list of sizes"},
      {"shape_negative", one(f32, "[-1]", "[0,4]", 4), "no list of sizes"},
      {"shape_fraction", one(f32, "[1.5]", "[0,4]", 4), "no list of sizes"},
      {"shape_too_large", one(f32, "[18446744073709551615]", "[0,4]", 4), "no list of sizes"},
      {"shape_overflow", one(f32, "[4294967296,4294967296]", "[0,4]", 4), "fits 64 bits"},
      {"bytes_overflow", one(f32, "[4611686018427387904]", "[0,4]", 4), "fits 64 bits"},
      {"many_dimensions", one(f32, "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]", 4), "got 17"},
      {"half_byte", one(R"("F4")", "[3]", "[0,2]", 2), "whole bytes"},
      {"one_offset", one(f32, "[1]", "[0]", 4), "data_offsets of two numbers, got 1"},
      {"no_offsets", file_of(R"({"a":{"dtype":"U8","shape":[0]}})"), "data_offsets of two numbers, got none"},
      {"offsets_turned", one(f32, "[1]", "[4,0]", 4), "got 4 to 0"},
      {"beyond_the_end", one(f32, "[2]", "[0,8]", 4), "bytes inside the 4 of data"},
      {"other_size", one(f32, "[2]", "[0,4]", 4), "expected 8 bytes for [2] of F32, got 4"},
      {"overlap", two("[0,4]", "[2,6]", 6), "at 4, got 2"},
      {"same_bytes", two("[0,4]", "[0,4]", 4), "at 4, got 0"},
      {"gap", two("[0,4]", "[5,9]", 9), "at 4, got 5"},
      {"gap_first", two("[1,5]", "[5,9]", 9), "at 0, got 1"},
      {"behind_the_last", two("[0,4]", "[4,8]", 10), "no data behind the last tensor, got 2 bytes"},
      {"unaligned", file_of(padded(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})") + " ", 4),
       "at a multiple of 4 bytes"},
  };
}

class BadSafetensors : public testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedWithFourParts) {
  const auto file = parse(GetParam().bytes);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().code(), StatusCode::kBadInput);
  EXPECT_THAT(file.status().message(), HasSubstr(GetParam().message));
  EXPECT_THAT(file.status().message(), HasSubstr("test.safetensors"));
  EXPECT_FALSE(file.status().parts().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(Files, BadSafetensors, testing::ValuesIn(bad_files()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Safetensors, HeaderSizeIsBounded) {
  const std::string bytes = file_of("{" + std::string(1000, ' ') + "}");
  EXPECT_TRUE(parse(bytes).ok());
  EXPECT_THAT(parse(bytes, {100, 16}).status().message(),
              HasSubstr("a header of at most 100 bytes, got 1002"));
}

class SafetensorsFiles : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  const std::string folder_ = testing::TempDir() + "/brisk_safetensors_" + std::to_string(getpid());
  const std::string path_ = folder_ + "/a.safetensors";
};

TEST_F(SafetensorsFiles, WhatIsWrittenIsReadBack) {
  const float values[6] = {1, 2, 3, 4, 5, 6};
  {
    auto writer = SafetensorsWriter::create(
        path_,
        {{"weights", DType::kF32, {2, 3}}, {"nothing", DType::kF32, {0}}, {"a \"name\"\n", DType::kU8, {2}}},
        {{"made", "here"}, {"", "é"}}, false);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    const auto bytes = std::as_bytes(std::span(values));
    ASSERT_TRUE(writer->write(bytes.first(5)).ok());
    EXPECT_EQ(writer->commit().code(), StatusCode::kUsage) << "bytes are missing";
    ASSERT_TRUE(writer->write(bytes.subspan(5)).ok());
    ASSERT_TRUE(writer->write(bytes.first(2)).ok());
    EXPECT_EQ(writer->write(bytes.first(1)).code(), StatusCode::kUsage) << "one too many";
    ASSERT_TRUE(writer->commit().ok());
  }
  const auto file = SafetensorsFile::open(path_);
  ASSERT_TRUE(file.ok()) << file.status().message();
  const auto weights = (*file)->get("weights", DType::kF32, {2, 3});
  ASSERT_TRUE(weights.ok());
  EXPECT_EQ(std::memcmp((*weights)->data.data(), values, sizeof(values)), 0);
  EXPECT_EQ(((*weights)->data.data() - (*file)->mapping()->bytes().data()) % 64, 0) << "data begins aligned";
  EXPECT_TRUE((*file)->get("nothing", DType::kF32, {0}).ok());
  EXPECT_TRUE((*file)->get("a \"name\"\n", DType::kU8, {2}).ok());
  EXPECT_EQ((*file)->metadata(), (SafetensorsFile::Metadata{{"", "é"}, {"made", "here"}}));
}

TEST_F(SafetensorsFiles, WriterRefusesWhatNobodyCouldRead) {
  const auto code = [&](const std::vector<SafetensorsWriter::Entry>& tensors) {
    return SafetensorsWriter::create(path_, tensors, {}, false).status().code();
  };
  EXPECT_EQ(code({{"", DType::kF32, {1}}}), StatusCode::kUsage);
  EXPECT_EQ(code({{"\xFF", DType::kF32, {1}}}), StatusCode::kUsage);
  EXPECT_EQ(code({{"__metadata__", DType::kF32, {1}}}), StatusCode::kUsage);
  EXPECT_EQ(code({{"a", DType::kF32, {1}}, {"a", DType::kF32, {1}}}), StatusCode::kUsage);
  EXPECT_EQ(code({{"a", DType::kQ4_0, {32}}}), StatusCode::kUsage);
  EXPECT_EQ(code({{"a", DType::kF32, {-1}}}), StatusCode::kUsage);
  EXPECT_EQ(code({{"a", DType::kF32, {INT64_MAX}}}), StatusCode::kUsage);
  EXPECT_EQ(code({{"a", DType::kU8, {3}}, {"b", DType::kF32, {1}}}), StatusCode::kUsage) << "unaligned";
  EXPECT_EQ(files(), 0U) << "nothing is left";
}

TEST_F(SafetensorsFiles, OpeningWhatIsNoFileIsAnError) {
  EXPECT_EQ(SafetensorsFile::open(folder_).status().code(), StatusCode::kEnvironment);
  EXPECT_EQ(SafetensorsFile::open(path_).status().code(), StatusCode::kEnvironment);
}

}  // namespace
}  // namespace brisk::formats
