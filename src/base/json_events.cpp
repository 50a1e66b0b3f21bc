// Reading goes through nlohmann's event interface, so that no exception is thrown, the depth is checked
// before a level opens, and the tree is built without recursion.
#include "base/json_events.hpp"

#include <algorithm>
#include <iterator>

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

/// Walks the text and tells the place to everybody: the parser itself tells it only in its own errors.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  explicit Cursor(const char** at) : at_(at) {}
  reference operator*() const { return **at_; }
  Cursor& operator++() {
    ++*at_;
    return *this;
  }
  Cursor operator++(int) {
    const Cursor before = *this;
    ++*at_;
    return before;
  }
  bool operator==(const Cursor& other) const { return *at_ == *other.at_; }
  bool operator!=(const Cursor& other) const { return *at_ != *other.at_; }

 private:
  const char** at_;
};

/// What nlohmann's parser calls; keeps the first error.
class Adapter {
 public:
  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  Adapter(JsonEvents& events, int depth_limit) : events_(&events), depth_limit_(depth_limit) {}

  bool null() { return pass(events_->scalar(Json(nullptr))); }
  bool boolean(bool value) { return pass(events_->scalar(Json(value))); }
  bool number_integer(number_integer_t value) { return pass(events_->scalar(Json(value))); }
  bool number_unsigned(number_unsigned_t value) { return pass(events_->scalar(Json(value))); }
  bool number_float(number_float_t value, const string_t& written) {
    return pass(events_->decimal(value, written));
  }
  bool string(string_t& value) { return pass(events_->string(value)); }
  bool binary(binary_t&) { return false; }
  bool start_object(size_t) { return open(true); }
  bool start_array(size_t) { return open(false); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(string_t& name) { return pass(events_->key(name)); }
  bool parse_error(size_t position, const std::string&, const Json::exception& error) {
    error_offset = position == 0 ? 0 : position - 1;
    error_text = error.what();
    return false;
  }

  Status status;  ///< of the receiver, or of the depth check
  size_t error_offset = 0;
  std::string error_text;

 private:
  bool pass(Status result) {
    if (result.ok()) return true;
    status = std::move(result);
    return false;
  }

  bool open(bool object) {
    if (++depth_ > depth_limit_) {
      return pass(bad_input({"", "JSON nested at most " + std::to_string(depth_limit_) + " levels deep",
                             "a deeper level", "less nesting"}));
    }
    return pass(events_->open(object));
  }

  bool close() {
    --depth_;
    return pass(events_->close());
  }

  JsonEvents* events_;
  int depth_limit_;
  int depth_ = 0;
};

/// The library's sentence without its error number and its own position.
std::string plain_reason(const std::string& text) {
  size_t from = text.find("column ");
  if (from != std::string::npos) from = text.find(": ", from);
  if (from == std::string::npos) from = text.find("] ");
  return from == std::string::npos ? text : text.substr(from + 2);
}

}  // namespace

Status read_json_events(std::string_view text, std::string_view where, JsonLimits limits,
                        JsonEvents& events) {
  const auto fail = [&](size_t at, std::string expected, std::string got, std::string hint) {
    return bad_input({std::string(where) + ":" + line_and_column(text, at), std::move(expected),
                      std::move(got), std::move(hint)});
  };
  if (text.size() > limits.bytes) {
    return fail(0, "JSON of at most " + std::to_string(limits.bytes) + " bytes",
                std::to_string(text.size()) + " bytes", "a smaller file");
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return fail(0, "JSON in UTF-8", "a UTF-16 byte order mark", "saving the file as UTF-8");
  }
  // The library takes a zero byte for the end of the text and would pass over what follows.
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return fail(zero, "JSON text", "a zero byte", "saving the file as UTF-8");
  }
  Adapter adapter(events, limits.depth);
  const char* at = text.data();
  const char* end = text.data() + text.size();
  if (Json::sax_parse(Cursor(&at), Cursor(&end), &adapter)) return {};
  if (adapter.status.ok()) {
    return fail(adapter.error_offset, "valid JSON", plain_reason(adapter.error_text), "correcting it there");
  }
  const auto read = static_cast<size_t>(at - text.data());
  ErrorParts parts = adapter.status.parts();
  const std::string place = parts.where.empty() ? "" : ": " + parts.where;
  parts.where = std::string(where) + ":" + line_and_column(text, read == 0 ? 0 : read - 1) + place;
  return {adapter.status.code(), std::move(parts)};
}

Status JsonTree::key(std::string& name) {
  stack_.back().key = std::move(name);
  return {};
}

Status JsonTree::open(bool object) {
  stack_.push_back({object ? Json::object() : Json::array(), {}, {}});
  return {};
}

Status JsonTree::close() {
  Json done = std::move(stack_.back().value);
  stack_.pop_back();
  return add(std::move(done));
}

Status JsonTree::add(Json value) {
  if (values_left_-- == 0)
    return bad_input({"", "JSON with fewer values", "too many values", "a smaller file"});
  if (stack_.empty()) {
    result_ = std::move(value);
  } else if (Level& level = stack_.back(); level.value.is_array()) {
    level.value.get_ref<Json::array_t&>().push_back(std::move(value));
  } else {
    add_member(level, std::move(value));
  }
  return {};
}

void JsonTree::add_member(Level& level, Json value) {
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

}  // namespace brisk
