// Reads a config.json with errors that name the key, and collects what it says under GGUF's keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"
#include "formats/gguf/metadata.hpp"

namespace brisk::models {

class ConfigReader {
 public:
  /// `config` is an object and outlives the reader.
  ConfigReader(const Json& config, std::string where) : config_(&config), where_(std::move(where)) {}

  /// The value of a key; null when it is absent or JSON's null.
  const Json* find(std::string_view key) const;
  Result<int64_t> integer(std::string_view key) const;  ///< 0 to 2^32 - 1
  Result<int64_t> integer_or(std::string_view key, int64_t otherwise) const;
  Result<double> number(std::string_view key) const;
  Result<double> number_or(std::string_view key, double otherwise) const;
  Result<bool> flag_or(std::string_view key, bool otherwise) const;
  Result<std::string> text_or(std::string_view key, std::string otherwise) const;
  /// An object below `key` as a reader of its own.
  Result<ConfigReader> object(std::string_view key) const;
  /// A bad-input error at the key.
  Status wrong(std::string_view key, std::string expected, std::string got) const;

  const std::string& where() const { return where_; }

 private:
  const Json* config_;
  std::string where_;
};

/// What a config.json becomes.
struct ModelConfig {
  formats::GgufMetadataBuilder metadata;
  /// Vectors that GGUF stores as tensors and folders as settings (rope_freqs.weight).
  std::vector<std::pair<std::string, std::vector<float>>> tensors;
};

}  // namespace brisk::models
