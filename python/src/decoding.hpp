// Decoding methods in Python: a dictionary of settings.
#pragma once

#include <functional>
#include <memory>

#include <nanobind/nanobind.h>

#include "runtime/decoding/decoding.hpp"

namespace brisk::python {

/// Reads {'method': ..., 'profile': ..., ...}; an unknown key or a value of the wrong type is a usage error.
/// `model_of` turns the value of 'amateur' into a model.
runtime::DecodingOptions read_decoding(
    const nanobind::dict& given,
    const std::function<std::shared_ptr<const runtime::Model>(const nanobind::handle&)>& model_of);

}  // namespace brisk::python
