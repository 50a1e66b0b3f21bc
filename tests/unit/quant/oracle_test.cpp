// Every block format against the files that tools/oracles/block_formats.py wrote with the Python package
// gguf: decode bit for bit, encode bit for bit where gguf has an encoder.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "quant/block_format.hpp"
#include "support/block_formats.hpp"

namespace brisk::quant {
namespace {

struct Oracle {
  std::vector<std::byte> blocks;
  std::vector<float> decoded;
  std::vector<float> values;
  std::vector<std::byte> encoded;
};

template <typename T>
std::vector<T> take(const std::string& bytes, size_t& at, size_t count) {
  std::vector<T> out(count);
  EXPECT_LE(at + count * sizeof(T), bytes.size());
  if (count > 0) std::memcpy(out.data(), bytes.data() + at, count * sizeof(T));
  at += count * sizeof(T);
  return out;
}

Oracle load(const DTypeInfo& info) {
  std::string name(info.name);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  const char* source = std::getenv("BRISK_SOURCE_DIR");
  const std::string path =
      std::string(source != nullptr ? source : ".") + "/tests/data/block_formats/" + name + ".bin";
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  Oracle oracle;
  EXPECT_GE(bytes.size(), 16U) << path;
  if (bytes.size() < 16) return oracle;
  size_t at = 0;
  const auto header = take<uint32_t>(bytes, at, 4);
  EXPECT_EQ(header[0], static_cast<uint32_t>(info.block_values));
  EXPECT_EQ(header[1], static_cast<uint32_t>(info.block_bytes));
  oracle.blocks = take<std::byte>(bytes, at, size_t{header[2]} * header[1]);
  oracle.decoded = take<float>(bytes, at, size_t{header[2]} * header[0]);
  oracle.values = take<float>(bytes, at, size_t{header[3]} * header[0]);
  oracle.encoded = take<std::byte>(bytes, at, size_t{header[3]} * header[1]);
  EXPECT_EQ(at, bytes.size());
  return oracle;
}

class FormatOracle : public testing::TestWithParam<BlockFormat> {};

TEST_P(FormatOracle, DecodesBitForBit) {
  const Oracle oracle = load(dtype_info(GetParam().dtype));
  ASSERT_FALSE(oracle.decoded.empty());
  std::vector<float> out(oracle.decoded.size());
  GetParam().decode(oracle.blocks.data(), static_cast<int64_t>(out.size()), out.data());
  for (size_t i = 0; i < out.size(); ++i) {
    // The sign and the payload of a NaN that comes out of arithmetic are the processor's choice.
    if (std::isnan(oracle.decoded[i]) && std::isnan(out[i])) continue;
    ASSERT_EQ(std::bit_cast<uint32_t>(out[i]), std::bit_cast<uint32_t>(oracle.decoded[i])) << "value " << i;
  }
}

TEST_P(FormatOracle, EncodesBitForBit) {
  const Oracle oracle = load(dtype_info(GetParam().dtype));
  if (oracle.values.empty()) GTEST_SKIP() << "the package gguf has no encoder for this format";
  std::vector<std::byte> out(oracle.encoded.size());
  GetParam().encode(oracle.values.data(), static_cast<int64_t>(oracle.values.size()), out.data());
  const auto block = static_cast<size_t>(dtype_info(GetParam().dtype).block_bytes);
  for (size_t i = 0; i < out.size(); ++i) {
    ASSERT_EQ(out[i], oracle.encoded[i]) << "byte " << i % block << " of block " << i / block;
  }
}

TEST(BlockFormats, AreAllThere) { EXPECT_EQ(test::block_formats().size(), 26U); }

INSTANTIATE_TEST_SUITE_P(All, FormatOracle, testing::ValuesIn(test::block_formats()),
                         [](const auto& one) { return std::string(dtype_name(one.param.dtype)); });

}  // namespace
}  // namespace brisk::quant
