// JSON in and out as whole values; the reading itself is base/json_events.cpp.
#include "base/json.hpp"

#include "base/json_events.hpp"

namespace brisk {

Result<Json> parse_json(std::string_view text, std::string_view where, JsonLimits limits) {
  JsonTree tree;
  BRISK_TRY(read_json_events(text, where, limits, tree));
  return tree.take();
}

std::string to_json_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace brisk
