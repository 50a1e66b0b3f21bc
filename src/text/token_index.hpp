// From the text of a token to its id: an open-addressing hash table of ids, the texts staying where they
// are. Hashing is keyed anew for each table, so that no file can be made to collide.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace brisk::text {

class TokenIndex {
 public:
  TokenIndex() = default;
  /// Room for the non-empty ones of `tokens`, which must outlive the index.
  explicit TokenIndex(std::span<const std::string_view> tokens);

  /// Enters tokens[id], which must not be empty. Returns the id that has this text already, else `id`.
  int32_t insert(int32_t id);
  /// The id of the token with this text, or -1.
  int32_t find(std::string_view text) const;

 private:
  struct Slot {
    uint32_t tag = 0;  // the other half of the hash: most mismatches end here
    int32_t id = -1;
  };
  /// The slot that holds the text, or the empty one where it belongs.
  size_t slot_of(std::string_view text, uint64_t hash) const;

  std::span<const std::string_view> tokens_;
  std::vector<Slot> slots_;  // a power of two, at most half full
  uint64_t key_ = 0;
};

}  // namespace brisk::text
