// SentencePiece character maps for tests (layout: src/text/chars_map.cpp): every byte of a key gets a block
// of 256 units, which is simple, not small.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace brisk::test {

class CharsMapBuilder {
 public:
  CharsMapBuilder& add(const std::string& key, const std::string& replacement) {
    size_t base = 256;  // of the root's children
    uint32_t* unit = &units_[0];
    for (const char c : key) {
      const size_t child = base ^ static_cast<uint8_t>(c);
      if (units_[child] == 0) {
        base = units_.size();
        units_.resize(base + 256);
        set_offset(child, base);
        units_[child] |= static_cast<uint8_t>(c);
        base_of_[child] = base;
      }
      base = base_of_[child];
      unit = &units_[child];
    }
    *unit |= 1U << 8;
    units_[base] = static_cast<uint32_t>(texts_.size()) | 1U << 31;
    texts_ += replacement + '\0';
    return *this;
  }

  std::vector<uint32_t>& units() { return units_; }
  std::string& texts() { return texts_; }

  std::string blob() const {
    const auto bytes = static_cast<uint32_t>(4 * units_.size());
    std::string out(4 + bytes, '\0');
    std::memcpy(out.data(), &bytes, 4);
    std::memcpy(out.data() + 4, units_.data(), bytes);
    return out + texts_;
  }

 private:
  void set_offset(size_t at, size_t base) { units_[at] |= static_cast<uint32_t>(at ^ base) << 10; }

  std::vector<uint32_t> units_ = first_units();
  std::map<size_t, size_t> base_of_;
  std::string texts_;

  static std::vector<uint32_t> first_units() {
    std::vector<uint32_t> units(512);
    units[0] = 256U << 10;
    return units;
  }
};

}  // namespace brisk::test
