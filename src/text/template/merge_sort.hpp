// A stable sort that stays inside its ranges whatever the comparison answers: templates may compare NaN,
// or fail halfway, where the standard sorts may assume an order.
#pragma once

#include <algorithm>
#include <vector>

namespace brisk::text::tmpl {

template <typename T, typename Less>
void merge_sort(std::vector<T>& items, Less is_less) {
  std::vector<T> merged(items.size());
  const auto at = [&](size_t i) {
    return items.begin() + static_cast<std::ptrdiff_t>(std::min(i, items.size()));
  };
  for (size_t width = 1; width < items.size(); width *= 2) {
    auto out = merged.begin();
    for (size_t i = 0; i < items.size(); i += 2 * width) {
      out = std::merge(at(i), at(i + width), at(i + width), at(i + 2 * width), out, is_less);
    }
    items.swap(merged);
  }
}

}  // namespace brisk::text::tmpl
