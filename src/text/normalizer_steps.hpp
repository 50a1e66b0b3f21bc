// The steps of a tokenizer.json's normalizer that GGUF vocabularies do not need (those stand in
// text/normalizer.hpp). Each equals the step of the same name in Hugging Face's tokenizers 0.23.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "text/normalizer.hpp"

namespace brisk::text {

using NormalizerStepPtr = std::shared_ptr<const NormalizerStep>;

/// How far steps may make a text grow: to this many bytes. Real ones stay far below (NFKC: 11 times).
constexpr size_t most_normalized_bytes(size_t bytes) { return 64 * bytes + (size_t{1} << 20); }
Status grown_too_far(size_t bytes);

/// Each character's lower case, without regard to its neighbours.
NormalizerStepPtr lowercase_step();
/// Drops marks (Mn, Mc, Me).
NormalizerStepPtr strip_accents_step();
/// Drops white space at the ends.
NormalizerStepPtr strip_step(bool left, bool right);
/// SentencePiece's rules for machine translation: some controls dropped, some characters made spaces.
NormalizerStepPtr nmt_step();
/// Each byte becomes the character that stands for it (text/byte_alphabet.hpp).
NormalizerStepPtr byte_alphabet_step();
/// Replaces what `regex` matches. One character or class, alone or repeated ("\s+", " {2,}"), is searched for
/// by hand; anything else is a PCRE2 pattern (text/pattern.hpp), which may be refused.
Result<NormalizerStepPtr> replace_regex_step(std::string_view regex, std::string to,
                                             const std::string& where);

}  // namespace brisk::text
