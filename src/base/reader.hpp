// The one bounded reader: little-endian values out of a span that came from a file. Every read checks
// what is left; a claim (a count, a length) is compared with the bytes that remain before anybody
// allocates for it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/checked.hpp"
#include "base/status.hpp"

namespace brisk {

/// Bytes [offset, offset + length) of `bytes`, or nothing when they do not all lie inside: the one way to
/// take a range at numbers that came from a file (tools/check_names.py forbids others in src/formats).
[[nodiscard]] constexpr std::optional<std::span<const std::byte>> byte_range(std::span<const std::byte> bytes,
                                                                             uint64_t offset,
                                                                             uint64_t length) {
  if (!range_inside(offset, length, bytes.size())) return std::nullopt;
  return bytes.subspan(offset, length);
}

static_assert(std::endian::native == std::endian::little, "Brisk reads little-endian files in place");

class ByteReader {
 public:
  /// `where` names the file in errors.
  ByteReader(std::span<const std::byte> bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  uint64_t position() const { return at_; }
  uint64_t remaining() const { return bytes_.size() - at_; }
  const std::string& where() const { return where_; }

  /// `what` names the value in the error.
  template <typename T>
    requires std::is_arithmetic_v<T>
  Result<T> read(std::string_view what) {
    BRISK_TRY(need(sizeof(T), what));
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  /// A view of the next `length` bytes.
  Result<std::span<const std::byte>> view(uint64_t length, std::string_view what);
  /// Fails unless `count` things of at least `least_bytes` each fit into what remains.
  Status claim(uint64_t count, uint64_t least_bytes, std::string_view what) const;
  /// An error at the current position.
  Status error(std::string expected, std::string got, std::string hint = {}) const;

 private:
  Status need(uint64_t length, std::string_view what) const;

  std::span<const std::byte> bytes_;
  std::string where_;
  uint64_t at_ = 0;
};

}  // namespace brisk
