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
/// Number of a run-time size: the place in a step where the node that finds the size writes it. A number and
/// not the node's index, because passes move nodes.
using SizeId = int32_t;

class Dim {
 public:
  Dim(int64_t constant = 0) : constant_(constant) {}  // NOLINT: implicit on purpose
  static Dim symbol(SymbolId id, int64_t factor = 1);
  /// Known after the node that finds size `id` has run (NonZero, NMS, ...): the planner cuts the graph there.
  /// It is at most `bound`, a known dimension; without one no buffer can be planned for it.
  static Dim known_after(SizeId id, std::optional<Dim> bound = std::nullopt);

  bool is_constant() const { return terms_.empty() && is_known(); }
  bool is_known() const { return size_ < 0; }
  int64_t constant() const { return constant_; }
  /// Symbols with their factors, which are never zero; by symbol.
  const std::vector<std::pair<SymbolId, int64_t>>& terms() const { return terms_; }
  /// The run-time size that the dimension waits for; -1 when it is known before.
  SizeId size_id() const { return size_; }
  /// What it can be at most: itself when it is known, else the bound, if there is one.
  std::optional<Dim> bound() const;
  /// One more than the largest symbol that it (or its bound) is made of; 0 when there is none.
  SymbolId symbol_count() const { return terms_.empty() ? 0 : terms_.back().first + 1; }

  /// The value for given symbols; only for dimensions that are known.
  int64_t evaluate(std::span<const int64_t> symbols) const;
  /// The bound's value for the largest symbols, or nothing: no bound, negative, or beyond 64 bits.
  std::optional<int64_t> most(std::span<const int64_t> symbols) const;
  /// "2*tokens+1"; "after(0)", or "after(0)<=8*tokens" when there is a bound.
  std::string to_string(std::span<const std::string> symbol_names) const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator*(int64_t factor, const Dim& a);
  friend bool operator==(const Dim& a, const Dim& b) = default;

 private:
  int64_t constant_ = 0;                             // these two: the value, or the bound
  std::vector<std::pair<SymbolId, int64_t>> terms_;  // by symbol, factors never zero
  SizeId size_ = -1;
  bool bounded_ = true;  // always, when it is known
};

/// a * b where one of them is constant, and the bound of the product where they are known later. Nothing when
/// that is no affine expression or exceeds 64 bits.
std::optional<Dim> bound_of_product(const Dim& a, const Dim& b);

}  // namespace brisk
