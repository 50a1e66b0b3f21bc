#include "text/token_decoder.hpp"

#include <utility>

#include "text/byte_alphabet.hpp"
#include "text/mark_cuts.hpp"

namespace brisk::text {

namespace {

// How English is put together again, token by token, as Hugging Face's WordPiece decoder does it.
constexpr std::pair<std::string_view, std::string_view> kCleanUp[] = {
    {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
    {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

// Replaces in text[begin...].
void replace_all(std::string& text, size_t begin, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from, begin); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

void append_spaces_for_marks(std::string_view text, std::string& bytes) {
  for (size_t at = 0; at < text.size();) {
    const size_t mark = std::min(text.find(kSpaceMark, at), text.size());
    bytes += text.substr(at, mark - at);
    if (mark < text.size()) bytes += ' ';
    at = mark + kSpaceMark.size();
  }
}

}  // namespace

TokenDecoder::TokenDecoder(const TokenizerSpec& spec, const TokenTable& table)
    : table_(table), spelling_(spec.spelling), continuing_prefix_(spec.continuing_prefix),
      end_suffix_(spec.end_of_word_suffix), whole_words_(spec.model == WordModelKind::kWordPiece),
      strip_first_space_(spec.strip_first_space), clean_up_(spec.clean_up_spaces) {}

void TokenDecoder::append(int32_t id, bool special, DecodeState& state, std::string& bytes) const {
  const std::string_view text = table_.text(id);
  const TokenType type = table_.type(id);
  if (table_.is_special(id) && !special) return;
  if (std::exchange(state.space_due, false)) bytes += ' ';
  const size_t begin = bytes.size();
  if (type == TokenType::kByte) {
    bytes += static_cast<char>(*parse_byte_token(text));
  } else if (spelling_ == TokenSpelling::kWordPieces) {
    append_word_piece(text, state, bytes);
  } else if (type == TokenType::kNormal || type == TokenType::kUnused) {
    append_spelled(text, state, bytes);
  } else {
    if (whole_words_ && state.begun) bytes += ' ';
    bytes += text;
  }
  if (clean_up_) {
    for (const auto& [from, to] : kCleanUp) replace_all(bytes, begin, from, to);
  }
  if (bytes.size() == begin && spelling_ != TokenSpelling::kWordPieces) return;
  if (strip_first_space_ && !state.begun && bytes[begin] == ' ') bytes.erase(begin, 1);
  state.begun = true;
}

void TokenDecoder::append_word_piece(std::string_view text, const DecodeState& state,
                                     std::string& bytes) const {
  const bool continues = !continuing_prefix_.empty() && text.starts_with(continuing_prefix_);
  if (state.begun && continues) text.remove_prefix(continuing_prefix_.size());
  if (state.begun && !continues) bytes += ' ';
  bytes += text;
}

void TokenDecoder::append_spelled(std::string_view text, DecodeState& state, std::string& bytes) const {
  if (!end_suffix_.empty() && text.ends_with(end_suffix_)) {
    text.remove_suffix(end_suffix_.size());
    state.space_due = true;
  }
  switch (spelling_) {
    case TokenSpelling::kByteAlphabet: append_alphabet_bytes(bytes, text); break;
    case TokenSpelling::kSpaceMark: append_spaces_for_marks(text, bytes); break;
    case TokenSpelling::kWordPieces:
    case TokenSpelling::kPlain: bytes += text; break;
  }
}

}  // namespace brisk::text
