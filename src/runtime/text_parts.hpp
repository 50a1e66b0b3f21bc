// What a model brings for text: its tokenizer and its chat template, from GGUF metadata or from the files of
// a Hugging Face folder (tokenizer.json, tokenizer_config.json, generation_config.json, chat_template.jinja).
#pragma once

#include <memory>
#include <string>

#include "base/folder.hpp"
#include "base/status.hpp"
#include "formats/gguf/gguf.hpp"
#include "models/source.hpp"
#include "text/tokenizer.hpp"

namespace brisk::runtime {

/// The tokenizer of an opened model, which must outlive it.
Result<std::unique_ptr<text::Tokenizer>> load_tokenizer(const models::ModelSource& source);
/// The chat template's source; empty when there is none. A folder's chat_template.jinja comes before the one
/// in tokenizer_config.json; of several, the one called "default".
Result<std::string> chat_template_source(const models::ModelSource& source);

/// The text parts of a GGUF file or a folder by themselves: no weights are opened.
struct TextParts {
  std::string where;                        ///< the path
  std::shared_ptr<formats::GgufFile> file;  ///< what the tokenizer's views point to; null for a folder
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::string chat_template;  ///< empty: none
};
Result<TextParts> open_text_parts(const std::string& path);

}  // namespace brisk::runtime
