// What the writer writes the reader reads, and the parts of split models.
#include "formats/gguf/writer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>

#include "formats/gguf/split.hpp"
#include "support/gguf_builder.hpp"

namespace brisk::formats {
namespace {

using test::Bytes;
using test::GgufBuilder;
namespace fs = std::filesystem;

class GgufFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("brisk_gguf_" + std::to_string(::getpid()) + "_" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

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
  b.add("f32", 0.1F);
  b.add("f64", 0.1);
  b.add("yes", true);
  b.add("no", false);
  b.add("bytes", std::string("\xFF\x00z", 3));
  b.add("empty", "");
  b.add("ints", std::vector<int32_t>{-1, 0, 7});
  b.add_array("bools", GgufType::kBool, std::vector<uint8_t>{1, 0});
  b.add("strings", std::vector<std::string>{"a", "", "long one"});
  b.add("none", std::vector<float>{});
  std::vector<float> values(512);
  std::iota(values.begin(), values.end(), -3.0F);
  b.add_tensor("scalar", {}, DType::kF32, {values.data(), 1});
  b.add_tensor("matrix", {3, 64}, DType::kQ8_0, {values.data(), 192});
  b.add_tensor("k", {2, 1, 256}, DType::kQ4_K, values);
  return b;
}

Status copy(const GgufFile& from, const std::string& to, size_t piece) {
  std::vector<GgufWriter::Entry> entries;
  Bytes data;
  for (const GgufTensor& tensor : from.tensors()) {
    entries.push_back({std::string(tensor.name), tensor.dtype, tensor.shape});
    data.insert(data.end(), tensor.data.begin(), tensor.data.end());
  }
  auto writer = GgufWriter::create(to, from.metadata(), entries, false);
  if (!writer.ok()) return writer.status();
  for (size_t at = 0; at < data.size(); at += piece) {
    const auto rest = std::span(data).subspan(at);
    BRISK_TRY(writer->write(rest.first(std::min(piece, rest.size()))));
  }
  return writer->commit();
}

Bytes contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

TEST_F(GgufFolder, CopiesEveryTypeOfValueByteForByte) {
  for (const uint32_t alignment : {0U, 8U, 64U}) {
    GgufBuilder builder = with_everything();
    if (alignment != 0) builder.set_alignment(alignment);
    Bytes bytes = builder.build();
    bytes.resize((bytes.size() + builder.alignment - 1) / builder.alignment * builder.alignment);
    const auto file = GgufFile::parse(bytes, "mem");
    ASSERT_TRUE(file.ok()) << file.status().message();
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{1} << 20}) {
      const std::string to =
          path("copy-" + std::to_string(alignment) + "-" + std::to_string(piece) + ".gguf");
      const Status status = copy(**file, to, piece);
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(contents(to), bytes);
    }
  }
}

TEST_F(GgufFolder, LeavesNothingWhenNotFinished) {
  const std::vector<GgufWriter::Entry> entries = {{"a", DType::kF32, {4}}};
  const Bytes data(16);
  {
    auto writer = GgufWriter::create(path("a.gguf"), GgufMetadata(), entries, false);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->write(std::span(data).first(15)).ok());
    EXPECT_EQ(writer->commit().code(), StatusCode::kUsage);
  }
  EXPECT_EQ(files(), 0U);
  auto writer = GgufWriter::create(path("a.gguf"), GgufMetadata(), entries, false);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->write(data).ok());
  EXPECT_EQ(writer->write(std::span(data).first(1)).code(), StatusCode::kUsage);
  EXPECT_TRUE(writer->commit().ok());
  EXPECT_EQ(files(), 1U);
}

