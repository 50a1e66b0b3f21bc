#include "cli/chat/conversation.hpp"

#include <algorithm>
#include <array>

#include "base/file.hpp"

namespace brisk::cli {
namespace {

constexpr uint64_t kMaxFileBytes = 64U << 20;
constexpr std::array<std::string_view, 4> kRoles = {"system", "user", "assistant", "tool"};

bool is_text(const Json& message, const char* key) {
  return message.contains(key) && message[key].is_string();
}

}  // namespace

Status check_messages(const Json& messages, const std::string& where) {
  if (!messages.is_array()) {
    return bad_input(
        {where, "an array of messages", messages.type_name(), R"([{"role": "user", "content": "Hello"}])"});
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const Json& message = messages[i];
    const std::string here = where + ", message " + std::to_string(i + 1);
    if (!message.is_object() || !is_text(message, "role") || !is_text(message, "content")) {
      return bad_input({here, "an object with the texts role and content",
                        to_json_text(message).substr(0, 80), R"({"role": "user", "content": "Hello"})"});
    }
    const auto& role = message["role"].get_ref<const std::string&>();
    if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
      return bad_input({here, "the role system, user, assistant or tool", "'" + role.substr(0, 80) + "'",
                        R"("role": "user")"});
    }
  }
  return {};
}

bool Conversation::has_system() const { return !messages_.empty() && messages_[0]["role"] == "system"; }

const std::string& Conversation::system() const {
  static const std::string none;
  return has_system() ? messages_[0]["content"].get_ref<const std::string&>() : none;
}

void Conversation::set_system(const std::string& text) {
  if (has_system()) messages_.erase(messages_.begin());
  if (!text.empty()) messages_.insert(messages_.begin(), Json{{"role", "system"}, {"content", text}});
}

void Conversation::add(const std::string& role, const std::string& content) {
  messages_.push_back({{"role", role}, {"content", content}});
}

bool Conversation::drop_last(const std::string& role) {
  if (messages_.empty() || messages_.back()["role"] != role) return false;
  messages_.erase(messages_.size() - 1);
  return true;
}

void Conversation::clear() {
  const std::string kept = system();
  messages_ = Json::array();
  set_system(kept);
}

Status Conversation::save(const std::string& path, const std::string& model, bool overwrite) const {
  BRISK_ASSIGN(AtomicFile file, AtomicFile::create(path, overwrite));
  BRISK_TRY(file.write(to_json_text({{"model", model}, {"messages", messages_}}, 2) + "\n"));
  return file.commit();
}

Status Conversation::load(const std::string& path) {
  BRISK_ASSIGN(const std::string text, read_file(path, kMaxFileBytes));
  BRISK_ASSIGN(Json value, parse_json(text, path, {.bytes = kMaxFileBytes}));
  if (value.is_object() && value.contains("messages")) value = Json(value["messages"]);
  BRISK_TRY(check_messages(value, path));
  messages_ = std::move(value);
  return {};
}

}  // namespace brisk::cli
