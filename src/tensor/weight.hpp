// A weight as the model file holds it: a view, never a copy. Kernels repack it at load where they want to.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace brisk {

struct Weight {
  std::string name;  ///< the file's name, for messages
  DType dtype = DType::kF32;
  Shape shape;  ///< outermost first
  std::span<const std::byte> data;
};

}  // namespace brisk
