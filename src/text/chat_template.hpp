// Chat templates: the Jinja that model files carry, interpreted with no host objects at all. A template
// sees the values that it is given and nothing else; fuel, depth and output are limited.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/status.hpp"

namespace brisk::text {

struct TemplateLimits {
  int64_t steps = 10'000'000;  ///< nodes evaluated and text walked over, together
  int depth = 200;             ///< nesting of expressions, blocks, macro calls, values
  uint64_t source_bytes = 1U << 20;
  uint64_t output_bytes = 16U << 20;
};

class ChatTemplate {
 public:
  /// Errors give line:column and the line. Configured as transformers does: trim_blocks, lstrip_blocks,
  /// loop controls, tojson, raise_exception, strftime_now.
  static Result<ChatTemplate> parse(std::string_view source, std::string_view where,
                                    TemplateLimits limits = {});
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  /// Renders with the keys of `variables` (an object: messages, tools, add_generation_prompt, bos_token,
  /// ...) as the template's global names. raise_exception(text) is a bad-input error that carries the
  /// text. The date that strftime_now sees is BRISK_NOW (ISO time) when set.
  Result<std::string> render(const Json& variables) const;

 private:
  struct Program;
  explicit ChatTemplate(std::unique_ptr<Program> program);
  std::unique_ptr<Program> program_;
};

}  // namespace brisk::text
