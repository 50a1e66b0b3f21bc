// Errors at the Python boundary: one exception class per status code, all below brisk.Error.
#pragma once

#include <utility>

#include <nanobind/nanobind.h>

#include "base/status.hpp"

namespace brisk::python {

/// Adds the exception classes to the module.
void bind_errors(nanobind::module_& module);

/// Raises the exception of a status that is not ok. Needs the GIL.
[[noreturn]] void raise(const Status& status);

inline void check(const Status& status) {
  if (!status.ok()) raise(status);
}

/// The value of a result, or its error as an exception.
template <typename T>
T unwrap(Result<T> result) {
  check(result.status());
  return std::move(result).value();
}

}  // namespace brisk::python
