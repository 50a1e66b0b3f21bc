// A trie over the bytes of texts: which of many texts does a text begin with? The word models look up tokens
// in it, the pipeline finds added tokens.
//
// Nodes lie in levels, the children of one node side by side and sorted by byte, so a node needs its byte,
// the number of its first child and the value of the text that ends in it: 9 bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace brisk::text {

class ByteTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = UINT32_MAX;

  ByteTrie() = default;
  /// Texts, none empty and no two the same, each with a value of 0 or more. The texts are not kept.
  explicit ByteTrie(std::vector<std::pair<std::string_view, int32_t>> texts);

  bool empty() const { return values_.size() < 2; }
  /// The node below `node` for this byte, or kNone.
  Node child(Node node, uint8_t byte) const;
  /// The node for all bytes of `text`, below `node`, or kNone.
  Node walk(Node node, std::string_view text) const;
  /// The value of the text that ends here, or -1.
  int32_t value(Node node) const { return values_[node]; }

 private:
  std::vector<uint8_t> bytes_;  // [nodes]: the byte that leads to the node
  std::vector<uint32_t>
      first_child_;              // [nodes + 1]: children of n are first_child_[n] to first_child_[n + 1]
  std::vector<int32_t> values_;  // [nodes]
};

inline ByteTrie::Node ByteTrie::child(Node node, uint8_t byte) const {
  const uint32_t begin = first_child_[node];
  const uint32_t end = first_child_[node + 1];
  if (end - begin > 8) {
    const auto found = std::lower_bound(bytes_.begin() + begin, bytes_.begin() + end, byte);
    const auto at = static_cast<Node>(found - bytes_.begin());
    return at < end && *found == byte ? at : kNone;
  }
  for (Node at = begin; at < end; ++at) {
    if (bytes_[at] == byte) return at;
  }
  return kNone;
}

inline ByteTrie::Node ByteTrie::walk(Node node, std::string_view text) const {
  for (const char c : text) {
    node = child(node, static_cast<uint8_t>(c));
    if (node == kNone) break;
  }
  return node;
}

}  // namespace brisk::text
