// The bounded reader's checks and messages.
#include "base/reader.hpp"

namespace brisk {

Result<std::span<const std::byte>> ByteReader::view(uint64_t length, std::string_view what) {
  BRISK_TRY(need(length, what));
  const auto bytes = bytes_.subspan(at_, length);
  at_ += length;
  return bytes;
}

Status ByteReader::claim(uint64_t count, uint64_t least_bytes, std::string_view what) const {
  const auto bytes = checked_mul(count, least_bytes);
  if (bytes && *bytes <= remaining()) return {};
  return error("room for " + std::to_string(count) + " " + std::string(what) + " of at least " +
                   std::to_string(least_bytes) + " bytes each",
               "a file with " + std::to_string(remaining()) + " bytes left", "downloading the file again");
}

Status ByteReader::error(std::string expected, std::string got, std::string hint) const {
  return bad_input(
      {where_ + ": byte " + std::to_string(at_), std::move(expected), std::move(got), std::move(hint)});
}

Status ByteReader::need(uint64_t length, std::string_view what) const {
  if (length <= remaining()) [[likely]]
    return {};
  return error(std::to_string(length) + " bytes of " + std::string(what),
               "a file with " + std::to_string(remaining()) + " bytes left", "downloading the file again");
}

}  // namespace brisk
