// JSON as a value. Json keeps the order of keys. parse_json is the only way in: bounded in depth and
// size, with the position of an error; to_json_text the only way out: always valid UTF-8.
// (nlohmann-json copies and destroys recursively: the depth limit is what makes that safe.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/status.hpp"

namespace brisk {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  int depth = 64;
  uint64_t bytes = 16U << 20;
};

/// `where` names the source in errors, which give line and column. Duplicate keys: the last one wins.
/// Invalid UTF-8, trailing bytes, NaN and numbers beyond double's range are errors.
Result<Json> parse_json(std::string_view text, std::string_view where, JsonLimits limits = {});

/// One line when indent < 0. Ill-formed UTF-8 inside strings becomes U+FFFD; NaN and infinities null.
std::string to_json_text(const Json& value, int indent = -1);

}  // namespace brisk
