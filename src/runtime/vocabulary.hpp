// The tokenizer of a GGUF file, from the keys tokenizer.ggml.* of its metadata.
#pragma once

#include <memory>

#include "base/status.hpp"
#include "formats/gguf/gguf.hpp"
#include "text/gguf_vocabulary.hpp"
#include "text/tokenizer.hpp"

namespace brisk::runtime {

/// What the keys say. Views point into the metadata.
Result<text::Vocabulary> read_vocabulary(const formats::GgufMetadata& metadata);
/// The tokenizer of a file, which must outlive it. No weights are touched.
Result<std::unique_ptr<text::Tokenizer>> load_tokenizer(const formats::GgufFile& file);

}  // namespace brisk::runtime
