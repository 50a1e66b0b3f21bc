// A symbolic dimension: an integer, an affine expression of named symbols ("tokens", 2*tokens + 1), or a
// number that is known only after some node has run.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brisk {

/// Index of a symbol in its graph's list of names.
using SymbolId = int32_t;

class Dim {
 public:
  Dim(int64_t constant = 0) : constant_(constant) {}  // NOLINT: implicit on purpose
  static Dim symbol(SymbolId id, int64_t factor = 1);
  /// Known after node `node` has run (NonZero, NMS, ...): the planner cuts the graph there.
  static Dim known_after(int32_t node);

  bool is_constant() const { return terms_.empty() && node_ < 0; }
  bool is_known() const { return node_ < 0; }
  int64_t constant() const { return constant_; }
  /// The node after which the dimension is known; -1 when it is known before.
  int32_t node() const { return node_; }

  /// The value for given symbols; only for dimensions that are known.
  int64_t evaluate(std::span<const int64_t> symbols) const;
  std::string to_string(std::span<const std::string> symbol_names) const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator*(int64_t factor, const Dim& a);
  friend bool operator==(const Dim& a, const Dim& b) = default;

 private:
  int64_t constant_ = 0;
  std::vector<std::pair<SymbolId, int64_t>> terms_;  // by symbol, factors never zero
  int32_t node_ = -1;
};

}  // namespace brisk
