#include "text/byte_trie.hpp"

namespace brisk::text {

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, int32_t>> texts) {
  std::sort(texts.begin(), texts.end());
  // Level by level: a node is the range of sorted texts that share the bytes down to it.
  struct Range {
    size_t begin, end;
  };
  std::vector<Range> level{{0, texts.size()}}, below;
  bytes_.push_back(0);
  for (size_t depth = 0; !level.empty(); ++depth, level.swap(below)) {
    below.clear();
    for (Range range : level) {
      const bool ends_here = range.begin < range.end && texts[range.begin].first.size() == depth;
      values_.push_back(ends_here ? texts[range.begin++].second : -1);
      first_child_.push_back(static_cast<uint32_t>(bytes_.size()));
      while (range.begin < range.end) {
        const char byte = texts[range.begin].first[depth];
        const size_t begin = range.begin;
        while (range.begin < range.end && texts[range.begin].first[depth] == byte) ++range.begin;
        below.push_back({begin, range.begin});
        bytes_.push_back(static_cast<uint8_t>(byte));
      }
    }
  }
  first_child_.push_back(static_cast<uint32_t>(bytes_.size()));
}

}  // namespace brisk::text
