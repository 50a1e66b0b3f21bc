#include "text/pre_tokenizer_steps.hpp"

#include <utility>
#include <vector>

#include "base/check.hpp"
#include "text/char_class.hpp"
#include "text/known_patterns.hpp"
#include "text/script.hpp"

namespace brisk::text {

namespace {

using Span = Words::Span;

// Replaces every word by what `cut(piece, begin, out)` appends for it; `begin` is where the piece begins.
template <typename Cut>
void cut_words(Words& words, Cut&& cut) {
  words.spare_spans.swap(words.spans);
  words.spans.clear();
  for (const Span& span : words.spare_spans) {
    cut(words.text.substr(span.begin, span.end - span.begin), span.begin, words.spans);
  }
}

// Gathers the stretches of one word, matched and not, as they come from left to right, into words.
class Gatherer {
 public:
  Gatherer(SplitBehavior behavior, bool invert, size_t offset, std::vector<Span>& out)
      : behavior_(behavior), invert_(invert), offset_(offset), first_(out.size()), out_(out) {}

  void add(size_t begin, size_t end, bool matched) {
    matched = matched != invert_;
    switch (behavior_) {
      case SplitBehavior::kRemoved:
        if (!matched) push(begin, end);
        break;
      case SplitBehavior::kIsolated: push(begin, end); break;
      case SplitBehavior::kMergedWithPrevious:
        if (matched && !previous_matched_) {
          extend(begin, end);
        } else {
          push(begin, end);
        }
        break;
      case SplitBehavior::kMergedWithNext:
        // A match joins what follows it, unless that is a match too.
        if (!matched && previous_matched_) {
          extend(begin, end);
        } else {
          push(begin, end);
        }
        break;
      case SplitBehavior::kContiguous:
        if (matched == previous_matched_) {
          extend(begin, end);
        } else {
          push(begin, end);
        }
        break;
    }
    previous_matched_ = matched;
  }

  // Drops the empty words, which only empty matches make.
  void finish() {
    std::erase_if(out_, [](const Span& span) { return span.begin == span.end; });
  }

 private:
  void push(size_t begin, size_t end) { out_.push_back({offset_ + begin, offset_ + end}); }
  void extend(size_t begin, size_t end) {
    if (out_.size() == first_) {
      push(begin, end);
    } else {
      out_.back().end = offset_ + end;
    }
  }

  SplitBehavior behavior_;
  bool invert_;
  bool previous_matched_ = false;
  size_t offset_, first_;
  std::vector<Span>& out_;
};

// `next(from)` gives the next match at or after `from`; an empty one ends the search.
template <typename Next>
void gather(std::string_view piece, Next&& next, Gatherer&& gatherer) {
  for (size_t at = 0; at < piece.size();) {
    const Match match = next(at);
    if (match.begin != at) gatherer.add(at, match.begin, false);
    if (match.end != match.begin) gatherer.add(match.begin, match.end, true);
    at = match.end;
  }
}

class RulesStep final : public PreTokenizerStep {
 public:
  explicit RulesStep(std::span<const SplitRule> rules) : rules_(rules.begin(), rules.end()) {}
  Status apply(bool, Words& words) const override {
    for (const SplitRule rule : rules_) {
      cut_words(words, [rule](std::string_view piece, size_t begin, std::vector<Span>& out) {
        for (size_t at = 0; at < piece.size();) {
          const Match match = rule(piece, at);
          if (match.begin != at) out.push_back({begin + at, begin + match.begin});
          if (match.end != match.begin) out.push_back({begin + match.begin, begin + match.end});
          at = match.end;
        }
      });
    }
    return {};
  }

 private:
  std::vector<SplitRule> rules_;
};

class RuleSplitStep final : public PreTokenizerStep {
 public:
  RuleSplitStep(SplitRule rule, SplitBehavior behavior, bool invert)
      : rule_(rule), behavior_(behavior), invert_(invert) {}
  Status apply(bool, Words& words) const override {
    cut_words(words, [this](std::string_view piece, size_t begin, std::vector<Span>& out) {
      gather(piece, [&](size_t at) { return rule_(piece, at); }, Gatherer(behavior_, invert_, begin, out));
    });
    return {};
  }

 private:
  SplitRule rule_;
  SplitBehavior behavior_;
  bool invert_;
};

class LiteralSplitStep final : public PreTokenizerStep {
 public:
  LiteralSplitStep(std::string literal, SplitBehavior behavior, bool invert)
      : literal_(std::move(literal)), behavior_(behavior), invert_(invert) {}
  Status apply(bool, Words& words) const override {
    cut_words(words, [this](std::string_view piece, size_t begin, std::vector<Span>& out) {
      gather(piece, [&](size_t at) { return find(piece, at); }, Gatherer(behavior_, invert_, begin, out));
    });
    return {};
  }

