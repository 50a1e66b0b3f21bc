// The bounded reader.
#include "base/reader.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace brisk {
namespace {

constexpr std::array<std::byte, 8> kBytes = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4},
                                             std::byte{5}, std::byte{6}, std::byte{7}, std::byte{8}};

TEST(ByteReader, ReadsLittleEndianInOrder) {
  ByteReader reader(kBytes, "f");
  EXPECT_EQ(*reader.read<uint8_t>("a"), 1);
  EXPECT_EQ(*reader.read<uint16_t>("b"), 0x0302);
  EXPECT_EQ(reader.view(2, "c")->data(), kBytes.data() + 3);
  EXPECT_EQ(reader.position(), 5U);
  EXPECT_EQ(reader.remaining(), 3U);
}

TEST(ByteReader, ReadingPastTheEndIsAnErrorAndMovesNothing) {
  ByteReader reader(kBytes, "file.gguf");
  ASSERT_TRUE(reader.view(6, "start").ok());
  const auto value = reader.read<uint32_t>("count");
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.status().code(), StatusCode::kBadInput);
  EXPECT_EQ(value.status().parts().where, "file.gguf: byte 6");
  EXPECT_EQ(value.status().parts().expected, "4 bytes of count");
  EXPECT_EQ(value.status().parts().got, "a file with 2 bytes left");
  EXPECT_EQ(reader.position(), 6U);
  EXPECT_FALSE(reader.view(3, "x").ok());
  EXPECT_FALSE(reader.view(std::numeric_limits<uint64_t>::max(), "x").ok());
  EXPECT_TRUE(reader.view(2, "x").ok());
  EXPECT_TRUE(reader.view(0, "x").ok());
  EXPECT_FALSE(reader.read<uint8_t>("x").ok());
}

TEST(ByteReader, ClaimsAreComparedWithoutWrapping) {
  const ByteReader reader(kBytes, "f");
  EXPECT_TRUE(reader.claim(8, 1, "x").ok());
  EXPECT_TRUE(reader.claim(2, 4, "x").ok());
  EXPECT_FALSE(reader.claim(9, 1, "x").ok());
  EXPECT_FALSE(reader.claim(3, 4, "x").ok());
  EXPECT_FALSE(reader.claim(uint64_t{1} << 61, 8, "x").ok());
  EXPECT_FALSE(reader.claim(std::numeric_limits<uint64_t>::max(), 2, "x").ok());
}

TEST(ByteRange, LiesInsideOrIsNothing) {
  const std::span<const std::byte> bytes = kBytes;
  EXPECT_EQ(byte_range(bytes, 2, 3)->data(), kBytes.data() + 2);
  EXPECT_EQ(byte_range(bytes, 2, 3)->size(), 3U);
  EXPECT_EQ(byte_range(bytes, 0, 8)->size(), 8U);
  EXPECT_EQ(byte_range(bytes, 8, 0)->size(), 0U);
  EXPECT_FALSE(byte_range(bytes, 9, 0));
  EXPECT_FALSE(byte_range(bytes, 0, 9));
  EXPECT_FALSE(byte_range(bytes, 7, 2));
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  EXPECT_FALSE(byte_range(bytes, kMost, 1));
  EXPECT_FALSE(byte_range(bytes, 1, kMost));
  EXPECT_FALSE(byte_range(bytes, kMost, 2));
  EXPECT_FALSE(byte_range({}, 1, 0));
}

}  // namespace
}  // namespace brisk
