// Probes in plain C++: what a machine without our vector levels reaches. Chains start from different values,
// or the compiler would merge them.
#include <cstring>

#include "kernels/probe/variants.hpp"

namespace brisk::kernels::ref {
namespace {

/// Makes the compiler believe that `value` changes, so that a loop over it must be run.
template <typename T>
void opaque(T& value) {
  asm volatile("" : "+r"(value));
}

}  // namespace

uint64_t probe_read(const std::byte* data, int64_t bytes) noexcept {
  const int64_t half = bytes / 2 / 64 * 64;
  uint64_t sum[8] = {};
  for (int64_t i = 0; i < half; i += 64) {
    uint64_t left[8], right[8];
    std::memcpy(left, data + i, 64);
    std::memcpy(right, data + half + i, 64);
    for (int j = 0; j < 8; ++j) sum[j] ^= left[j] + right[j];
  }
  uint64_t all = 0;
  for (const uint64_t s : sum) all ^= s;
  return all;
}

int64_t probe_f32(int64_t rounds) noexcept {
  constexpr int kChains = 16;
  float acc[kChains];
  for (int j = 0; j < kChains; ++j) acc[j] = static_cast<float>(j);
  float factor = 0.5f;
  for (int64_t i = 0; i < rounds; ++i) {
    asm volatile("" : "+x"(factor));
    for (float& a : acc) a = a * factor + factor;
  }
  float sum = 0;
  for (const float a : acc) sum += a;
  asm volatile("" : : "x"(sum));
  return rounds * kChains * 2;
}

int64_t probe_int8(int64_t rounds) noexcept {
  constexpr int kChains = 8;
  int32_t acc[kChains];
  for (int j = 0; j < kChains; ++j) acc[j] = j;
  int8_t factor = 3;
  for (int64_t i = 0; i < rounds; ++i) {
    opaque(factor);
    for (int32_t& a : acc) a = a + factor * static_cast<int8_t>(a);
  }
  int32_t sum = 0;
  for (const int32_t a : acc) sum += a;
  opaque(sum);
  return rounds * kChains * 2;
}

}  // namespace brisk::kernels::ref
