// The list of decoding methods, written by the build from the files of this folder, and the choice of one.
#include <algorithm>
#include <array>

#include "runtime/decoding/decoding.hpp"

namespace brisk::runtime {

#define BRISK_ITEM(name) DecodingMethod name();
#include "decodings.inc"
#undef BRISK_ITEM

std::span<const DecodingMethod> all_decodings() {
  static const std::array methods = {
#define BRISK_ITEM(name) name(),
#include "decodings.inc"
#undef BRISK_ITEM
  };
  return methods;
}

namespace {

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

// An option that the method does not read would silently do nothing.
Status refuse_unread(const DecodingMethod& method, const DecodingOptions& options) {
  const std::pair<const char*, bool> given[] = {
      {"profile", !options.profile.empty()},
      {"mode", options.mode.has_value()},
      {"alpha", options.alpha.has_value()},
      {"lambda", options.lambda.has_value()},
      {"approximate_head", options.approximate_head},
      {"shared_prompt", options.shared_prompt},
      {"layers", !options.layers.empty()},
      {"amateur", options.amateur != nullptr},
  };
  for (const auto& [name, set] : given) {
    if (!set || has_word(method.reads, name)) continue;
    return usage_error(
        {std::string("decoding ") + method.name,
         method.reads.empty() ? "no options" : "only options among: " + std::string(method.reads), name,
         "leaving it out, or another method"});
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Decoding>> create_decoding(const Model& model, const DecodingOptions& options) {
  std::string known;
  for (const DecodingMethod& method : all_decodings()) {
    if (options.method == method.name) {
      BRISK_TRY(refuse_unread(method, options));
      return method.create(model, options);
    }
    known += (known.empty() ? "" : ", ") + std::string(method.name);
  }
  return usage_error({"decoding method", "one of " + known, "'" + options.method + "'"});
}

}  // namespace brisk::runtime
