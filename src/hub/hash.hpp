// The two hashes by which the hub names a file: SHA-256 of the bytes of a large one (LFS), and git's SHA-1 of
// a small one, which is the SHA-1 of "blob SIZE", a zero byte, and the bytes.
#pragma once

#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace brisk::hub {

/// Whether `text` is a hash that we can check: 64 (SHA-256) or 40 (git's SHA-1) lower-case hexadecimal
/// digits.
bool is_hash(std::string_view text);

/// Computes the hash of the kind of `like` over bytes that come in pieces.
class FileHash {
 public:
  /// `like` is a hash (is_hash); `size` is that of the whole file.
  FileHash(std::string_view like, uint64_t size);
  void add(std::span<const std::byte> bytes);
  /// Lower-case hexadecimal digits; ends the computation.
  std::string finish();

 private:
  std::variant<sha1_ctx, sha256_ctx> state_;
};

}  // namespace brisk::hub
