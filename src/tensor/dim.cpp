#include "tensor/dim.hpp"

#include "base/check.hpp"

namespace brisk {

Dim Dim::symbol(SymbolId id, int64_t factor) {
  Dim dim;
  if (factor != 0) dim.terms_.emplace_back(id, factor);
  return dim;
}

Dim Dim::known_after(int32_t node) {
  Dim dim;
  dim.node_ = node;
  return dim;
}

int64_t Dim::evaluate(std::span<const int64_t> symbols) const {
  BRISK_ASSERT(is_known(), "only known dimensions are evaluated");
  int64_t value = constant_;
  for (const auto& [id, factor] : terms_) value += factor * symbols[static_cast<size_t>(id)];
  return value;
}

std::string Dim::to_string(std::span<const std::string> symbol_names) const {
  if (node_ >= 0) return "after(" + std::to_string(node_) + ")";
  std::string text;
  for (const auto& [id, factor] : terms_) {
    if (!text.empty()) text += "+";
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

}  // namespace brisk
