#include "text/normalizer_steps.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/utf8.hpp"
#include "text/byte_alphabet.hpp"
#include "text/char_class.hpp"
#include "text/pattern.hpp"
#include "text/unicode_data.hpp"

namespace brisk::text {

namespace {

/// A step that looks at one character at a time: `change(c, bytes of c, out)`.
template <typename Change>
class CharacterStep final : public NormalizerStep {
 public:
  explicit CharacterStep(Change change) : change_(std::move(change)) {}
  Status apply(std::string_view text, std::string& out) const override {
    for (size_t at = 0; at < text.size();) {
      const Char c = char_at(text, at);
      change_(c, text.substr(at, c.length), out);
      at += c.length;
    }
    return {};
  }

 private:
  Change change_;
};

template <typename Change>
NormalizerStepPtr character_step(Change change) {
  return std::make_shared<CharacterStep<Change>>(std::move(change));
}

class PrependStep final : public NormalizerStep {
 public:
  explicit PrependStep(std::string prefix) : prefix_(std::move(prefix)) {}
  Status apply(std::string_view text, std::string& out) const override {
    if (!text.empty()) (out += prefix_) += text;
    return {};
  }

 private:
  std::string prefix_;
};

class StripStep final : public NormalizerStep {
 public:
  StripStep(bool left, bool right) : left_(left), right_(right) {}
  Status apply(std::string_view text, std::string& out) const override {
    size_t begin = text.size(), end = 0;
    for (size_t at = 0; at < text.size();) {
      const Char c = char_at(text, at);
      if (!c.is(kSpace)) {
        begin = std::min(begin, at);
        end = at + c.length;
      }
      at += c.length;
    }
    if (!left_) begin = 0;
    if (!right_) end = text.size();
    if (begin < end) out += text.substr(begin, end - begin);
    return {};
  }

 private:
  bool left_, right_;
};

class ByteAlphabetStep final : public NormalizerStep {
 public:
  Status apply(std::string_view text, std::string& out) const override {
    append_alphabet(out, text);
    return {};
  }
};

/// Replaces the matches that `next(text, from)` finds. `Next` gives a Match (empty at the end of the text) or
/// its error; matches are not empty.
template <typename Next>
Status replace_matches(std::string_view text, std::string_view to, std::string& out, Next&& next) {
  const size_t most = out.size() + most_normalized_bytes(text.size());
  for (size_t at = 0; at < text.size();) {
    BRISK_ASSIGN(const Match match, next(text, at));
    out += text.substr(at, match.begin - at);
    if (match.begin != match.end) out += to;
    if (out.size() > most) return grown_too_far(text.size());
    at = match.end;
  }
  return {};
}

class ReplaceStep final : public NormalizerStep {
 public:
  ReplaceStep(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  Status apply(std::string_view text, std::string& out) const override {
    return replace_matches(text, to_, out, [this](std::string_view whole, size_t at) -> Result<Match> {
      const size_t found = from_.empty() ? std::string_view::npos : whole.find(from_, at);
      if (found == std::string_view::npos) return Match{whole.size(), whole.size()};
      return Match{found, found + from_.size()};
    });
  }

 private:
  std::string from_, to_;
};

/// One character or class, `least` times or more, or (`repeated` off) exactly `least` times.
struct Run {
  char32_t code = kNoChar;  ///< kNoChar: white space
  size_t least = 1;
  bool repeated = false;

  bool holds(const Char& c) const { return code == kNoChar ? c.is(kSpace) : c.code == code; }
};

Match find_run(const Run& run, std::string_view text, size_t from) {
  size_t begin = from, count = 0;
  for (size_t at = from; at < text.size();) {
    const Char c = char_at(text, at);
    if (!run.holds(c)) {
      if (count >= run.least) return {begin, at};
      begin = at + c.length;
      count = 0;
    } else if (++count == run.least && !run.repeated) {
      return {begin, at + c.length};
    }
    at += c.length;
  }
  if (count >= run.least) return {begin, text.size()};
  return {text.size(), text.size()};
}

/// The run that a regular expression stands for: a plain character, \s, \n, \r or \t, then nothing, + or
/// {n,}.
std::optional<Run> parse_run(std::string_view regex) {
  Run run;
  size_t length = 2;
  if (regex.starts_with("\\n")) {
    run.code = '\n';
  } else if (regex.starts_with("\\r")) {
    run.code = '\r';
  } else if (regex.starts_with("\\t")) {
    run.code = '\t';
  } else if (!regex.starts_with("\\s")) {
    if (regex.empty() || std::string_view("\\^$.|?*+()[]{}").find(regex[0]) != std::string_view::npos)
      return {};
    const Char c = char_at(regex, 0);
    run.code = c.code;
    length = c.length;
  }
  const std::string_view times = regex.substr(length);
  if (times.empty()) return run;
  run.repeated = true;
  if (times == "+") return run;
  const bool counted = times.size() == 4 && times[0] == '{' && times[1] >= '1' && times[1] <= '9' &&
                       times[2] == ',' && times[3] == '}';
  if (!counted) return {};
  run.least = static_cast<size_t>(times[1] - '0');
  return run;
}

class ReplaceRunStep final : public NormalizerStep {
 public:
  ReplaceRunStep(Run run, std::string to) : run_(run), to_(std::move(to)) {}
  Status apply(std::string_view text, std::string& out) const override {
    return replace_matches(text, to_, out, [this](std::string_view whole, size_t at) -> Result<Match> {
      return find_run(run_, whole, at);
    });
  }

