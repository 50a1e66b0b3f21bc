// From messages to the tokens of a prompt, such that nothing a user writes can pass for a special token.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "runtime/model.hpp"
#include "text/chat_template.hpp"

namespace brisk::cli {

class ChatPrompt {
 public:
  /// `template_file` replaces the model's own template; empty: none. A model without a template is fine as
  /// long as nobody calls encode(): see available().
  static Result<ChatPrompt> create(std::shared_ptr<const runtime::Model> model,
                                   const std::string& template_file);

  bool available() const { return template_.has_value() || model_->has_chat_template(); }

  /// The tokens of `messages` (array of {role, content}) with the beginning of the answer at the end.
  Result<std::vector<int32_t>> encode(const Json& messages) const;

 private:
  explicit ChatPrompt(std::shared_ptr<const runtime::Model> model) : model_(std::move(model)) {}
  Result<std::string> render(const Json& messages) const;
  std::string without_control_tokens(std::string text) const;

  std::shared_ptr<const runtime::Model> model_;
  std::optional<text::ChatTemplate> template_;
  std::vector<std::string> control_tokens_;  // longest first
};

}  // namespace brisk::cli
