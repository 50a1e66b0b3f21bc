// MXFP4: 32 values in 17 bytes (4.25 bits each): four-bit floats (e2m1.hpp) under a power of two.
//
//     byte  0       e: the scale is 2^(e - 127)
//     bytes 1..16   codes: byte i holds code i in its low and code 16 + i in its high four bits
//
// value = 2^(e - 128) * doubled_e2m1(code). The code 255, which the OCP format calls NaN, is a power of two
// as the others here, as it is for everyone who reads these files.
#include <bit>
#include <cmath>

#include "quant/blocks.hpp"
#include "quant/e2m1.hpp"
#include "quant/packing.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 32;

struct Block {
  uint8_t e;
  uint8_t codes[kValues / 2];
};
static_assert(sizeof(Block) == 17);

// 2^(e - 128), which is subnormal for e < 2.
float half_scale(uint8_t e) noexcept {
  return std::bit_cast<float>(e < 2 ? uint32_t{0x00200000} << e : (uint32_t{e} - 1) << 23);
}

void decode_block(const Block& block, float* y) noexcept {
  const float d = half_scale(block.e);
  for (int i = 0; i < kValues; ++i) y[i] = d * doubled_e2m1(nibble(block.codes, kValues / 2, i));
}

// The power of two under which the peak is less than 8; from 6 on it is cut to 6.
uint8_t exponent_for(float peak) noexcept {
  if (!(peak > 0.0F)) return 0;
  return static_cast<uint8_t>(to_code(std::floor(std::log2(peak)) - 2.0F + 127.0F, 0, 254));
}

Block encode_block(const float* x) noexcept {
  Block block{};
  block.e = exponent_for(std::fabs(signed_peak(x, kValues)));
  const float d = half_scale(block.e);
  for (int i = 0; i < kValues; ++i) put_nibble(block.codes, kValues / 2, i, e2m1_code(x[i], d));
  return block;
}

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<Block, kValues>(blocks, count, out, decode_block);
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<Block, kValues>(values, count, out, encode_block);
}

}  // namespace

WeightForm quant_mxfp4();
WeightForm quant_mxfp4() {
  return block_form("mxfp4", ActivationForm::kF32, {DType::kMXFP4, decode, encode});
}

}  // namespace brisk::quant
