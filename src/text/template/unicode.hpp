// Text by code points, with the properties and case mappings that Python's str uses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brisk::text::tmpl {

int64_t count_characters(std::string_view text);
/// The byte offset of the character with this index; text.size() at or beyond the end.
size_t offset_of_character(std::string_view text, int64_t index);
/// The code point at a byte offset, and its length; the text is well-formed.
char32_t character_at(std::string_view text, size_t at, size_t& length);
std::string_view first_character(std::string_view text);
std::string_view last_character(std::string_view text);

/// The first occurrence at or after `from`, or npos; linear also for hostile needles.
size_t find_text(std::string_view text, std::string_view needle, size_t from = 0);

bool is_space(char32_t c);       // str.isspace
bool is_line_break(char32_t c);  // str.splitlines
bool is_alphabetic(char32_t c);
bool is_decimal(char32_t c);
/// 0 to 9, or -1.
int decimal_value(char32_t c);
bool is_digit(char32_t c);
bool is_numeric(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_title(char32_t c);
bool starts_identifier(char32_t c);
bool continues_identifier(char32_t c);
bool is_printable(char32_t c);
/// The lines as str.splitlines gives them, with their ends if wanted.
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);
/// str.isupper or str.islower: at least one letter of that case and none of the other.
bool has_case(std::string_view text, bool upper);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string case_fold(std::string_view text);
/// Words begin after anything that has no case, as str.title does.
std::string to_title(std::string_view text);
/// First character in title case, the rest lower.
std::string capitalize(std::string_view text);
std::string swap_case(std::string_view text);

enum class Side : uint8_t { kBoth, kLeft, kRight };
/// Without `characters`, strips white space. The result is a part of `text`.
std::string_view strip(std::string_view text, Side side, const std::string_view* characters = nullptr);

}  // namespace brisk::text::tmpl
