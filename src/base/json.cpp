// JSON in and out. Reading goes through nlohmann's event interface, so that no exception is thrown, the
// depth is checked before a level opens, and the tree is built without recursion.
#include "base/json.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "base/utf8.hpp"

namespace brisk {
namespace {

/// Objects up to this many keys are searched for duplicates; larger ones get an index. (ordered_json
/// itself searches on every insert, which is quadratic.)
constexpr size_t kSearchedKeys = 16;

std::string line_and_column(std::string_view text, size_t at) {
  const std::string_view before = text.substr(0, at);
  const size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  return std::to_string(line) + ":" + std::to_string(at - line_start + 1);
}

/// Where nesting first goes beyond `depth` in a text whose strings are well formed up to there.
size_t offset_beyond_depth(std::string_view text, int depth) {
  int open = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++open > depth) return i;
    } else if (c == ']' || c == '}') {
      --open;
    }
  }
  return text.size();
}

/// Receives the parser's events and builds the tree on an explicit stack.
class TreeBuilder {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  explicit TreeBuilder(int depth_limit) : depth_limit_(depth_limit) {}

  bool null() { return add(Json(nullptr)); }
  bool boolean(bool value) { return add(Json(value)); }
  bool number_integer(number_integer_t value) { return add(Json(value)); }
  bool number_unsigned(number_unsigned_t value) { return add(Json(value)); }
  bool number_float(number_float_t value, const string_t&) { return add(Json(value)); }
  bool string(string_t& value) { return add(Json(std::move(value))); }
  bool binary(binary_t&) { return false; }
  bool start_object(size_t) { return open(Json::object()); }
  bool start_array(size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& name) {
    stack_.back().key = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const Json::exception& error) {
    error_offset = position == 0 ? 0 : position - 1;
    error_text = error.what();
    return false;
  }

  Json result;
  bool too_deep = false;
  size_t error_offset = 0;
  std::string error_text;

 private:
  struct Level {
    Json value;
    std::string key;
    std::unordered_map<std::string, size_t> index;
  };

  bool open(Json container) {
    too_deep = static_cast<int>(stack_.size()) >= depth_limit_;
    if (too_deep) return false;
    stack_.push_back({std::move(container), {}, {}});
    return true;
  }

  bool close() {
    Json done = std::move(stack_.back().value);
    stack_.pop_back();
    return add(std::move(done));
  }

  bool add(Json value) {
    if (stack_.empty()) {
      result = std::move(value);
    } else if (Level& level = stack_.back(); level.value.is_array()) {
      level.value.get_ref<Json::array_t&>().push_back(std::move(value));
    } else {
      add_member(level, std::move(value));
    }
    return true;
  }

  static void add_member(Level& level, Json value) {
    // The vector below ordered_map: its emplace_back does not search.
    using Members = std::vector<Json::object_t::value_type>;
    Members& members = level.value.get_ref<Json::object_t&>();
    if (members.size() == kSearchedKeys) {
      for (size_t i = 0; i < members.size(); ++i) level.index.emplace(members[i].first, i);
    }
    size_t found = members.size();
    if (members.size() < kSearchedKeys) {
      const auto same = [&](const auto& member) { return member.first == level.key; };
      found = static_cast<size_t>(std::find_if(members.begin(), members.end(), same) - members.begin());
    } else {
      found = level.index.try_emplace(level.key, members.size()).first->second;
    }
    if (found < members.size()) {
      members[found].second = std::move(value);
    } else {
      members.emplace_back(std::move(level.key), std::move(value));
    }
  }

  int depth_limit_;
  std::vector<Level> stack_;
};

/// The library's sentence without its error number and its own position.
std::string plain_reason(const std::string& text) {
  size_t from = text.find("column ");
  if (from != std::string::npos) from = text.find(": ", from);
  if (from == std::string::npos) from = text.find("] ");
  return from == std::string::npos ? text : text.substr(from + 2);
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view where, JsonLimits limits) {
  const auto fail = [&](size_t at, std::string expected, std::string got, std::string hint = {}) {
    return bad_input({std::string(where) + ":" + line_and_column(text, at), std::move(expected),
                      std::move(got), std::move(hint)});
  };
  if (text.size() > limits.bytes) {
    return fail(0, "JSON of at most " + std::to_string(limits.bytes) + " bytes",
                std::to_string(text.size()) + " bytes");
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return fail(0, "JSON in UTF-8", "a UTF-16 byte order mark", "saving the file as UTF-8");
  }
  // The library takes a zero byte for the end of the text and would pass over what follows.
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return fail(zero, "JSON text", "a zero byte", "saving the file as UTF-8");
  }
  TreeBuilder builder(limits.depth);
  if (Json::sax_parse(text, &builder)) return std::move(builder.result);
  if (builder.too_deep) {
    return fail(offset_beyond_depth(text, limits.depth),
                "JSON nested at most " + std::to_string(limits.depth) + " levels deep", "a deeper level");
  }
  return fail(builder.error_offset, "valid JSON", plain_reason(builder.error_text));
}

std::string to_json_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace brisk