 private:
  Match find(std::string_view piece, size_t from) const {
    const size_t at = literal_.empty() ? std::string_view::npos : piece.find(literal_, from);
    if (at == std::string_view::npos) return {piece.size(), piece.size()};
    return {at, at + literal_.size()};
  }

  std::string literal_;
  SplitBehavior behavior_;
  bool invert_;
};

class PatternSplitStep final : public PreTokenizerStep {
 public:
  PatternSplitStep(Pattern pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  Status apply(bool, Words& words) const override {
    Status status;
    cut_words(words, [&](std::string_view piece, size_t begin, std::vector<Span>& out) {
      if (status.ok()) status = cut(piece, begin, out);
    });
    return status;
  }

 private:
  Status cut(std::string_view piece, size_t begin, std::vector<Span>& out) const {
    PatternSearch search(pattern_, piece);
    Gatherer gatherer(behavior_, invert_, begin, out);
    size_t at = 0;
    while (true) {
      BRISK_ASSIGN(const std::optional<Match> match, search.next());
      if (!match) break;
      if (match->begin != at) gatherer.add(at, match->begin, false);
      gatherer.add(match->begin, match->end, true);
      at = match->end;
    }
    if (at != piece.size()) gatherer.add(at, piece.size(), false);
    gatherer.finish();
    return {};
  }

  Pattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

// Builds a new text for the words. A gap before the first word is kept, so that later steps can tell
// whether a word stands at the beginning of the input.
class Rewriter {
 public:
  explicit Rewriter(Words& words) : words_(words) {
    words_.spare_text.clear();
    words_.spare_spans.swap(words_.spans);
    words_.spans.clear();
    if (!words_.spare_spans.empty()) {
      words_.spare_text.append(words_.text.substr(0, words_.spare_spans.front().begin));
    }
  }
  const std::vector<Span>& old_spans() const { return words_.spare_spans; }
  std::string_view old_word(const Span& span) const {
    return words_.text.substr(span.begin, span.end - span.begin);
  }
  std::string& text() { return words_.spare_text; }
  void begin_word() { words_.spans.push_back({words_.spare_text.size(), words_.spare_text.size()}); }
  void end_word() { words_.spans.back().end = words_.spare_text.size(); }
  void finish() {
    words_.rewritten.swap(words_.spare_text);
    words_.text = words_.rewritten;
  }

 private:
  Words& words_;
};

class PrefixSpaceStep final : public PreTokenizerStep {
 public:
  Status apply(bool, Words& words) const override {
    Rewriter rewriter(words);
    for (const Span& span : rewriter.old_spans()) {
      const std::string_view word = rewriter.old_word(span);
      rewriter.begin_word();
      if (!word.starts_with(' ')) rewriter.text() += ' ';
      rewriter.text() += word;
      rewriter.end_word();
    }
    rewriter.finish();
    return {};
  }
};

// Several steps as one.
class SequenceStep final : public PreTokenizerStep {
 public:
  explicit SequenceStep(std::vector<StepPtr> steps) : steps_(std::move(steps)) {}
  Status apply(bool first, Words& words) const override {
    for (const StepPtr& step : steps_) BRISK_TRY(step->apply(first, words));
    return {};
  }

 private:
  std::vector<StepPtr> steps_;
};

class MetaspaceStep final : public PreTokenizerStep {
 public:
  MetaspaceStep(std::string mark, PrependScheme scheme, bool split)
      : mark_(std::move(mark)), scheme_(scheme), split_(split) {}

  Status apply(bool first, Words& words) const override {
    Rewriter rewriter(words);
    for (const Span& span : rewriter.old_spans()) {
      const bool prepend =
          scheme_ == PrependScheme::kAlways || (scheme_ == PrependScheme::kFirst && first && span.begin == 0);
      rewrite(rewriter.old_word(span), prepend, rewriter);
    }
    rewriter.finish();
    return {};
  }

 private:
  void rewrite(std::string_view word, bool prepend, Rewriter& rewriter) const {
    rewriter.begin_word();
    if (prepend && !word.starts_with(' ') && !word.starts_with(mark_)) rewriter.text() += mark_;
    size_t at = 0;
    while (at < word.size()) {
      const bool marked = word.substr(at).starts_with(mark_);
      if (marked || word[at] == ' ') {
        if (split_ && at != 0) {
          rewriter.end_word();
          rewriter.begin_word();
        }
        rewriter.text() += mark_;
        at += marked ? mark_.size() : 1;
      } else {
        rewriter.text() += word[at++];
      }
    }
    rewriter.end_word();
  }

  std::string mark_;
  PrependScheme scheme_;
  bool split_;
};

class ScriptsStep final : public PreTokenizerStep {
 public:
  Status apply(bool, Words& words) const override {
    cut_words(words, cut);
    return {};
  }

 private:
  static void cut(std::string_view piece, size_t offset, std::vector<Span>& out) {
    Script last = kAnyScript;
    size_t begin = piece.size();
    for (size_t at = 0; at < piece.size();) {
      const Char c = char_at(piece, at);
      const Script script = script_of(c.code);
      if (script != kAnyScript && script != last) {
        if (begin < at) out.push_back({offset + begin, offset + at});
        begin = at;
        last = script;
      }
      at += c.length;
    }
    if (begin < piece.size()) out.push_back({offset + begin, offset + piece.size()});
  }
};

class FixedLengthStep final : public PreTokenizerStep {
 public:
  explicit FixedLengthStep(int64_t length) : length_(length) {}
  Status apply(bool, Words& words) const override {
    cut_words(words, [this](std::string_view piece, size_t offset, std::vector<Span>& out) {
      for (size_t at = 0; at < piece.size();) {
        const size_t begin = at;
        for (int64_t n = 0; n < length_ && at < piece.size(); ++n) at += char_at(piece, at).length;
        out.push_back({offset + begin, offset + at});
      }
    });
    return {};
  }

 private:
  int64_t length_;
};

}  // namespace

StepPtr rules_step(std::span<const SplitRule> rules) { return std::make_shared<RulesStep>(rules); }

StepPtr bert_words_step() {
  return std::make_shared<SequenceStep>(std::vector<StepPtr>{
      whitespace_split_step(), rule_split_step(split_each_punctuation, SplitBehavior::kIsolated, false)});
}

StepPtr rule_split_step(SplitRule rule, SplitBehavior behavior, bool invert) {
  if (behavior == SplitBehavior::kIsolated) return rules_step({&rule, 1});
  return std::make_shared<RuleSplitStep>(rule, behavior, invert);
}

StepPtr literal_split_step(std::string literal, SplitBehavior behavior, bool invert) {
  return std::make_shared<LiteralSplitStep>(std::move(literal), behavior, invert);
}

Result<StepPtr> pattern_split_step(std::string_view regex, SplitBehavior behavior, bool invert,
                                   const std::string& where) {
  if (const SplitRule rule = find_known_rule(regex); rule != nullptr) {
    return rule_split_step(rule, behavior, invert);
  }
  BRISK_ASSIGN(Pattern pattern, Pattern::compile(regex, where));
  return compiled_split_step(std::move(pattern), behavior, invert);
}

StepPtr compiled_split_step(Pattern pattern, SplitBehavior behavior, bool invert) {
  return std::make_shared<PatternSplitStep>(std::move(pattern), behavior, invert);
}

StepPtr byte_level_step(bool add_prefix_space, bool use_regex) {
  std::vector<StepPtr> steps;
  if (add_prefix_space) steps.push_back(std::make_shared<PrefixSpaceStep>());
  if (use_regex) steps.push_back(rule_split_step(split_gpt2, SplitBehavior::kIsolated, false));
  if (steps.size() == 1) return steps.front();
  return std::make_shared<SequenceStep>(std::move(steps));
}

StepPtr metaspace_step(std::string replacement, PrependScheme prepend_scheme, bool split) {
  BRISK_ASSERT(!replacement.empty(), "a mark for spaces is a character");
  return std::make_shared<MetaspaceStep>(std::move(replacement), prepend_scheme, split);
}

StepPtr digits_step(bool individual) {
  return rule_split_step(individual ? split_each_numeric : split_numerics, SplitBehavior::kIsolated, false);
}

StepPtr punctuation_step(SplitBehavior behavior) {
  return rule_split_step(split_each_punctuation, behavior, false);
}

StepPtr whitespace_step() { return rule_split_step(split_words_or_signs, SplitBehavior::kRemoved, true); }

StepPtr whitespace_split_step() { return rule_split_step(split_spaces, SplitBehavior::kRemoved, false); }

StepPtr char_delimiter_step(std::string delimiter) {
  return literal_split_step(std::move(delimiter), SplitBehavior::kRemoved, false);
}

StepPtr unicode_scripts_step() { return std::make_shared<ScriptsStep>(); }

StepPtr fixed_length_step(int64_t length) {
  BRISK_ASSERT(length > 0, "words have characters");
  return std::make_shared<FixedLengthStep>(length);
}

}  // namespace brisk::text
