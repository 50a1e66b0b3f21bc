// The extension module brisk._core; python/brisk/__init__.py is what users import.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

#include "python/src/array.hpp"
#include "python/src/errors.hpp"
#include "python/src/generation.hpp"
#include "python/src/model.hpp"
#include "python/src/tokenizer.hpp"
#include "quant/block_format.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace brisk::python {

namespace {

// Values of whole blocks, by the reference decoder.
FloatArray decode_blocks(std::string_view type_name, const nb::bytes& blocks) {
  const std::optional<DType> dtype = dtype_from_name(type_name);
  const quant::BlockFormat* format = dtype ? quant::find_format(*dtype) : nullptr;
  if (format == nullptr) {
    raise(usage_error({"decode_blocks", "a type of weights", std::string(type_name), "\"Q4_1\""}));
  }
  const DTypeInfo& type = dtype_info(*dtype);
  const auto block_bytes = static_cast<size_t>(type.block_bytes);
  if (blocks.size() % block_bytes != 0) {
    raise(bad_input({"decode_blocks", "whole blocks of " + std::to_string(block_bytes) + " bytes",
                     std::to_string(blocks.size()) + " bytes"}));
  }
  std::vector<float> values(blocks.size() / block_bytes * static_cast<size_t>(type.block_values));
  const size_t count = values.size();
  format->decode(static_cast<const std::byte*>(blocks.data()), static_cast<int64_t>(count), values.data());
  return to_numpy(std::move(values), {count});
}

}  // namespace

NB_MODULE(_core, module) {
  module.attr("__version__") = BRISK_VERSION;
  bind_errors(module);
  bind_generation(module);
  bind_tokenizer(module);
  bind_model(module);
  module.def("decode_blocks", &decode_blocks, "type_name"_a, "blocks"_a,
             "The float32 values of blocks of a weight type, e.g. 'Q4_1', by the reference decoder.");
}

}  // namespace brisk::python
