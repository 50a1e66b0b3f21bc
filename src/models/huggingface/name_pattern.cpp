#include "models/huggingface/name_pattern.hpp"

#include <utility>

namespace brisk::models {

namespace {

constexpr size_t kMostBytes = 1024;
constexpr int kMostDepth = 32;

std::bitset<256> range(unsigned char first, unsigned char last) {
  std::bitset<256> bytes;
  for (unsigned byte = first; byte <= last; ++byte) bytes.set(byte);
  return bytes;
}

/// What \d, \w, \s and their negatives stand for; a sign stands for itself. Empty for what is not read.
std::bitset<256> escaped(char c) {
  const auto word = range('0', '9') | range('a', 'z') | range('A', 'Z') | range('_', '_');
  const auto space = range('\t', '\r') | range(' ', ' ');
  switch (c) {
    case 'd': return range('0', '9');
    case 'D': return ~range('0', '9');
    case 'w': return word;
    case 'W': return ~word;
    case 's': return space;
    case 'S': return ~space;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  return word[byte] ? std::bitset<256>() : range(byte, byte);
}

}  // namespace

/// Recursive descent; each part is compiled from its end, so that it knows what comes next:
///     alternatives = sequence ('|' sequence)*    sequence = repeated*    repeated = one ('*' | '+' | '?')*
class NamePattern::Compiler {
 public:
  Compiler(std::string_view pattern, const std::string& where) : text_(pattern), where_(&where) {}

  Result<NamePattern> run() {
    if (text_.size() > kMostBytes) return refuse("at most " + std::to_string(kMostBytes) + " bytes");
    BRISK_ASSIGN(const Node root, alternatives(0));
    if (at_ != text_.size()) return refuse("no ')' without its '('");
    const size_t match = add({Step::kMatch});
    pattern_.start_ = emit(root, match);
    return std::move(pattern_);
  }

 private:
  enum class Kind : uint8_t { kOneOf, kBegin, kEnd, kSequence, kEither, kStar, kPlus, kMaybe };
  struct Node {
    Kind kind;
    std::bitset<256> bytes = {};
    std::vector<Node> parts = {};
  };

  Result<Node> alternatives(int depth) {
    if (depth > kMostDepth) return refuse("groups up to " + std::to_string(kMostDepth) + " deep");
    Node either{Kind::kEither};
    do {
      BRISK_ASSIGN(Node sequence, this->sequence(depth));
      either.parts.push_back(std::move(sequence));
    } while (take('|'));
    return either;
  }

  Result<Node> sequence(int depth) {
    Node sequence{Kind::kSequence};
    while (at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
      BRISK_ASSIGN(Node part, repeated(depth));
      sequence.parts.push_back(std::move(part));
    }
    return sequence;
  }

  Result<Node> repeated(int depth) {
    BRISK_ASSIGN(Node node, one(depth));
    if (at_ == text_.size()) return node;
    Kind kind;
    switch (text_[at_]) {
      case '*': kind = Kind::kStar; break;
      case '+': kind = Kind::kPlus; break;
      case '?': kind = Kind::kMaybe; break;
      default: return node;
    }
    ++at_;
    take('?');  // lazy: the same names
    Node repeat{kind};
    repeat.parts.push_back(std::move(node));
    return repeat;
  }

  Result<Node> one(int depth) {
    const char c = text_[at_++];
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '(': return group(depth);
      case '[': return character_class();
      case '.': return Node{Kind::kOneOf, ~range('\n', '\n')};
      case '^': return Node{Kind::kBegin};
      case '$': return Node{Kind::kEnd};
      case '\\': {
        BRISK_ASSIGN(const std::bitset<256> bytes, escape());
        return Node{Kind::kOneOf, bytes};
      }
      case '*':
      case '+':
      case '?':
      case '{': return refuse("'*', '+' and '?' once, after what they repeat");
      default: return Node{Kind::kOneOf, range(byte, byte)};
    }
  }

  Result<Node> group(int depth) {
    if (take('?') && !take(':')) return refuse("plain groups");
    BRISK_ASSIGN(Node inner, alternatives(depth + 1));
    if (!take(')')) return refuse("a ')' for each '('");
    return inner;
  }

  Result<std::bitset<256>> escape() {
    if (at_ == text_.size()) return refuse("a sign after '\\'");
    const std::bitset<256> bytes = escaped(text_[at_++]);
    if (bytes.none()) return refuse("\\d, \\w, \\s or a sign after '\\'");
    return bytes;
  }

