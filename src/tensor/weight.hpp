// A weight as the model file holds it: the tensors that it is made of and the settings that say how, all
// views and never copies. Its form (quant/weight_form.hpp) knows how to read them; kernels repack them at
// load where they want to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace brisk {

namespace quant {
struct WeightForm;
}

/// One of the tensors that a weight is made of. The data may begin at any address.
struct WeightComponent {
  std::string name;  ///< as the form calls it: "blocks", "codes", "scales"
  DType dtype = DType::kF32;
  Shape shape;  ///< outermost first
  std::span<const std::byte> data;

  /// Element `index` of plain values, whose C++ type is T.
  template <typename T>
  T at(int64_t index) const noexcept {
    T value;
    std::memcpy(&value, data.data() + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
};

struct Weight {
  std::string name;  ///< the file's name, for messages
  Shape shape;       ///< of the values that it stands for: [n, k], or [width] for a plain vector
  const quant::WeightForm* form = nullptr;
  std::vector<WeightComponent> components;
  std::vector<std::pair<std::string, int64_t>> settings = {};  ///< geometry, such as the size of a group

  int64_t width() const { return shape.back(); }  ///< values of a row
  /// Bytes of all components.
  int64_t bytes() const;
  /// The component of this name, or null.
  const WeightComponent* find(std::string_view key) const noexcept;
  /// The component of this name, which the form's check has found there.
  const WeightComponent& component(std::string_view key) const noexcept;
  /// The one component of plain values or of a block format.
  const WeightComponent& only() const noexcept;
  /// The type of the only component; F32, what the rows decode to, where there are several.
  DType dtype() const noexcept;
  /// The setting of this name, if it is there.
  std::optional<int64_t> setting(std::string_view key) const noexcept;
};

}  // namespace brisk
