#include "text/tokenizer.hpp"

#include "base/utf8.hpp"
#include "text/bpe.hpp"

namespace brisk::text {

Result<std::unique_ptr<Tokenizer>> Tokenizer::create(const Vocabulary& vocabulary) {
  if (vocabulary.model == "gpt2") return create_bpe_tokenizer(vocabulary);
  return bad_input({vocabulary.where + ": tokenizer model", "gpt2 (byte-level BPE)",
                    "'" + vocabulary.model + "'", "a model file with a byte-level BPE vocabulary"});
}

Result<std::string> Tokenizer::decode(std::span<const int32_t> ids, bool special) const {
  std::string bytes;
  for (const int32_t id : ids) {
    BRISK_ASSIGN(const std::string part, token_bytes(id, special));
    bytes += part;
  }
  return utf8_sanitize(bytes);
}

Result<std::string> StreamDecoder::push(int32_t id) {
  BRISK_ASSIGN(const std::string part, tokenizer_->token_bytes(id, special_));
  pending_ += part;
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