 private:
  Run run_;
  std::string to_;
};

class ReplacePatternStep final : public NormalizerStep {
 public:
  ReplacePatternStep(Pattern pattern, std::string to) : pattern_(std::move(pattern)), to_(std::move(to)) {}
  Status apply(std::string_view text, std::string& out) const override {
    const size_t most = out.size() + most_normalized_bytes(text.size());
    PatternSearch search(pattern_, text);
    size_t copied = 0;
    for (;;) {
      BRISK_ASSIGN(const std::optional<Match> match, search.next());
      if (!match) break;
      // An empty match puts the replacement between two characters.
      (out += text.substr(copied, match->begin - copied)) += to_;
      copied = match->end;
      if (out.size() > most) return grown_too_far(text.size());
    }
    out += text.substr(copied);
    return {};
  }

 private:
  Pattern pattern_;
  std::string to_;
};

bool is_nmt_dropped(char32_t code) {
  return (code >= 1 && code <= 8) || code == 0xB || (code >= 0xE && code <= 0x1F) || code == 0x7F ||
         code == 0x8F || code == 0x9F;
}

bool is_nmt_space(char32_t code) {
  return code == '\t' || code == '\n' || code == '\f' || code == '\r' || code == 0x1680 ||
         (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
         code == 0xFEFF || code == 0xFFFD;
}

/// The ideographs that BERT takes for words of their own.
bool is_bert_ideograph(char32_t code) {
  return (code >= 0x3400 && code <= 0x4DBF) || (code >= 0x4E00 && code <= 0x9FFF) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x20000 && code <= 0x2A6DF) ||
         (code >= 0x2A700 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
         (code >= 0x2F800 && code <= 0x2FA1F);
}

class BertStep final : public NormalizerStep {
 public:
  explicit BertStep(BertRules rules) : rules_(rules), nfd_(unicode_step(UnicodeForm::kNfd)) {}

  Status apply(std::string_view text, std::string& out) const override {
    std::string cleaned, decomposed;
    for (size_t at = 0; at < text.size();) {
      const Char c = char_at(text, at);
      clean(c, text.substr(at, c.length), cleaned);
      at += c.length;
    }
    std::string_view rest = cleaned;
    if (rules_.strip_accents) {
      BRISK_TRY(nfd_->apply(cleaned, decomposed));
      rest = decomposed;
    }
    for (size_t at = 0; at < rest.size();) {
      const Utf8Char c = utf8_decode(rest, at);
      finish(c.code_point, out);
      at += c.length;
    }
    return {};
  }

 private:
  void clean(const Char& c, std::string_view bytes, std::string& out) const {
    if (rules_.clean_text && is_bert_control(c.code)) return;
    if (rules_.clean_text && c.is(kSpace)) {
      out += ' ';
    } else if (rules_.chinese_characters && is_bert_ideograph(c.code)) {
      ((out += ' ') += bytes) += ' ';
    } else {
      out += bytes;
    }
  }

  void finish(char32_t code, std::string& out) const {
    if (rules_.strip_accents && is_bert_accent(code)) return;
    if (rules_.lowercase) {
      append_lower_case(code, out);
    } else {
      utf8_append(out, code);
    }
  }

  BertRules rules_;
  NormalizerStepPtr nfd_;
};

}  // namespace

Status grown_too_far(size_t bytes) {
  return bad_input({"normalizer", "a text that grows to at most 64 times its length",
                    "more, of " + std::to_string(bytes) + " bytes", "checking what the normalizer replaces"});
}

NormalizerStepPtr replace_step(std::string from, std::string to) {
  return std::make_shared<ReplaceStep>(std::move(from), std::move(to));
}

NormalizerStepPtr prepend_step(std::string text) { return std::make_shared<PrependStep>(std::move(text)); }

NormalizerStepPtr bert_step(BertRules rules) { return std::make_shared<BertStep>(rules); }

NormalizerStepPtr lowercase_step() {
  return character_step(
      [](const Char& c, std::string_view, std::string& out) { append_lower_case(c.code, out); });
}

NormalizerStepPtr strip_accents_step() {
  return character_step([](const Char& c, std::string_view bytes, std::string& out) {
    if (!is_mark(c.code)) out += bytes;
  });
}

NormalizerStepPtr strip_step(bool left, bool right) { return std::make_shared<StripStep>(left, right); }

NormalizerStepPtr nmt_step() {
  return character_step([](const Char& c, std::string_view bytes, std::string& out) {
    if (!is_nmt_dropped(c.code)) out += is_nmt_space(c.code) ? " " : bytes;
  });
}

NormalizerStepPtr byte_alphabet_step() { return std::make_shared<ByteAlphabetStep>(); }

Result<NormalizerStepPtr> replace_regex_step(std::string_view regex, std::string to,
                                             const std::string& where) {
  if (const std::optional<Run> run = parse_run(regex)) {
    return NormalizerStepPtr(std::make_shared<ReplaceRunStep>(*run, std::move(to)));
  }
  BRISK_ASSIGN(Pattern pattern, Pattern::compile(regex, where));
  return NormalizerStepPtr(std::make_shared<ReplacePatternStep>(std::move(pattern), std::move(to)));
}

}  // namespace brisk::text
