#include "python/src/decoding.hpp"

#include <nanobind/stl/string.h>

#include "python/src/errors.hpp"
#include "runtime/prunecd_profile.hpp"

namespace nb = nanobind;

namespace brisk::python {

namespace {

template <typename T>
T read(const std::string& key, const nb::handle& value, const char* expected) {
  T read;
  if (!nb::try_cast<T>(value, read)) {
    raise(usage_error({"decode, " + key, expected, nb::cast<std::string>(nb::repr(value)), "another value"}));
  }
  return read;
}

runtime::ContrastMode read_mode(const nb::handle& value) {
  const auto name = read<std::string>("mode", value, "'ratio' or 'extrapolate'");
  const auto mode = runtime::find_contrast_mode(name);
  if (!mode) raise(usage_error({"decode, mode", "'ratio' or 'extrapolate'", "'" + name + "'", "ratio"}));
  return *mode;
}

}  // namespace

runtime::DecodingOptions read_decoding(
    const nb::dict& given,
    const std::function<std::shared_ptr<const runtime::Model>(const nb::handle&)>& model_of) {
  runtime::DecodingOptions options;
  for (const auto& [name, value] : given) {
    const auto key = nb::cast<std::string>(nb::str(name));
    if (key == "method") {
      options.method = read<std::string>(key, value, "a method's name");
    } else if (key == "profile") {
      options.profile = read<std::string>(key, value, "the path of a profile");
    } else if (key == "mode") {
      options.mode = read_mode(value);
    } else if (key == "alpha") {
      options.alpha = read<double>(key, value, "a number");
    } else if (key == "lambda") {
      options.lambda = read<double>(key, value, "a number");
    } else if (key == "approximate_head") {
      options.approximate_head = read<bool>(key, value, "True or False");
    } else if (key == "shared_prompt") {
      options.shared_prompt = read<bool>(key, value, "True or False");
    } else if (key == "layers") {
      options.layers = read<std::string>(key, value, "'low', 'high' or '2,4,6'");
    } else if (key == "amateur") {
      options.amateur = model_of(value);
    } else {
      raise(usage_error({"decode",
                         "the keys method, profile, mode, alpha, lambda, approximate_head, shared_prompt, "
                         "layers, amateur",
                         "'" + key + "'", "one of them"}));
    }
  }
  return options;
}

}  // namespace brisk::python
