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

// With padding, as writers leave it.
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
  EXPECT_EQ(scalar->type->dtype, DType::kF8E4M3);
  EXPECT_TRUE(scalar->shape.empty());
  EXPECT_EQ(scalar->data.size(), 1U);
  EXPECT_EQ((*file)->find("__metadata__"), nullptr);

  EXPECT_TRUE((*file)->get("a", DType::kF32, {2, 1}).ok());
  EXPECT_THAT((*file)->get("a", DType::kF32, {2}).status().message(),
              HasSubstr("tensor 'a': expected F32 [2], got F32 [2, 1]"));
  EXPECT_THAT((*file)->get("scalar", DType::kU8, {}).status().message(), HasSubstr("got F8_E4M3 []"));
  EXPECT_THAT((*file)->get("c", DType::kF32, {1}).status().message(), HasSubstr("no such tensor"));
}

// What the reference library accepts, beyond the plain form.
TEST(Safetensors, AcceptsWhatTheReferenceLibraryAccepts) {
  const std::string field = R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  const std::vector<std::pair<std::string, size_t>> files = {
      {"{}", 0},
      {"{}      ", 0},
      {" \n\r\t{} \n\t\r", 0},
      {R"({"__metadata__":null})", 0},
      {R"({"__metadata__":{}})", 0},
      {R"({"__metadata__":{"a":"1","a":"2"}})", 0},
      {R"({"":)" + field + "}", 1},
      {R"({"\u0000\ud83d\ude00\/":)" + field + "}", 1},
      {R"({"a":["U8",[1],[0,1]]})", 1},
      {R"({"a":{"dtype":{"U8":null},"shape":[1],"data_offsets":[0,1]}})", 1},
      {R"({"a":{"x":[{"y":null},1e300],"x":-0.0,"shape":[1],"data_offsets":[0,1],"dtype":"U8"}})", 1},
      {R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1},
      {R"({"a":{"dtype":"F64","shape":[0,9223372036854775807,2],"data_offsets":[0,0]}})", 0},
      {R"({"a":{"dtype":"F64","shape":[4294967296,2147483648,0],"data_offsets":[0,0]}})", 0},
      {R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[5,0]},"\u0061":)" + field + "}", 1},
      {R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},"a":)" + field + "}", 5},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":)" + std::string(125, '[') +
           std::string(125, ']') + "}}",
       1},
  };
  for (const auto& [header, bytes] : files) {
    const std::string text = file_of(header, bytes);
    const auto file = parse(text);
    EXPECT_TRUE(file.ok()) << header << "\n" << file.status().message();
  }
}

TEST(Safetensors, OfANameThatStandsTwiceTheLastCounts) {
  const std::string bytes = file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
      "b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"dtype":"I8","shape":[],"data_offsets":[0,1]}})",
                                    3);
  const auto file = parse(bytes);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_EQ((*file)->tensors().size(), 2U);
  EXPECT_TRUE((*file)->get("a", DType::kI8, {}).ok());
  EXPECT_TRUE((*file)->get("b", DType::kU8, {2}).ok());
}

TEST(Safetensors, DataMayBeginAtAnyAddress) {
  const std::string bytes = file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4);
  for (const size_t shift : {0, 1, 2, 3}) {
    const std::string moved = std::string(shift, 'x') + bytes;
    const auto file =
        SafetensorsFile::parse(std::as_bytes(std::span(moved)).subspan(shift), "test.safetensors");
    ASSERT_TRUE(file.ok()) << file.status().message();
    EXPECT_EQ(std::memcmp((*file)->find("a")->data.data(), bytes.data() + bytes.size() - 4, 4), 0);
  }
}

