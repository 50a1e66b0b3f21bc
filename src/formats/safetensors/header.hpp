// The header of a safetensors file as it stands there, before anybody compares it with the data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "formats/safetensors/safetensors.hpp"

namespace brisk::formats {

struct SafetensorsHeader {
  /// A tensor whose offsets are no range of the data. No error as yet: its name may stand again.
  struct Stray {
    size_t tensor;  ///< index
    uint64_t begin;
    uint64_t end;
  };
  /// As in the text: a name may stand there twice. Sizes are not compared with shapes.
  std::vector<SafetensorsTensor> tensors;
  std::vector<Stray> strays;
  SafetensorsMetadata metadata;
};

/// Reads the JSON as a stream of events, believing what the reference library's decoder (serde) believes.
/// `data` is what the offsets count in.
Result<SafetensorsHeader> read_safetensors_header(std::string_view text, std::span<const std::byte> data,
                                                  const std::string& where);

/// A name for messages, in quotes and not too long.
std::string shown_tensor_name(std::string_view name);

}  // namespace brisk::formats
