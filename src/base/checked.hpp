// Checked 64-bit arithmetic for sizes that come from files. Nothing read from a file is added or
// multiplied without going through here.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

namespace brisk {

/// a + b, or nothing when the sum does not fit.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_add(T a, T b) {
  T out{};
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// a * b, or nothing when the product does not fit.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> checked_mul(T a, T b) {
  T out{};
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// Whether [offset, offset + length) lies inside [0, size); no sum that could wrap.
[[nodiscard]] constexpr bool range_inside(uint64_t offset, uint64_t length, uint64_t size) {
  return length <= size && offset <= size - length;
}

/// value rounded up to a multiple of `step` (> 0), or nothing when that does not fit.
[[nodiscard]] constexpr std::optional<uint64_t> checked_round_up(uint64_t value, uint64_t step) {
  const uint64_t rest = value % step;
  if (rest == 0) return value;
  return checked_add(value, step - rest);
}

constexpr int64_t div_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return div_up(a, b) * b; }

}  // namespace brisk
