// Split GGUF models: files PREFIX-00001-of-00003.gguf and so on, each a whole GGUF file with its share of the
// tensors. Keys of each part:
//     split.no             u16   its number, from 0
//     split.count          u16   number of parts
//     split.tensors.count  i32   tensors of all parts together
// The first part carries the model's metadata; the others may carry these three keys only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.hpp"
#include "formats/gguf/gguf.hpp"

namespace brisk::formats {

/// Opens a model by its file, or by any part of a split one: then all parts, the first one first. Missing and
/// foreign parts, and parts whose keys contradict their names or each other, are bad-input errors naming the
/// file.
Result<std::vector<std::shared_ptr<GgufFile>>> open_gguf_parts(const std::string& path);

/// Opens a file, or the first part of the split model that it is a part of: what carries the metadata. No
/// other part is looked at.
Result<std::shared_ptr<GgufFile>> open_first_gguf_part(const std::string& path);

/// Refuses a part of a split model that was opened by itself.
Status refuse_lone_part(const GgufFile& file);

}  // namespace brisk::formats
