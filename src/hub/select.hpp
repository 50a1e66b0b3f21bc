// Which files of a repository a name means: one GGUF (with all its parts), or the folder of safetensors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "hub/names.hpp"

namespace brisk::hub {

/// A GGUF of a repository: one file, or the parts NAME-00001-of-00003.gguf.
struct GgufChoice {
  std::string label;               ///< "Q4_K_M" of the file's name; may be empty
  std::string name;                ///< the path without "-00001-of-00003" and ".gguf"
  std::vector<std::string> files;  ///< paths, the first part first
  size_t parts = 1;                ///< how many there should be
};

/// The choices among `files`, by name. Projectors of pictures (mmproj) and importance matrices are left out.
std::vector<GgufChoice> gguf_choices(const std::vector<std::string>& files);

/// The label at the end of a name: "Q4_K_M" of "model-Q4_K_M" or "model.q4_k_m"; "" when there is none.
std::string quant_label(std::string_view name);

/// The files that `name` means among those of its repository: of its file or quant, else Q4_K_M, Q4_0, Q8_0
/// or the only GGUF, else those of a safetensors model. Errors list what there is. `where` stands in them.
Result<std::vector<std::string>> select_files(const RepoName& name, const std::vector<std::string>& files);

}  // namespace brisk::hub
