// IQ4_NL: 32 values in 18 bytes (4.5 bits each), sixteen uneven levels (uneven_levels.hpp).
//
//     bytes 0..1    d: scale, f16
//     bytes 2..17   codes: byte i holds code i in its low and code 16 + i in its high four bits
//
// value = d * level[code]
#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/packing.hpp"
#include "quant/uneven_levels.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 32;

struct Block {
  uint16_t d;
  uint8_t codes[kValues / 2];
};
static_assert(sizeof(Block) == 18);

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < kValues; ++i) y[i] = d * uneven_level(nibble(block.codes, kValues / 2, i));
}

Block encode_block(const float* x) noexcept {
  Block block{};
  block.d = f32_to_f16(fit_uneven(x));
  const float to_level = inverse(f16_to_f32(block.d));
  for (int i = 0; i < kValues; ++i) put_nibble(block.codes, kValues / 2, i, uneven_code(x[i] * to_level));
  return block;
}

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<Block, kValues>(blocks, count, out, decode_block);
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<Block, kValues>(values, count, out, encode_block);
}

}  // namespace

WeightForm quant_iq4_nl();
WeightForm quant_iq4_nl() {
  return block_form("iq4_nl", ActivationForm::kF32, {DType::kIQ4_NL, decode, encode});
}

}  // namespace brisk::quant
