// Which script a character belongs to, as pre-tokenizer "UnicodeScripts" of tokenizer.json sees it.
#pragma once

#include <cstdint>

namespace brisk::text {

/// Scripts have numbers, no names: only their being equal matters. Hiragana, Katakana and Han are one.
using Script = uint8_t;
inline constexpr Script kAnyScript = 0;  ///< of spaces and of characters that the table lacks

Script script_of(char32_t code);

}  // namespace brisk::text
