// Regular expressions of tokenizer.json, written for Oniguruma, in PCRE2's syntax.
//
// What the two read alike is copied; what PCRE2 reads differently is rewritten; everything else is refused by
// name, so that no pattern silently means something else:
//
//     \s \S            White_Space (PCRE2's \s has U+180E too)        -> the list of characters
//     \w \W \b \B      alphabetic, marks, \p{Nd}, \p{Pc}              -> a set; the looks round it
//     (?m:...)         a dot matches line ends                        -> (?s:...)
//     X{n,m}+ X{n}?    the repeat repeated, or optional               -> (?:X{n,m})+ (?:X{n})?
//     X{,m}            zero to m                                      -> X{0,m}
//     [a[bc]]          a set in a set                                 -> [abc]
//     \p{Greek}        characters of a script                         -> \p{sc:Greek}
//     \uHHHH           a code point                                   -> \x{HHHH}
//
// Refused: back references, calls and recursion, conditions, verbs, comments, (?x), options in the middle of
// a group, \h \H \R \X \K \G \k \g, && and negated sets and [:names:] inside of brackets, \W inside of
// brackets, several repeats in a row.
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"

namespace brisk::text {

/// The expression in PCRE2's syntax, for options UTF, UCP and MULTILINE. `where` names the file in errors.
Result<std::string> translate_pattern(std::string_view regex, const std::string& where);

/// The beginning of a regular expression, for messages.
std::string pattern_excerpt(std::string_view regex);

}  // namespace brisk::text
