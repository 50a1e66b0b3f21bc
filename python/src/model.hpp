// Models in Python: a loaded model, the sessions that answer from it, and its numbers as NumPy arrays.
#pragma once

#include <nanobind/nanobind.h>

namespace brisk::python {

void bind_model(nanobind::module_& module);

}  // namespace brisk::python
