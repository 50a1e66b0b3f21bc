#include "runtime/checksum.hpp"

#include <xxhash.h>

namespace brisk::runtime {

void Checksum::Release::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

Result<Checksum> Checksum::create() {
  Checksum sum(XXH3_createState());
  if (sum.state_ == nullptr || XXH3_128bits_reset(sum.state_.get()) != XXH_OK)
    return environment_error({"checksum", "some memory", "none left", "closing other programs"});
  return sum;
}

void Checksum::add(std::span<const std::byte> bytes) {
  const XXH_errorcode code = XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
  BRISK_ASSERT(code == XXH_OK, "bytes can always be added to a sum that was begun");
}

void Checksum::add_text(std::string_view text) {
  add_number(static_cast<uint64_t>(text.size()));
  add(std::as_bytes(std::span(text)));
}

std::string Checksum::digits() const {
  XXH128_canonical_t canonical;  // big-endian on every machine
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace brisk::runtime
