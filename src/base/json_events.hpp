// JSON as a stream of events, for files too large to be held as a tree (a tokenizer.json of 30 MB), and the
// tree that parse_json builds of them (base/json.hpp).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.hpp"

namespace brisk {

/// Receives a document in its order. An error stops the reading; read_json_events puts the source, line and
/// column before its `where`.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  /// The next member's name. Strings may be moved from.
  virtual Status key(std::string& name) = 0;
  virtual Status string(std::string& value) = 0;
  /// null, a boolean or a number.
  virtual Status scalar(Json value) = 0;
  /// A number with a point or an exponent, and how it is written. By default a scalar as others are.
  virtual Status decimal(double value, std::string_view /*written*/) { return scalar(Json(value)); }
  virtual Status open(bool object) = 0;
  virtual Status close() = 0;
};

/// Checks what parse_json checks, with the same errors.
Status read_json_events(std::string_view text, std::string_view where, JsonLimits limits, JsonEvents& events);

/// Builds the tree on an explicit stack. `most_values` bounds its memory (about 100 bytes a value).
class JsonTree final : public JsonEvents {
 public:
  explicit JsonTree(uint64_t most_values = UINT64_MAX) : values_left_(most_values) {}

  Status key(std::string& name) override;
  Status string(std::string& value) override { return add(Json(std::move(value))); }
  Status scalar(Json value) override { return add(std::move(value)); }
  Status open(bool object) override;
  Status close() override;

  /// Whether no container is open: after an event, whether the value is complete.
  bool complete() const { return stack_.empty(); }
  /// The value, which is then gone from here.
  Json take() { return std::move(result_); }

 private:
  struct Level {
    Json value;
    std::string key;
    std::unordered_map<std::string, size_t> index;
  };

  Status add(Json value);
  static void add_member(Level& level, Json value);

  uint64_t values_left_;
  Json result_;
  std::vector<Level> stack_;
};

}  // namespace brisk
