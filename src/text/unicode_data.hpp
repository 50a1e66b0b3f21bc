// What normalizers need to know of code points, as Hugging Face's tokenizers know it: its tables are of
// several Unicode versions, none of them utf8proc's (tools/oracles/normalizer_tables.py says which).
#pragma once

#include <cstdint>
#include <string>

namespace brisk::text {

/// Canonical combining class.
uint8_t combining_class(char32_t code);
/// Appends the full decomposition of one code point, canonical or compatible.
void append_decomposition(char32_t code, bool compatible, std::u32string& out);
/// The character that two make, or 0.
char32_t composition(char32_t first, char32_t second);
/// Marks of any kind (Mn, Mc, Me).
bool is_mark(char32_t code);
/// Non-spacing marks (Mn) as BERT's normalizer has them.
bool is_bert_accent(char32_t code);
/// What BERT's clean_text removes: controls but tab and line ends, formats, private use, U+FFFD.
bool is_bert_control(char32_t code);
/// The character by whose class graphemes are cut: mostly the character itself.
char32_t grapheme_stand_in(char32_t code);
/// Appends the lower case of one character in UTF-8, without regard to its neighbours.
void append_lower_case(char32_t code, std::string& out);

}  // namespace brisk::text
