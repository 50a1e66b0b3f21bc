// Bad GGUF files by the hundred: each is refused with a bad-input error of four parts.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/gguf/gguf.hpp"
#include "support/gguf_builder.hpp"

namespace brisk::formats {
namespace {

using test::append;
using test::Bytes;
using test::GgufBuilder;

constexpr uint64_t kMax64 = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

GgufBuilder valid() {
  GgufBuilder b;
  b.add("general.architecture", "llama");
  b.add("llama.block_count", uint32_t{2});
  b.add("flag", true);
  b.add("tokens", std::vector<std::string>{"a", "bc", ""});
  b.add("types", std::vector<int32_t>{1, 2, 3});
  const std::vector<float> values(256, 0.25F);
  b.add_tensor("a.weight", {4, 64}, DType::kQ4_0, values);
  b.add_tensor("b.weight", {256}, DType::kF32, values);
  return b;
}

// The file is refused; the message has all parts and `word` in it (empty: no particular word).
void expect_refused(std::span<const std::byte> bytes, const std::string& what, const std::string& word = {}) {
  const auto file = GgufFile::parse(bytes, "bad.gguf");
  ASSERT_FALSE(file.ok()) << what << " was accepted";
  const Status& status = file.status();
  EXPECT_EQ(status.code(), StatusCode::kBadInput) << what;
  EXPECT_EQ(status.parts().where.find("bad.gguf: "), 0U) << what << ": " << status.message();
  EXPECT_FALSE(status.parts().expected.empty()) << what;
  EXPECT_FALSE(status.parts().got.empty()) << what;
  EXPECT_FALSE(status.parts().hint.empty()) << what;
  EXPECT_LE(status.message().size(), 2048U) << what;
  EXPECT_NE(status.message().find(word), std::string::npos) << what << ": " << status.message();
}

struct Case {
  const char* what;
  const char* word;  // that the message must hold
  std::function<void(GgufBuilder&)> spoil;
};

void run(const std::vector<Case>& cases) {
  ASSERT_TRUE(GgufFile::parse(valid().build(), "valid").ok());
  for (const Case& c : cases) {
    GgufBuilder b = valid();
    c.spoil(b);
    expect_refused(b.build(), c.what, c.word);
  }
  std::printf("%zu cases\n", cases.size());
}

Bytes text(std::string_view t) {
  Bytes out;
  append(out, std::as_bytes(std::span(t)));
  return out;
}

TEST(GgufBad, MagicAndVersion) {
  expect_refused({}, "an empty file", "0 bytes");
  expect_refused(text("GGU"), "three bytes", "3 bytes");
  expect_refused(text("\x89PNG\r\n\x1a\n and more"), "a picture", "GGUF");
  expect_refused(text("PK\x03\x04 and more of it"), "an archive", "archive");
  expect_refused(text("version https://git-lfs.github.com/spec/v1"), "an LFS pointer", "LFS");
  expect_refused(text("GGUF"), "the magic alone", "version");
  run({
      {"GGUX", "GGUX", [](auto& b) { b.magic = "GGUX"; }},
      {"lower case", "gguf", [](auto& b) { b.magic = "gguf"; }},
      {"an older format", "older format", [](auto& b) { b.magic = "tjgg"; }},
      {"version 0", "version 0", [](auto& b) { b.version = 0; }},
      {"version 1", "version 1", [](auto& b) { b.version = 1; }},
      {"version 4", "version 4", [](auto& b) { b.version = 4; }},
      {"version 2^32 - 1", "4294967295", [](auto& b) { b.version = 0xFFFFFFFF; }},
      {"version 3 swapped", "big-endian", [](auto& b) { b.version = 0x03000000; }},
      {"version 2 swapped", "big-endian", [](auto& b) { b.version = 0x02000000; }},
  });
}

TEST(GgufBad, Counts) {
  std::vector<Case> cases;
  // 2^61 * 8, (2^64 / 24 + 1) * 24 and kin wrap when multiplied by the size of an entry.
  for (const uint64_t count :
       {uint64_t{1} << 63, kMax64, uint64_t{1} << 32, uint64_t{1} << 61, kMax64 / 24 + 1, kMax64 / 13 + 1,
        kMax64 / 8, uint64_t{1000}, uint64_t{1} << 16, uint64_t{1} << 18}) {
    cases.push_back({"tensor count", "", [count](auto& b) { b.n_tensors = count; }});
    cases.push_back({"key count", "", [count](auto& b) { b.n_keys = count; }});
  }
  cases.push_back({"one tensor too many", "", [](auto& b) { b.n_tensors = 3; }});
  cases.push_back({"one key too many", "", [](auto& b) { b.n_keys = 6; }});
  cases.push_back({"one key too few", "", [](auto& b) { b.n_keys = 4; }});
  run(cases);
}

TEST(GgufBad, LengthsOfStringsAndArrays) {
  std::vector<Case> cases;
  for (const uint64_t length : {uint64_t{1} << 62, kMax64, kMax64 - 7, uint64_t{1} << 32, uint64_t{5000}}) {
    cases.push_back({"string length", "s", [length](auto& b) {
                       Bytes value;
                       append(value, length);
                       b.add_raw("s", 8, value);
                     }});
    for (uint32_t element = 0; element <= 12; ++element) {
      cases.push_back({"array count", "", [length, element](auto& b) {
                         Bytes value;
                         append(value, element);
                         append(value, length);
                         b.add_raw("arr", 9, value);
                       }});
    }
  }
  run(cases);

  // Lengths in front of a key and of a tensor's name.
  const Bytes file = valid().build();
  for (const uint64_t length : {kMax64, uint64_t{1} << 62, uint64_t{0}, uint64_t{65536}}) {
    Bytes spoiled = file;
    std::memcpy(spoiled.data() + 24, &length, sizeof(length));
    expect_refused(spoiled, "length of the first key");
  }
}

TEST(GgufBad, Values) {
  run({
      {"value type 13", "type 13", [](auto& b) { b.add_raw("k", 13, Bytes(8)); }},
      {"value type 255", "type 255", [](auto& b) { b.add_raw("k", 255, Bytes(8)); }},
      {"value type 2^32 - 1", "4294967295", [](auto& b) { b.add_raw("k", 0xFFFFFFFF, Bytes(8)); }},
      {"array of arrays", "array of arrays",
       [](auto& b) { b.add_array("nested", GgufType::kArray, std::vector<uint8_t>(40)); }},
      {"array of type 77", "type 77",
       [](auto& b) { b.add_array("k", static_cast<GgufType>(77), std::vector<uint8_t>(40)); }},
      {"bool 2", "'k'", [](auto& b) { b.add_raw("k", 7, Bytes{std::byte{2}}); }},
      {"bool 255", "255", [](auto& b) { b.add_raw("k", 7, Bytes{std::byte{255}}); }},
      {"bool 2 in an array", "'k'",
       [](auto& b) { b.add_array("k", GgufType::kBool, std::vector<uint8_t>{0, 1, 2}); }},
  });
}

TEST(GgufBad, Names) {
  run({
      {"key twice", "each key once", [](auto& b) { b.add("flag", false); }},
      {"key twice, other types", "bytes ", [](auto& b) { b.add("tokens", 1.0F); }},
      {"tensor twice", "number 1 and 3",
       [](auto& b) { b.add_tensor("a.weight", {1}, DType::kF32, std::vector<float>{1}); }},
      {"empty key", "0 bytes", [](auto& b) { b.add("", 1.0F); }},
      {"empty tensor name", "0 bytes", [](auto& b) { b.tensors[0].name = ""; }},
      {"long key", "65536 bytes", [](auto& b) { b.add(std::string(65536, 'k'), 1.0F); }},
      {"long tensor name", "65536 bytes", [](auto& b) { b.tensors[0].name = std::string(65536, 'k'); }},
      {"line feed in a key", "control", [](auto& b) { b.add("a\nb", 1.0F); }},
      {"zero byte in a key", "control", [](auto& b) { b.add(std::string("a\0b", 3), 1.0F); }},
      {"escape in a tensor name", "control", [](auto& b) { b.tensors[1].name = "\x1b[31mred"; }},
      {"DEL in a tensor name", "control", [](auto& b) { b.tensors[1].name = "a\x7f"; }},
      {"ill-formed key", "UTF-8", [](auto& b) { b.add("\xC0\xAF", 1.0F); }},
      {"surrogate in a key", "UTF-8", [](auto& b) { b.add("\xED\xA0\x80", 1.0F); }},
      {"cut character in a tensor name", "UTF-8", [](auto& b) { b.tensors[0].name = "caf\xC3"; }},
  });
}

TEST(GgufBad, Alignment) {
  std::vector<Case> cases;
  for (const uint32_t value : {0U, 1U, 2U, 3U, 4U, 12U, 33U, 1U << 21, 1U << 31, 0xFFFFFFFFU}) {
    cases.push_back(
        {"alignment", "general.alignment", [value](auto& b) { b.add("general.alignment", value); }});
  }
  cases.push_back({"alignment as u64", "u64", [](auto& b) { b.add("general.alignment", uint64_t{32}); }});
  cases.push_back({"alignment as i32", "i32", [](auto& b) { b.add("general.alignment", int32_t{32}); }});
  cases.push_back({"alignment as text", "string", [](auto& b) { b.add("general.alignment", "32"); }});
  run(cases);
}

TEST(GgufBad, Dimensions) {
  using Dims = std::vector<uint64_t>;
  std::vector<Case> cases;
  for (const Dims& dims :
       {Dims{uint64_t{1} << 62, 4}, Dims{kMaxInt64, 2, 1, 1}, Dims{kMax64}, Dims{kMaxInt64 + 1},
        Dims{uint64_t{1} << 32, uint64_t{1} << 32}, Dims{1, kMaxInt64, kMaxInt64, 1}, Dims{uint64_t{1} << 61},
        Dims{uint64_t{1} << 62}, Dims{kMaxInt64}, Dims{0, kMax64}, Dims{257}}) {
    cases.push_back({"dimensions of F32", "b.weight", [dims](auto& b) { b.tensors[1].dims = dims; }});
  }
  for (const Dims& dims : {Dims{31, 32}, Dims{1}, Dims{33}, Dims{16, 16}, Dims{kMaxInt64 - 31}, Dims{}}) {
    cases.push_back({"rows of Q4_0", "a.weight", [dims](auto& b) { b.tensors[0].dims = dims; }});
  }
  for (const uint32_t n_dims : {5U, 64U, 0x80000000U, 0xFFFFFFFFU}) {
    cases.push_back(
        {"number of dimensions", "a.weight", [n_dims](auto& b) { b.tensors[0].n_dims = n_dims; }});
  }
  for (const uint32_t n_dims : {0U, 1U, 3U, 4U}) {  // not what follows: the rest is read askew
    cases.push_back({"number of dimensions", "", [n_dims](auto& b) { b.tensors[0].n_dims = n_dims; }});
  }
  run(cases);
}

TEST(GgufBad, NamesTheFactThatIsWrong) {
  struct Fact {
    std::vector<uint64_t> dims;
    uint64_t offset;
    const char* said;
  };
  for (const Fact& fact : {Fact{{uint64_t{1} << 63}, 0, "dimensions up to"},
                           {{uint64_t{1} << 62, 4}, 0, "whose product overflows"},
                           {{4}, kMax64 - 31, "ends below 2^64"}}) {
    GgufBuilder b;
    b.add("general.architecture", "llama");
    b.add_tensor_raw("t", fact.dims, 0, test::Bytes(16));
    b.tensors[0].offset = fact.offset;
    const test::Bytes bytes = b.build();
    const auto file = GgufFile::parse(bytes, "mem");
    ASSERT_FALSE(file.ok()) << fact.said;
    EXPECT_NE(file.status().message().find(fact.said), std::string::npos) << file.status().message();
  }
}

TEST(GgufBad, TensorTypes) {
  std::vector<Case> cases;
  for (const uint32_t type : {4U, 5U, 9U, 15U, 31U, 36U, 41U, 42U, 255U, 0xFFFFFFFFU}) {
    cases.push_back({"tensor type", "F32, F16, BF16", [type](auto& b) { b.tensors[0].type = type; }});
  }
  cases.push_back({"removed type", "removed", [](auto& b) { b.tensors[0].type = 4; }});
  cases.push_back({"known type", "Q8_K", [](auto& b) { b.tensors[0].type = 15; }});
  run(cases);
}

TEST(GgufBad, Offsets) {
  std::vector<Case> cases;
  for (const uint64_t offset :
       {uint64_t{1}, uint64_t{31}, uint64_t{33}, kMax64, kMax64 - 31, kMax64 - 63, kMaxInt64,
        uint64_t{1} << 63, uint64_t{1} << 40, uint64_t{192}, uint64_t{4096}}) {
    cases.push_back({"offset", "b.weight", [offset](auto& b) { b.tensors[1].offset = offset; }});
  }
  cases.push_back({"misaligned", "multiple of 32", [](auto& b) { b.tensors[1].offset = 200; }});
  cases.push_back({"the same data", "inside that of", [](auto& b) {
                     b.tensors[1].dims = {32};
                     b.tensors[1].offset = 0;
                   }});
  cases.push_back({"overlap by one block", "inside that of", [](auto& b) {
                     b.tensors[1].dims = {32};
                     b.tensors[1].offset = 128;
                   }});
  cases.push_back(
      {"a size that meets the file's end", "at least", [](auto& b) { b.tensors[1].dims = {257}; }});
  run(cases);
}

TEST(GgufBad, CutAnywhere) {
  const GgufBuilder b = valid();
  const Bytes file = b.build();
  const size_t header = b.header().size();
  for (size_t length = 0; length <= header; ++length) {
    expect_refused(std::span(file).first(length), "cut at " + std::to_string(length));
  }
  const size_t data = file.size() - header;
  for (size_t i = 0; i < 100; ++i) {
    const size_t length = header + data * i / 100;
    const std::string has = "one of " + std::to_string(length) + " bytes";
    expect_refused(std::span(file).first(length), "cut at " + std::to_string(length), has);
  }
  expect_refused(std::span(file).first(file.size() - 1), "one byte short", std::to_string(file.size()));
  std::printf("%zu cuts\n", header + 102);
}

// Each byte of the header, changed to several values: refused, or a file that reads within its bytes.
TEST(GgufBad, AnyByteChanged) {
  const GgufBuilder b = valid();
  const Bytes file = b.build();
  const uint32_t seed = 20'260'801;
  std::mt19937 random(seed);
  int refused = 0, accepted = 0;
  for (size_t at = 0; at < b.header().size(); ++at) {
    for (int i = 0; i < 8; ++i) {
      Bytes spoiled = file;
      spoiled[at] = static_cast<std::byte>(random());
      const auto parsed = GgufFile::parse(spoiled, "bad.gguf");
      if (!parsed.ok()) {
        EXPECT_EQ(parsed.status().code(), StatusCode::kBadInput);
        ++refused;
        continue;
      }
      ++accepted;
      for (const GgufTensor& tensor : (*parsed)->tensors()) {
        EXPECT_GE(tensor.data.data(), spoiled.data());
        EXPECT_LE(tensor.data.data() + tensor.data.size(), spoiled.data() + spoiled.size());
      }
    }
  }
  std::printf("seed %u: %d refused, %d accepted\n", seed, refused, accepted);
  EXPECT_GT(refused, 100);
  EXPECT_GT(accepted, 100);  // changed names and values are fine
}

// Claims far beyond the file cost no memory: the bound is 64 MiB and twice the header.
TEST(GgufBad, ClaimsCostNoMemory) {
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  for (const uint64_t claim : {uint64_t{1} << 62, uint64_t{1} << 40, uint64_t{1} << 30, uint64_t{1} << 18}) {
    GgufBuilder b = valid();
    b.n_tensors = claim;
    expect_refused(b.build(), "tensor count");
    b = valid();
    Bytes value;
    append(value, uint32_t{8});
    append(value, claim);
    b.add_raw("strings", 9, value);
    expect_refused(b.build(), "strings");
  }
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LE(after.ru_maxrss - before.ru_maxrss, 64 * 1024);
}

// The densest header there is: as many keys and empty strings as fit.
TEST(GgufBad, DenseHeadersStayWithinTheMemoryBound) {
  GgufBuilder b;
  b.add("strings", std::vector<std::string>(1'000'000));
  for (int i = 0; i < 60'000; ++i) b.add(std::to_string(i), uint8_t{1});
  const Bytes bytes = b.build();
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  const auto file = GgufFile::parse(bytes, "dense");
  ASSERT_TRUE(file.ok()) << file.status().message();
  getrusage(RUSAGE_SELF, &after);
  const auto kib = static_cast<int64_t>(after.ru_maxrss - before.ru_maxrss);
  std::printf("%zu KiB of header took %lld KiB\n", bytes.size() / 1024, static_cast<long long>(kib));
  EXPECT_LE(kib, int64_t{64} * 1024 + 2 * static_cast<int64_t>(bytes.size()) / 1024);
}

}  // namespace
}  // namespace brisk::formats
