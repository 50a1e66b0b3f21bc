// The messages of a chat, kept as JSON that other tools read: {"messages": [{"role", "content"}, ...]}.
#pragma once

#include <string>

#include "base/json.hpp"
#include "base/status.hpp"

namespace brisk::cli {

class Conversation {
 public:
  const Json& messages() const { return messages_; }
  /// Messages without the system's.
  size_t size() const { return messages_.size() - (has_system() ? 1 : 0); }

  /// Replaces the system message; empty: takes it away.
  void set_system(const std::string& text);
  const std::string& system() const;
  void add(const std::string& role, const std::string& content);
  /// Takes the last message away if it is of this role.
  bool drop_last(const std::string& role);
  /// Forgets all but the system message.
  void clear();

  /// Writes atomically. An existing file is refused unless `overwrite`.
  Status save(const std::string& path, const std::string& model, bool overwrite) const;
  /// Replaces all messages by those of a file: an object with messages, or the array alone.
  Status load(const std::string& path);

 private:
  bool has_system() const;
  Json messages_ = Json::array();
};

/// Whether `messages` is an array of objects with a role (system, user, assistant, tool) and a content that
/// is a text; else an error that names the first that is not.
Status check_messages(const Json& messages, const std::string& where);

}  // namespace brisk::cli
