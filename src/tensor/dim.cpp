#include "tensor/dim.hpp"

#include "base/check.hpp"
#include "base/checked.hpp"

namespace brisk {

Dim Dim::symbol(SymbolId id, int64_t factor) {
  Dim dim;
  if (factor != 0) dim.terms_.emplace_back(id, factor);
  return dim;
}

Dim Dim::known_after(SizeId id, std::optional<Dim> bound) {
  BRISK_ASSERT(id >= 0, "sizes are counted from 0");
  BRISK_ASSERT(!bound || bound->is_known(), "a bound is known before");
  Dim dim = bound ? *std::move(bound) : Dim();
  dim.bounded_ = bound.has_value();
  dim.size_ = id;
  return dim;
}

std::optional<Dim> Dim::bound() const {
  if (!bounded_) return std::nullopt;
  Dim bound = *this;
  bound.size_ = -1;
  return bound;
}

int64_t Dim::evaluate(std::span<const int64_t> symbols) const {
  BRISK_ASSERT(is_known(), "only known dimensions are evaluated");
  int64_t value = constant_;
  for (const auto& [id, factor] : terms_) value += factor * symbols[static_cast<size_t>(id)];
  return value;
}

std::optional<int64_t> Dim::most(std::span<const int64_t> symbols) const {
  if (!bounded_) return std::nullopt;
  std::optional<int64_t> value = constant_;
  for (const auto& [id, factor] : terms_) {
    const auto term = checked_mul(factor, symbols[static_cast<size_t>(id)]);
    if (!term) return std::nullopt;
    value = checked_add(*value, *term);
    if (!value) return std::nullopt;
  }
  return *value >= 0 ? value : std::nullopt;
}

std::string Dim::to_string(std::span<const std::string> symbol_names) const {
  if (!is_known()) {
    const std::optional<Dim> most = bound();
    return "after(" + std::to_string(size_) + ")" + (most ? "<=" + most->to_string(symbol_names) : "");
  }
  std::string text;
  for (const auto& [id, factor] : terms_) {
    if (!text.empty() && factor > 0) text += "+";
    if (factor != 1) text += std::to_string(factor) + "*";
    text += symbol_names[static_cast<size_t>(id)];
  }
  if (text.empty()) return std::to_string(constant_);
  if (constant_ != 0) text += (constant_ > 0 ? "+" : "") + std::to_string(constant_);
  return text;
}

Dim operator+(const Dim& a, const Dim& b) {
  BRISK_ASSERT(a.is_known() && b.is_known(), "arithmetic needs known dimensions");
  Dim sum(a.constant_ + b.constant_);
  auto left = a.terms_.begin();
  auto right = b.terms_.begin();
  while (left != a.terms_.end() || right != b.terms_.end()) {
    if (right == b.terms_.end() || (left != a.terms_.end() && left->first < right->first)) {
      sum.terms_.push_back(*left++);
    } else if (left == a.terms_.end() || right->first < left->first) {
      sum.terms_.push_back(*right++);
    } else {
      const int64_t factor = left->second + right->second;
      if (factor != 0) sum.terms_.emplace_back(left->first, factor);
      ++left;
      ++right;
    }
  }
  return sum;
}

Dim operator*(int64_t factor, const Dim& a) {
  BRISK_ASSERT(a.is_known(), "arithmetic needs known dimensions");
  if (factor == 0) return Dim(0);
  Dim product(factor * a.constant_);
  for (const auto& [id, f] : a.terms_) product.terms_.emplace_back(id, factor * f);
  return product;
}

std::optional<Dim> bound_of_product(const Dim& a, const Dim& b) {
  const std::optional<Dim> left = a.bound();
  const std::optional<Dim> right = b.bound();
  if (!left || !right || (!left->is_constant() && !right->is_constant())) return std::nullopt;
  const Dim& sum = left->is_constant() ? *right : *left;
  const int64_t factor = left->is_constant() ? left->constant() : right->constant();
  if (!checked_mul(factor, sum.constant())) return std::nullopt;
  for (const auto& term : sum.terms()) {
    if (!checked_mul(factor, term.second)) return std::nullopt;
  }
  return factor * sum;
}

}  // namespace brisk