TEST_F(GgufFolder, RefusesWhatNobodyCouldRead) {
  using Entries = std::vector<GgufWriter::Entry>;
  const std::string long_name(64, 'x');
  for (const Entries& entries :
       {Entries{{"a", DType::kF32, {4}}, {"a", DType::kF32, {4}}}, Entries{{"", DType::kF32, {4}}},
        Entries{{long_name, DType::kF32, {4}}}, Entries{{"a\n", DType::kF32, {4}}},
        Entries{{"\xFF", DType::kF32, {4}}}, Entries{{"a", DType::kU8, {4}}},
        Entries{{"a", DType::kF32, {0}}}, Entries{{"a", DType::kF32, {-1}}},
        Entries{{"a", DType::kF32, {1, 1, 1, 1, 1}}}, Entries{{"a", DType::kQ4_0, {31}}},
        Entries{{"a", DType::kF32, {int64_t{1} << 62, 4}}}}) {
    const auto writer = GgufWriter::create(path("bad.gguf"), GgufMetadata(), entries, false);
    EXPECT_EQ(writer.status().code(), StatusCode::kUsage) << entries[0].name;
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(GgufFolder, RefusesMetadataThatTheReaderRefuses) {
  GgufMetadataBuilder control, alignment;
  control.add("a\x7F", true);
  alignment.add("general.alignment", "32");
  for (GgufMetadataBuilder* keys : {&control, &alignment}) {
    const GgufMetadata metadata = std::move(*keys).build("test");
    EXPECT_EQ(GgufWriter::create(path("bad.gguf"), metadata, {}, false).status().code(), StatusCode::kUsage);
  }
  GgufBuilder other_width;
  other_width.add("general.alignment", uint64_t{64});
  const Bytes bytes = other_width.build();
  EXPECT_FALSE(GgufFile::parse(bytes, "u64").ok()) << "our reader wants a u32, as the format says";
  static constexpr std::string_view kKey = "general.alignment";
  GgufMetadata metadata("test");
  ASSERT_FALSE(metadata.set_entries({{kKey, GgufValue{GgufType::kU64, uint64_t{64}}}}));
  EXPECT_EQ(GgufWriter::create(path("bad.gguf"), metadata, {}, false).status().code(), StatusCode::kUsage);
  EXPECT_EQ(files(), 0U);
}

// --- split models

struct Part {
  uint16_t number, count;
  int32_t tensors;
};

GgufBuilder part(const Part& keys, const std::vector<std::string>& names) {
  GgufBuilder b;
  if (keys.number == 0) b.add("general.architecture", "llama");
  b.add("split.no", keys.number);
  b.add("split.count", keys.count);
  b.add("split.tensors.count", keys.tensors);
  const std::vector<float> values(4, 1.0F);
  for (const std::string& name : names) b.add_tensor(name, {4}, DType::kF32, values);
  return b;
}

TEST_F(GgufFolder, JoinsThePartsFromAnyOfThem) {
  part({0, 3, 4}, {"a", "b"}).write(path("m-00001-of-00003.gguf"));
  part({1, 3, 4}, {"c"}).write(path("m-00002-of-00003.gguf"));
  part({2, 3, 4}, {"d"}).write(path("m-00003-of-00003.gguf"));
  for (const char* name : {"m-00001-of-00003.gguf", "m-00003-of-00003.gguf"}) {
    const auto parts = open_gguf_parts(path(name));
    ASSERT_TRUE(parts.ok()) << parts.status().message();
    ASSERT_EQ(parts->size(), 3U);
    EXPECT_EQ(*parts->at(0)->metadata().get_string("general.architecture"), "llama");
    EXPECT_NE(parts->at(2)->find_tensor("d"), nullptr);
  }
}

TEST_F(GgufFolder, NamesThePartThatIsWrong) {
  struct Case {
    const char* what;
    std::vector<Part> parts;
    const char* open;
    const char* in_message;
  };
  const std::vector<Case> cases = {
      {"missing", {{0, 3, 2}, {1, 3, 2}}, "m-00001-of-00003.gguf", "m-00003-of-00003.gguf"},
      {"number", {{0, 2, 2}, {0, 2, 2}}, "m-00001-of-00002.gguf", "m-00002-of-00002.gguf, split.no"},
      {"count", {{0, 2, 2}, {1, 5, 2}}, "m-00001-of-00002.gguf", "m-00002-of-00002.gguf, split.count"},
      {"count of the name", {{0, 65535, 2}, {1, 2, 2}}, "m-00001-of-00002.gguf", "as the name says"},
      {"another model",
       {{0, 2, 2}, {1, 2, 9}},
       "m-00001-of-00002.gguf",
       "m-00002-of-00002.gguf, split.tensors"},
      {"tensors", {{0, 2, 3}, {1, 2, 3}}, "m-00001-of-00002.gguf", "3 tensors"},
  };
  for (const Case& c : cases) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    const std::string end = std::string(c.open).substr(7);
    for (size_t i = 0; i < c.parts.size(); ++i) {
      part(c.parts[i], {"t" + std::to_string(i)}).write(path("m-0000" + std::to_string(i + 1) + end));
    }
    const auto parts = open_gguf_parts(path(c.open));
    ASSERT_FALSE(parts.ok()) << c.what;
    EXPECT_NE(parts.status().message().find(c.in_message), std::string::npos)
        << c.what << ": " << parts.status().message();
  }
}

TEST_F(GgufFolder, RefusesANumberThatNoPartHas) {
  part({0, 2, 2}, {"a"}).write(path("m-00001-of-00002.gguf"));
  part({1, 2, 2}, {"b"}).write(path("m-00002-of-00002.gguf"));
  for (const char* name : {"m-00000-of-00002.gguf", "m-00003-of-00002.gguf"}) {
    part({2, 2, 2}, {"c"}).write(path(name));
    const auto parts = open_gguf_parts(path(name));
    ASSERT_FALSE(parts.ok()) << name << " opened the other files";
    EXPECT_NE(parts.status().message().find(name), std::string::npos) << parts.status().message();
  }
}

TEST_F(GgufFolder, FindsTheFirstPartFromAnyOther) {
  part({0, 3, 9}, {"a"}).write(path("m-00001-of-00003.gguf"));
  part({1, 3, 9}, {"b"}).write(path("m-00002-of-00003.gguf"));  // the third is not there, nor needed
  for (const char* name : {"m-00001-of-00003.gguf", "m-00002-of-00003.gguf"}) {
    const auto first = open_first_gguf_part(path(name));
    ASSERT_TRUE(first.ok()) << first.status().message();
    EXPECT_NE((*first)->find_tensor("a"), nullptr) << name;
  }
  fs::rename(path("m-00002-of-00003.gguf"), path("m.gguf"));
  EXPECT_FALSE(open_first_gguf_part(path("m.gguf")).ok()) << "its name says nothing of the first part's";
  part({1, 3, 9}, {"c"}).write(path("n-00002-of-00003.gguf"));
  part({2, 3, 9}, {"d"}).write(path("n-00001-of-00003.gguf"));
  EXPECT_FALSE(open_first_gguf_part(path("n-00002-of-00003.gguf")).ok()) << "the first is not the first";
}

TEST_F(GgufFolder, RefusesAPartUnderAnotherName) {
  part({0, 2, 2}, {"a"}).write(path("model.gguf"));
  const auto parts = open_gguf_parts(path("model.gguf"));
  ASSERT_FALSE(parts.ok());
  EXPECT_NE(parts.status().message().find("split.count"), std::string::npos);
  // A whole model may be called as if it were a part.
  GgufBuilder whole;
  whole.add("general.architecture", "llama");
  whole.write(path("x-00001-of-00001.gguf"));
  EXPECT_TRUE(open_gguf_parts(path("x-00001-of-00001.gguf")).ok());
}

}  // namespace
}  // namespace brisk::formats