  Result<Node> character_class() {
    const bool negated = take('^');
    std::bitset<256> bytes;
    bool first = true;
    for (; at_ < text_.size() && (text_[at_] != ']' || first); first = false) {
      const char low = text_[at_++];
      if (low == '\\') {
        BRISK_ASSIGN(const std::bitset<256> some, escape());
        bytes |= some;
        continue;
      }
      char high = low;
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        high = text_[at_ + 1];
        at_ += 2;
      }
      if (high == '\\' || static_cast<unsigned char>(high) < static_cast<unsigned char>(low)) {
        return refuse("ranges from a lower to a higher character");
      }
      bytes |= range(static_cast<unsigned char>(low), static_cast<unsigned char>(high));
    }
    if (!take(']')) return refuse("a ']' for each '['");
    return Node{Kind::kOneOf, negated ? ~bytes : bytes};
  }

  /// The instructions of `node` before `next`; where they begin.
  size_t emit(const Node& node, size_t next) {
    switch (node.kind) {
      case Kind::kOneOf: return add({Step::kOneOf, node.bytes, next});
      case Kind::kBegin: return add({Step::kBegin, {}, next});
      case Kind::kEnd: return add({Step::kEnd, {}, next});
      case Kind::kSequence:
        for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part) next = emit(*part, next);
        return next;
      case Kind::kEither: {
        size_t begin = emit(node.parts.back(), next);
        for (size_t i = node.parts.size() - 1; i-- > 0;) {
          const size_t way = emit(node.parts[i], next);
          begin = add({Step::kSplit, {}, way, begin});
        }
        return begin;
      }
      case Kind::kMaybe: {
        const size_t inner = emit(node.parts[0], next);
        return add({Step::kSplit, {}, inner, next});
      }
      case Kind::kStar:
      case Kind::kPlus: break;
    }
    const size_t loop = add({Step::kSplit, {}, 0, next});
    const size_t inner = emit(node.parts[0], loop);
    pattern_.program_[loop].next = inner;
    return node.kind == Kind::kStar ? loop : inner;
  }

  size_t add(Instruction instruction) {
    pattern_.program_.push_back(instruction);
    return pattern_.program_.size() - 1;
  }

  bool take(char c) {
    const bool there = at_ < text_.size() && text_[at_] == c;
    if (there) ++at_;
    return there;
  }

  Status refuse(std::string expected) const {
    return bad_input({*where_, std::move(expected),
                      "'re:" + std::string(text_.substr(0, 80)) + "', at byte " + std::to_string(at_),
                      "a simpler pattern, or the names themselves"});
  }

  std::string_view text_;
  const std::string* where_;
  size_t at_ = 0;
  NamePattern pattern_;
};

Result<NamePattern> NamePattern::compile(std::string_view pattern, const std::string& where) {
  return Compiler(pattern, where).run();
}

// Adds the instructions that wait for a byte, or match, to the list of those alive at `position`.
void NamePattern::follow(size_t at, size_t position, size_t end, std::vector<size_t>& list,
                         std::vector<bool>& seen) const {
  std::vector<size_t> open = {at};
  while (!open.empty()) {
    const size_t index = open.back();
    open.pop_back();
    if (seen[index]) continue;
    seen[index] = true;
    const Instruction& instruction = program_[index];
    switch (instruction.step) {
      case Step::kSplit:
        open.push_back(instruction.other);
        open.push_back(instruction.next);
        break;
      case Step::kBegin:
        if (position == 0) open.push_back(instruction.next);
        break;
      case Step::kEnd:
        if (position == end) open.push_back(instruction.next);
        break;
      case Step::kOneOf:
      case Step::kMatch: list.push_back(index); break;
    }
  }
}

bool NamePattern::matches(std::string_view name) const {
  std::vector<size_t> alive, after;
  std::vector<bool> seen(program_.size(), false);
  follow(start_, 0, name.size(), alive, seen);
  for (size_t position = 0;; ++position) {
    after.clear();
    seen.assign(program_.size(), false);
    for (const size_t index : alive) {
      const Instruction& instruction = program_[index];
      if (instruction.step == Step::kMatch) return true;
      if (position == name.size() || !instruction.bytes[static_cast<unsigned char>(name[position])]) continue;
      follow(instruction.next, position + 1, name.size(), after, seen);
    }
    if (after.empty()) return false;
    alive.swap(after);
  }
}

}  // namespace brisk::models
