// Writes a GGUF file, version 3 (layout: gguf.hpp), as a stream: metadata and the table of tensors first,
// then the data in that order, a piece at a time, so that nothing needs to be held whole. Nothing is left
// behind unless commit() succeeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/status.hpp"
#include "formats/gguf/metadata.hpp"
#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace brisk::formats {

class GgufWriter {
 public:
  /// A tensor that will be written.
  struct Entry {
    std::string name;
    DType dtype;
    Shape shape;  ///< outermost first
  };

  /// Writes everything before the data. The alignment is `general.alignment` of the metadata, else 32. Usage
  /// errors: what our reader would refuse; names of more than 63 bytes and empty tensors, which llama.cpp
  /// does; types that GGUF has no number for.
  static Result<GgufWriter> create(const std::string& path, const GgufMetadata& metadata,
                                   const std::vector<Entry>& tensors, bool overwrite);

  /// The next bytes of the data: of the tensors one after the other, without the padding between them.
  Status write(std::span<const std::byte> bytes);
  /// Flushes, syncs and renames; a usage error when bytes are missing.
  Status commit();

 private:
  GgufWriter(AtomicFile file, std::vector<uint64_t> sizes, uint64_t alignment)
      : file_(std::move(file)), sizes_(std::move(sizes)), alignment_(alignment) {}
  Status pad();

  AtomicFile file_;
  std::vector<uint64_t> sizes_;  // of the tensors' data
  uint64_t alignment_;
  size_t current_ = 0;    // the tensor at hand
  uint64_t written_ = 0;  // bytes of it
};

}  // namespace brisk::formats