TEST(Safetensors, KnowsItsTypes) {
  EXPECT_EQ(find_safetensors_type("BF16")->dtype, DType::kBF16);
  EXPECT_EQ(find_safetensors_type("bf16"), nullptr);
  EXPECT_EQ(find_safetensors_type(DType::kBool)->name, "BOOL");
  EXPECT_EQ(find_safetensors_type(DType::kQ8_0), nullptr);
  for (const SafetensorsType& type : safetensors_types()) {
    EXPECT_EQ(find_safetensors_type(type.name), &type);
    if (!type.dtype) continue;
    EXPECT_EQ(find_safetensors_type(*type.dtype), &type);
    EXPECT_EQ(dtype_info(*type.dtype).block_bytes * 8, type.bits) << type.name;
  }
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
  const std::string u8 = R"("dtype":"U8","shape":[0],"data_offsets":[0,0])";
  return {
      {"empty", "", "8 bytes of the header's length"},
      {"cut_length", "1234567", "8 bytes of the header's length"},
      {"no_header", std::string(8, '\0'), "valid JSON"},
      {"huge_header", std::string(8, '\xFF') + "{}", "a header of at most 2 bytes"},
      {"long_header", std::string("\x03\0\0\0\0\0\0\0{}", 10), "a header of at most 2 bytes"},
      {"list", file_of("[]"), "an object, got a list"},
      {"number", file_of("1"), "an object, got number"},
      {"byte_order_mark", file_of("\xEF\xBB\xBF{}"), "a byte order mark"},
      {"zero_padding", file_of(std::string("{}\0\0", 4)), "a zero byte"},
      {"half_json", file_of("{\"a\":"), "1:6: expected valid JSON"},
      {"not_utf8", file_of("{\"\xFF\":1}"), "valid JSON"},
      {"surrogate_utf8", file_of("{\"\xED\xA0\x80\":1}"), "valid JSON"},
      {"lone_surrogate", file_of(R"({"\ud800":{)" + u8 + "}}"), "valid JSON"},
      {"low_surrogate", file_of(R"({"\udc00":{)" + u8 + "}}"), "valid JSON"},
      {"control_character", file_of("{\"a\tb\":{" + u8 + "}}"), "valid JSON"},
      {"huge_number", file_of(R"({"a":{)" + u8 + R"(,"x":1e400}})"), "valid JSON"},
      {"behind_json", file_of("{}{}"), "valid JSON"},
      {"comma", file_of("{\"a\":{" + u8 + "},}"), "valid JSON"},
      {"deep", file_of(R"({"a":{)" + u8 + R"(,"x":)" + std::string(126, '[') + std::string(126, ']') + "}}"),
       "127 levels deep"},
      {"not_an_object", file_of(R"({"a":1})"), "tensor 'a': expected an object, got number"},
      {"tensor_null", file_of(R"({"a":null})"), "tensor 'a': expected an object, got null"},
      {"tensor_text", file_of(R"({"a":"U8"})"), "tensor 'a': expected an object, got text"},
      {"metadata_number", file_of(R"({"__metadata__":{"a":1}})"), "metadata 'a': expected text, got number"},
      {"metadata_null_value", file_of(R"({"__metadata__":{"a":null}})"),
       "metadata 'a': expected text, got null"},
      {"metadata_nested", file_of(R"({"__metadata__":{"a":{}}})"),
       "metadata 'a': expected text, got an object"},
      {"metadata_text", file_of(R"({"__metadata__":"a"})"), "__metadata__: expected an object, got text"},
      {"metadata_list", file_of(R"({"__metadata__":[]})"), "__metadata__: expected an object, got a list"},
      {"metadata_twice", file_of(R"({"__metadata__":null,"\u005f_metadata__":{}})"), "it once, got it twice"},
      {"same_key", file_of(R"({"a":{"dtype":"U8",)" + u8 + "}}"), "dtype once, got it twice"},
      {"same_shape", file_of(R"({"a":{"shape":[],)" + u8 + "}}"), "shape once, got it twice"},
      {"same_offsets", file_of("{\"a\":{" + u8 + R"(,"data_offsets":[0,0]}})"), "data_offsets once"},
      {"no_dtype", file_of(R"({"a":{"shape":[0],"data_offsets":[0,0]}})"), "a field dtype, got none"},
      {"no_shape", file_of(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})"), "a field shape, got none"},
      {"no_offsets", file_of(R"({"a":{"dtype":"U8","shape":[0]}})"), "a field data_offsets, got none"},
      {"unknown_dtype", one(R"("F33")", "[1]", "[0,4]", 4), "got 'F33'"},
      {"dtype_number", one("1", "[1]", "[0,4]", 4), "a dtype such as F32, got number"},
      {"dtype_list", one("[]", "[1]", "[0,4]", 4), "a dtype such as F32, got a list"},
      {"dtype_empty_object", one("{}", "[1]", "[0,4]", 4), "one dtype, got none"},
      {"dtype_two_in_object", one(R"({"F32":null,"F32":null})", "[1]", "[0,4]", 4), "one dtype, got two"},
      {"dtype_object_unknown", one(R"({"F33":null})", "[1]", "[0,4]", 4), "got 'F33'"},
      {"dtype_object_value", one(R"({"F32":1})", "[1]", "[0,4]", 4), "null behind a dtype"},
      {"dtype_object_nested", one(R"({"F32":{}})", "[1]", "[0,4]", 4), "null behind a dtype"},
      {"short_list", file_of(R"({"a":["U8",[0]]})"), "a field data_offsets, got none"},
      {"long_list", file_of(R"({"a":["U8",[0],[0,0],1]})"), "three fields, got a fourth"},
      {"long_list_nested", file_of(R"({"a":["U8",[0],[0,0],[]]})"), "three fields, got a fourth"},
      {"turned_list", file_of(R"({"a":[[0],"U8",[0,0]]})"), "a dtype such as F32, got a list"},
      {"shape_text", one(f32, R"("1")", "[0,4]", 4), "a list of sizes, got text"},
      {"shape_object", one(f32, "{}", "[0,4]", 4), "a list of sizes, got an object"},
      {"shape_null", one(f32, "null", "[0,4]", 4), "a list of sizes, got null"},
      {"shape_nested", one(f32, "[[1]]", "[0,4]", 4), "whole numbers from 0, got a list"},
      {"shape_of_text", one(f32, R"(["1"])", "[0,4]", 4), "whole numbers from 0, got text"},
      {"shape_negative", one(f32, "[-1]", "[0,4]", 4), "whole numbers from 0"},
      {"shape_minus_zero", one(f32, "[-0]", "[0,0]", 0), "whole numbers from 0"},
      {"shape_fraction", one(f32, "[1.0]", "[0,4]", 4), "whole numbers from 0"},
      {"shape_exponent", one(f32, "[1e0]", "[0,4]", 4), "whole numbers from 0"},
      {"shape_too_large", one(f32, "[18446744073709551616]", "[0,4]", 4), "whole numbers from 0"},
      {"shape_beyond_int64", one(f32, "[0,9223372036854775808]", "[0,0]", 0), "sizes below 2^63"},
      {"shape_overflow", one(f32, "[4294967296,4294967296]", "[0,4]", 4), "fits 64 bits"},
      {"shape_overflow_before_zero", one(f32, "[4294967296,4294967296,0]", "[0,0]", 0), "fits 64 bits"},
      {"shape_wraps", one(f32, "[4194305,4194305,211106198978564]", "[0,16]", 16), "fits 64 bits"},
      {"bytes_overflow", one(f32, "[4611686018427387904]", "[0,4]", 4), "fits 64 bits"},
      {"half_byte", one(R"("F4")", "[3]", "[0,2]", 2), "whole bytes"},
      {"one_offset", one(f32, "[1]", "[0]", 4), "data_offsets of two numbers, got 1"},
      {"three_offsets", one(f32, "[1]", "[0,4,4]", 4), "data_offsets of two numbers, got 3"},
      {"offset_fraction", one(f32, "[1]", "[0,4.0]", 4), "whole numbers from 0"},
      {"offset_exponent", one(f32, "[1]", "[0,1e3]", 4), "whole numbers from 0"},
      {"offset_negative", one(f32, "[1]", "[-4,0]", 4), "whole numbers from 0"},
      {"offset_beyond_2_53", one(f32, "[1]", "[0,9007199254740993]", 4), "got 0 to 9007199254740993"},
      {"offset_largest", one(f32, "[1]", "[18446744073709551615,18446744073709551615]", 4),
       "bytes inside the 4 of data, got 184467"},
      {"offsets_turned", one(f32, "[1]", "[4,0]", 4), "got 4 to 0"},
      {"end_before_begin", two("[0,4]", "[4,0]", 4), "got 4 to 0"},
      {"beyond_the_end", one(f32, "[2]", "[0,8]", 4), "bytes inside the 4 of data"},
      {"other_size", one(f32, "[2]", "[0,4]", 4), "expected 8 bytes for [2] of F32, got 0 to 4"},
      {"overlap", two("[0,4]", "[2,6]", 6), "at 4, got 2"},
      {"same_bytes", two("[0,4]", "[0,4]", 4), "at 4, got 0"},
      {"gap", two("[0,4]", "[5,9]", 9), "at 4, got 5"},
      {"gap_first", two("[1,5]", "[5,9]", 9), "at 0, got 1"},
      {"behind_the_last", two("[0,4]", "[4,8]", 10), "no data behind the last tensor, got 2 bytes"},
      {"data_without_tensors", file_of("{}", 1), "no data behind the last tensor, got 1 bytes"},
      {"bad_before_the_last_of_a_name", file_of(R"({"a":{"dtype":"X"},"a":{)" + u8 + "}}"), "got 'X'"},
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
  EXPECT_THAT(parse(bytes, {100}).status().message(), HasSubstr("a header of at most 100 bytes, got 1002"));
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
  EXPECT_EQ(code({{"a", find_safetensors_type("F4"), {3}}}), StatusCode::kUsage) << "half a byte";
  EXPECT_EQ(files(), 0U) << "nothing is left";
}

TEST_F(SafetensorsFiles, EveryTypeIsWrittenAndReadBack) {
  std::vector<SafetensorsWriter::Entry> entries;
  for (const SafetensorsType& type : safetensors_types())
    entries.push_back({std::string(type.name), &type, {2, 4}});
  auto writer = SafetensorsWriter::create(path_, entries, {}, false);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  std::string data(writer->missing(), '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7);
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(data))).ok());
  ASSERT_TRUE(writer->commit().ok());
  const auto file = SafetensorsFile::open(path_);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_EQ((*file)->tensors().size(), entries.size());
  size_t at = 0;
  for (const SafetensorsType& type : safetensors_types()) {
    const SafetensorsTensor* tensor = (*file)->find(type.name);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->type, &type);
    EXPECT_EQ(tensor->data.size(), static_cast<size_t>(type.bits));
    EXPECT_EQ(std::memcmp(tensor->data.data(), data.data() + at, tensor->data.size()), 0);
    at += tensor->data.size();
  }
}

TEST_F(SafetensorsFiles, OpeningWhatIsNoFileIsAnError) {
  EXPECT_EQ(SafetensorsFile::open(folder_).status().code(), StatusCode::kEnvironment);
  EXPECT_EQ(SafetensorsFile::open(path_).status().code(), StatusCode::kEnvironment);
}

}  // namespace
}  // namespace brisk::formats
