// SentencePiece's precompiled character map.
//
//   u32            bytes of the trie (little-endian, a multiple of 4)
//   u32[...]       the trie, a double array; unit 0 is the root
//   bytes          the replacements, UTF-8, each ended by a zero byte (the last one perhaps by the end)
//
// A unit: bits 0-7 and 31 are its label (bit 31 set: it holds a value, bits 0-30), bit 8 says that a key ends
// here, bits 10-30 are the offset to its children, shifted left by 8 when bit 9 is set. The children of the
// unit at position p lie at (p ^ offset) ^ byte, those whose label is that byte; the value at p ^ offset. The
// value is where the replacement begins.
//
// A map is walked through once when it is read: every place that a text can lead to lies inside, every value
// points to the beginning of a character, and no key is longer than kLongestKey (so the trie has no loops).
#include <utf8proc.h>

#include <cstring>

#include "base/checked.hpp"
#include "base/utf8.hpp"
#include "text/normalizer_steps.hpp"
#include "text/unicode_data.hpp"

namespace brisk::text {

namespace {

constexpr size_t kLongestKey = 256;
constexpr size_t kMostUnits = size_t{1} << 20;

struct Trie {
  std::vector<uint32_t> units;

  static uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }
  static bool ends_key(uint32_t unit) { return ((unit >> 8) & 1) != 0; }
  static uint32_t value(uint32_t unit) { return unit & 0x7FFFFFFF; }

  /// Whether a child for `byte` stands beside the children at `base`; `base` then becomes its children's.
  bool step(size_t& base, uint8_t byte, uint32_t& unit) const {
    const size_t child = base ^ byte;
    if (byte == 0 || child >= units.size()) return false;
    unit = units[child];
    if ((unit & 0x800000FF) != byte) return false;
    base = child ^ offset(unit);
    return true;
  }
};

/// Walks all of a trie once, by depth, without recursion.
class TrieCheck {
 public:
  TrieCheck(const Trie& trie, std::string_view replacements)
      : trie_(trie), replacements_(replacements), state_(trie.units.size(), State::kUnseen) {}

  /// What is wrong, or null.
  const char* run() {
    if (const char* fault = enter(Trie::offset(trie_.units[0]))) return fault;
    while (!path_.empty()) {
      Place& place = path_.back();
      if (place.next_byte == 256) {
        state_[place.base] = State::kDone;
        path_.pop_back();
        continue;
      }
      if (const char* fault = follow(place.base, static_cast<uint8_t>(place.next_byte++))) return fault;
    }
    return nullptr;
  }

 private:
  enum class State : uint8_t { kUnseen, kOpen, kDone };
  struct Place {
    size_t base;
    int next_byte;
  };

  const char* enter(size_t base) {
    if (base >= trie_.units.size()) return "a unit that points outside";
    if (state_[base] == State::kOpen) return "a loop";
    if (state_[base] == State::kDone) return nullptr;
    if (path_.size() > kLongestKey) return "a key of more than 256 bytes";
    state_[base] = State::kOpen;
    path_.push_back({base, 1});
    return nullptr;
  }

  const char* follow(size_t base, uint8_t byte) {
    uint32_t unit = 0;
    if (!trie_.step(base, byte, unit)) return nullptr;
    if (base >= trie_.units.size()) return "a unit that points outside";
    if (Trie::ends_key(unit)) {
      const size_t value = Trie::value(trie_.units[base]);
      if (value > replacements_.size()) return "a value outside the replacements";
      const bool inside =
          value < replacements_.size() && (static_cast<uint8_t>(replacements_[value]) & 0xC0) == 0x80;
      if (inside) return "a value that points into a character";
    }
    return enter(base);
  }

  const Trie& trie_;
  std::string_view replacements_;
  std::vector<State> state_;
  std::vector<Place> path_;
};

struct CharsMap {
  struct Found {
    size_t length = 0;  ///< of the key; 0: none
    std::string_view replacement;
  };

  /// The shortest or the longest key that `text` begins with.
  Found find(std::string_view text, bool longest) const {
    Found found;
    size_t base = Trie::offset(trie.units[0]);
    uint32_t unit = 0;
    for (size_t i = 0; i < text.size() && trie.step(base, static_cast<uint8_t>(text[i]), unit); ++i) {
      if (!Trie::ends_key(unit)) continue;
      found = {i + 1, replacement_at(Trie::value(trie.units[base]))};
      if (!longest) break;
    }
    return found;
  }

  std::string_view replacement_at(size_t begin) const {
    const std::string_view rest = std::string_view(replacements).substr(begin);
    return rest.substr(0, rest.find('\0'));
  }

