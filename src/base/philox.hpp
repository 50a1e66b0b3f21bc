// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): random numbers as a
// function of a key and a counter, so that a draw never depends on what was drawn before it or elsewhere.
#pragma once

#include <array>
#include <cstdint>

namespace brisk {

/// What a number is drawn for; part of the counter, so that purposes never share numbers.
enum class RandomPurpose : uint32_t { kSampling = 0, kBootstrap = 1 };

/// Where in a run a number is drawn.
struct RandomKey {
  uint64_t seed = 0;
  uint64_t position = 0;  ///< place in the sequence
  uint32_t sample = 0;    ///< which of several answers to one request
  RandomPurpose purpose = RandomPurpose::kSampling;
};

/// Four random words.
constexpr std::array<uint32_t, 4> philox(const RandomKey& key) {
  std::array<uint32_t, 4> c = {static_cast<uint32_t>(key.position), static_cast<uint32_t>(key.position >> 32),
                               key.sample, static_cast<uint32_t>(key.purpose)};
  uint32_t k0 = static_cast<uint32_t>(key.seed);
  uint32_t k1 = static_cast<uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

/// A number in [0, 1) with 53 random bits.
constexpr double philox_uniform(const RandomKey& key) {
  const std::array<uint32_t, 4> words = philox(key);
  const uint64_t bits = (uint64_t{words[0]} << 21) ^ (words[1] & 0x1FFFFF);
  return static_cast<double>(bits) * 0x1.0p-53;
}

}  // namespace brisk
