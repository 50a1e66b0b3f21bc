// Unicode's normalization forms (UAX 15). Decomposition and pairs come from utf8proc; the ordering of marks
// is ours, because utf8proc's takes quadratic time on long runs of them.
//
// ASCII is the same in every form and begins something new, so a text is worked on in stretches: an ASCII
// character and what is not ASCII after it.
#include <algorithm>

#include "base/utf8.hpp"
#include "text/normalizer.hpp"
#include "text/unicode_data.hpp"

namespace brisk::text {

namespace {

bool is_ascii(char c) { return static_cast<uint8_t>(c) < 0x80; }

/// Sorts each run of marks by combining class; marks of one class keep their order.
void order_marks(std::u32string& codes) {
  std::vector<std::pair<uint8_t, char32_t>> run;
  for (size_t i = 0; i < codes.size(); ++i) {
    run.clear();
    size_t end = i;
    for (; end < codes.size(); ++end) {
      const uint8_t order = combining_class(codes[end]);
      if (order == 0) break;
      run.emplace_back(order, codes[end]);
    }
    if (run.size() > 1) {
      std::stable_sort(run.begin(), run.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
      std::transform(run.begin(), run.end(), codes.begin() + static_cast<ptrdiff_t>(i),
                     [](const auto& mark) { return mark.second; });
    }
    i = end;
  }
}

/// Composes in place: each character joins the last starter unless a mark between them stands in its way.
void compose(std::u32string& codes) {
  constexpr size_t kNone = SIZE_MAX;
  size_t kept = 0, starter = kNone;
  int blocked_by = -1;  // the class of the last character kept after the starter; -1: none
  for (const char32_t code : codes) {
    const int order = combining_class(code);
    const char32_t whole = starter != kNone && blocked_by < order ? composition(codes[starter], code) : 0;
    if (whole != 0) {
      codes[starter] = whole;
      continue;
    }
    if (order == 0) starter = kept;
    blocked_by = order == 0 ? -1 : order;
    codes[kept++] = code;
  }
  codes.resize(kept);
}

class UnicodeStep final : public NormalizerStep {
 public:
  explicit UnicodeStep(UnicodeForm form)
      : compatible_(form == UnicodeForm::kNfkc || form == UnicodeForm::kNfkd),
        composed_(form == UnicodeForm::kNfc || form == UnicodeForm::kNfkc) {}

  Status apply(std::string_view text, std::string& out) const override {
    std::u32string codes;
    for (size_t at = 0; at < text.size();) {
      const auto* wide = std::find_if_not(text.begin() + at, text.end(), is_ascii);
      const size_t next = static_cast<size_t>(wide - text.begin());
      const size_t plain = next < text.size() && next > at ? next - 1 : next;
      out += text.substr(at, plain - at);
      if (next == text.size()) break;
      at = static_cast<size_t>(std::find_if(wide, text.end(), is_ascii) - text.begin());
      append_stretch(text.substr(plain, at - plain), codes, out);
    }
    return {};
  }

 private:
  void append_stretch(std::string_view stretch, std::u32string& codes, std::string& out) const {
    codes.clear();
    for (size_t at = 0; at < stretch.size();) {
      const Utf8Char c = utf8_decode(stretch, at);
      append_decomposition(c.code_point, compatible_, codes);
      at += c.length;
    }
    order_marks(codes);
    if (composed_) compose(codes);
    for (const char32_t code : codes) utf8_append(out, code);
  }

  bool compatible_, composed_;
};

}  // namespace

std::shared_ptr<const NormalizerStep> unicode_step(UnicodeForm form) {
  return std::make_shared<UnicodeStep>(form);
}

}  // namespace brisk::text