  Trie trie;
  std::string replacements;
};

class LongestKeyStep final : public NormalizerStep {
 public:
  explicit LongestKeyStep(CharsMap map) : map_(std::move(map)) {}
  Status apply(std::string_view text, std::string& out) const override {
    const size_t most = out.size() + most_normalized_bytes(text.size());
    for (size_t at = 0; at < text.size();) {
      const CharsMap::Found found = map_.find(text.substr(at), true);
      const size_t length = found.length != 0 ? found.length : utf8_decode(text, at).length;
      // A key may end inside a character in a hostile map only; then the rest is passed over whole.
      out += found.length != 0 ? found.replacement : text.substr(at, length);
      at += length;
      while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) ++at;
      if (out.size() > most) return grown_too_far(text.size());
    }
    return {};
  }

 private:
  CharsMap map_;
};

/// Grapheme clusters from left to right.
class Graphemes {
 public:
  explicit Graphemes(std::string_view text) : text_(text) {}

  bool next(std::string_view& grapheme) {
    if (end_ == text_.size()) return false;
    const size_t begin = end_;
    Utf8Char c = utf8_decode(text_, end_);
    for (;;) {
      end_ += c.length;
      if (end_ == text_.size()) break;
      const Utf8Char after = utf8_decode(text_, end_);
      if (breaks_between(c.code_point, after.code_point)) break;
      c = after;
    }
    grapheme = text_.substr(begin, end_ - begin);
    return true;
  }

 private:
  bool breaks_between(char32_t a, char32_t b) {
    if (a < 0x80 && b < 0x80) {
      state_ = 0;  // utf8proc's memory of `a`, which it then reads from `a` itself
      return a != '\r' || b != '\n';
    }
    return utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(grapheme_stand_in(a)),
                                            static_cast<utf8proc_int32_t>(grapheme_stand_in(b)), &state_);
  }

  std::string_view text_;
  size_t end_ = 0;
  utf8proc_int32_t state_ = 0;
};

class GraphemeStep final : public NormalizerStep {
 public:
  explicit GraphemeStep(CharsMap map) : map_(std::move(map)) {}
  Status apply(std::string_view text, std::string& out) const override {
    const size_t most = out.size() + most_normalized_bytes(text.size());
    Graphemes graphemes(text);
    for (std::string_view grapheme; graphemes.next(grapheme);) {
      if (grapheme.size() > kLongestWhole || !append_mapped(grapheme, out)) append_characters(grapheme, out);
      if (out.size() > most) return grown_too_far(text.size());
    }
    return {};
  }

 private:
  static constexpr size_t kLongestWhole = 5;

  bool append_mapped(std::string_view part, std::string& out) const {
    const CharsMap::Found found = map_.find(part, false);
    if (found.length != 0) out += found.replacement;
    return found.length != 0;
  }

  void append_characters(std::string_view grapheme, std::string& out) const {
    for (size_t at = 0; at < grapheme.size();) {
      const std::string_view c = grapheme.substr(at, utf8_decode(grapheme, at).length);
      if (!append_mapped(c, out)) out += c;
      at += c.size();
    }
  }

  CharsMap map_;
};

Result<CharsMap> parse_chars_map(std::string_view blob, const std::string& where) {
  const auto fail = [&](std::string expected, std::string got) {
    return bad_input(
        {where + ": precompiled_charsmap", std::move(expected), std::move(got), "fetching the file again"});
  };
  uint32_t bytes = 0;
  if (blob.size() < sizeof bytes) return fail("at least 4 bytes", std::to_string(blob.size()) + " bytes");
  std::memcpy(&bytes, blob.data(), sizeof bytes);
  if (bytes % 4 != 0 || bytes == 0 || !range_inside(sizeof bytes, bytes, blob.size())) {
    return fail("a trie of whole units inside the map's " + std::to_string(blob.size()) + " bytes",
                std::to_string(bytes) + " bytes");
  }
  if (bytes / 4 > kMostUnits) {
    return fail("a trie of at most " + std::to_string(kMostUnits) + " units", std::to_string(bytes / 4));
  }
  CharsMap map;
  map.trie.units.resize(bytes / 4);
  std::memcpy(map.trie.units.data(), blob.data() + sizeof bytes, bytes);
  map.replacements = blob.substr(sizeof bytes + bytes);
  if (!utf8_valid(map.replacements)) return fail("replacements in UTF-8", "ill-formed text");
  if (const char* fault = TrieCheck(map.trie, map.replacements).run()) return fail("a sound trie", fault);
  return map;
}

}  // namespace

Result<NormalizerStepPtr> chars_map_step(std::string_view blob, const std::string& where, bool by_graphemes) {
  BRISK_ASSIGN(CharsMap map, parse_chars_map(blob, where));
  if (by_graphemes) return NormalizerStepPtr(std::make_shared<GraphemeStep>(std::move(map)));
  return NormalizerStepPtr(std::make_shared<LongestKeyStep>(std::move(map)));
}

}  // namespace brisk::text
