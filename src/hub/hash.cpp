// SHA-1 and SHA-256 by nettle.
#include "hub/hash.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace brisk::hub {
namespace {

std::string hexadecimal(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

bool is_hash(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return (text.size() == 2 * SHA1_DIGEST_SIZE || text.size() == 2 * SHA256_DIGEST_SIZE) &&
         std::ranges::all_of(text, is_digit);
}

FileHash::FileHash(std::string_view like, uint64_t size) {
  BRISK_ASSERT(is_hash(like), "the caller checked the hash");
  if (like.size() == 2 * SHA256_DIGEST_SIZE) {
    sha256_init(&state_.emplace<sha256_ctx>());
    return;
  }
  sha1_init(&state_.emplace<sha1_ctx>());
  const std::string header = "blob " + std::to_string(size);
  add(std::as_bytes(std::span(header.c_str(), header.size() + 1)));
}

void FileHash::add(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (auto* sha256 = std::get_if<sha256_ctx>(&state_)) {
    sha256_update(sha256, bytes.size(), data);
  } else {
    sha1_update(&std::get<sha1_ctx>(state_), bytes.size(), data);
  }
}

std::string FileHash::finish() {
  if (auto* sha256 = std::get_if<sha256_ctx>(&state_)) {
    std::array<uint8_t, SHA256_DIGEST_SIZE> digest;
    sha256_digest(sha256, digest.size(), digest.data());
    return hexadecimal(digest);
  }
  std::array<uint8_t, SHA1_DIGEST_SIZE> digest;
  sha1_digest(&std::get<sha1_ctx>(state_), digest.size(), digest.data());
  return hexadecimal(digest);
}

}  // namespace brisk::hub
