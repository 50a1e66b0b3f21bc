// Vectors of floats handed to NumPy without a copy.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include <nanobind/ndarray.h>

namespace brisk::python {

using FloatArray = nanobind::ndarray<nanobind::numpy, float>;

inline FloatArray to_numpy(std::vector<float> values, std::initializer_list<size_t> shape) {
  auto owned = std::make_unique<std::vector<float>>(std::move(values));
  float* data = owned->data();
  nanobind::capsule owner(owned.get(), [](void* p) noexcept { delete static_cast<std::vector<float>*>(p); });
  owned.release();
  return FloatArray(data, shape, owner);
}

}  // namespace brisk::python
