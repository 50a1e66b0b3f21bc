// The index of a model's weights in several files: which tensor is in which file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace brisk::formats {

inline constexpr std::string_view kSafetensorsSingle = "model.safetensors";
inline constexpr std::string_view kSafetensorsIndex = "model.safetensors.index.json";
inline constexpr std::string_view kSafetensorsSuffix = ".safetensors";

struct SafetensorsIndex {
  struct Place {
    std::string tensor;
    uint32_t file;  ///< of files
  };
  std::vector<std::string> files;  ///< as named, each once, in the order of their first tensor
  std::vector<Place> places;       ///< by tensor; a tensor stands once
};

/// Reads an index. Bad-input errors name what it says wrongly; files are not looked for.
Result<SafetensorsIndex> read_safetensors_index(std::string_view text, const std::string& where);
/// The text of an index; `total_bytes` is that of all data.
std::string safetensors_index_text(const SafetensorsIndex& index, uint64_t total_bytes);

}  // namespace brisk::formats
