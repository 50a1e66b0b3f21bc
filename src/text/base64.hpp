// Base64 (RFC 4648), in which a tokenizer.json carries SentencePiece's character map.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace brisk::text {

/// The bytes, or none when the text is not base64 with its padding.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace brisk::text
