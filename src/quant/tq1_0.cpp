// TQ1_0: 256 values of -1, 0 and 1 in 54 bytes (1.6875 bits each), one scale.
//
//     bytes   0..47   five codes a byte: of bytes 0..31, code i + 32 n is digit n of byte i; of bytes 32..47,
//                     code 160 + i + 16 n is digit n of byte 32 + i
//     bytes  48..51   four codes a byte: code 240 + i + 4 n is digit n of byte 48 + i
//     bytes  52..53   d: scale, f16
//
// A byte holds the fraction 0.t0 t1 t2 t3 t4 in base three, times 256 and rounded up: digit n is the integer
// part of 3 * (the fraction of byte * 3^n / 256). value = d * (code - 1)
#include <algorithm>
#include <cmath>

#include "quant/blocks.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"

namespace brisk::quant {

namespace {

constexpr int kValues = 256;
constexpr int kPowers[] = {1, 3, 9, 27, 81, 243};

struct Block {
  uint8_t codes[52];
  uint16_t d;
};
static_assert(sizeof(Block) == 54);

// A run of bytes that hold the same number of codes: code `value + i + bytes * n` is digit n of byte `byte +
// i`.
struct Run {
  int byte, bytes, value, digits;
};
constexpr Run kRuns[] = {{0, 32, 0, 5}, {32, 16, 160, 5}, {48, 4, 240, 4}};

// Calls fn(value, byte, digit) for each value.
template <typename Fn>
void for_digits(Fn&& fn) noexcept {
  for (const Run& run : kRuns) {
    for (int n = 0; n < run.digits; ++n) {
      for (int i = 0; i < run.bytes; ++i) fn(run.value + run.bytes * n + i, run.byte + i, n);
    }
  }
}

int digit(uint8_t byte, int n) noexcept { return ((byte * kPowers[n]) % 256 * 3) / 256; }

void decode_block(const Block& block, float* y) noexcept {
  const float d = f16_to_f32(block.d);
  for_digits([&](int value, int byte, int n) {
    y[value] = d * static_cast<float>(digit(block.codes[byte], n) - 1);
  });
}

Block encode_block(const float* x) noexcept {
  Block block{};
  const float peak = std::fabs(signed_peak(x, kValues));
  block.d = f32_to_f16(peak);
  const float to_code_scale = inverse(peak);
  int whole[std::size(block.codes)] = {};  // the digits of a byte as an integer
  for_digits([&](int value, int byte, int n) {
    whole[byte] += (round_code(x[value] * to_code_scale, -1, 1) + 1) * kPowers[4 - n];
  });
  for (size_t i = 0; i < std::size(whole); ++i) {
    block.codes[i] = static_cast<uint8_t>((whole[i] * 256 + kPowers[5] - 1) / kPowers[5]);
  }
  return block;
}

void decode(const std::byte* blocks, int64_t count, float* out) noexcept {
  for_blocks_in<Block, kValues>(blocks, count, out, decode_block);
}

void encode(const float* values, int64_t count, std::byte* out) noexcept {
  for_blocks_out<Block, kValues>(values, count, out, encode_block);
}

}  // namespace

WeightForm quant_tq1_0();
WeightForm quant_tq1_0() {
  return block_form("tq1_0", ActivationForm::kF32, {DType::kTQ1_0, decode, encode});
}

}  // namespace brisk::quant
