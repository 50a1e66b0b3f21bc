#include "text/tokenizer.hpp"

#include "base/utf8.hpp"

namespace brisk::text {

Result<std::string> Tokenizer::decode(std::span<const int32_t> ids, bool special) const {
  std::string bytes;
  DecodeState state;
  for (const int32_t id : ids) BRISK_TRY(decode_next(id, special, state, bytes));
  return utf8_sanitize(bytes);
}

Result<std::string> StreamDecoder::push(int32_t id) {
  BRISK_TRY(tokenizer_->decode_next(id, special_, state_, pending_));
  const size_t certain = pending_.size() - utf8_incomplete_tail(pending_);
  std::string out = utf8_sanitize(std::string_view(pending_).substr(0, certain));
  pending_.erase(0, certain);
  return out;
}

std::string StreamDecoder::finish() {
  std::string out = utf8_sanitize(pending_);
  pending_.clear();
  return out;
}

}  // namespace brisk::text
