// Byte-level BPE: the tokenizer of GPT-2 and of most models since.
//
// A text is cut at special tokens, then into words by the pre-tokenizer; the bytes of a word, one token
// each, are merged pair by pair, the earliest merge of the vocabulary first, until none is left.
#pragma once

#include <memory>

#include "base/status.hpp"
#include "text/tokenizer.hpp"

namespace brisk::text {

/// For vocabularies whose model is "gpt2". What it refuses, beside what Tokenizer::create says: two tokens
/// with one text; a control or user-defined token that is empty, ill-formed UTF-8 or longer than
/// kLongestSpecialToken. Other empty tokens are kept and never produced. Of two merges of one pair the
/// earlier counts; a merge that would make a control token is left out, so that no text can forge one.
///
/// A byte that no token stands for is left out of the text, as in Hugging Face's tokenizers (SmolLM2's
/// vocabulary lacks six control characters, for example); `<0xNN>` tokens of type kByte stand in where the
/// vocabulary has them.
Result<std::unique_ptr<Tokenizer>> create_bpe_tokenizer(const Vocabulary& vocabulary);

}  // namespace brisk::text
