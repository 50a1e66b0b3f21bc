// Opening GGUF files, and looking things up in them. parser.cpp reads the header.
#include "formats/gguf/gguf.hpp"

#include "base/memory.hpp"
#include "formats/gguf/parser.hpp"

namespace brisk::formats {

Result<std::shared_ptr<GgufFile>> GgufFile::open(const std::string& path) {
  std::shared_ptr<GgufFile> file;
  BRISK_TRY(catch_out_of_memory(path.c_str(), [&]() -> Status {
    BRISK_ASSIGN(std::shared_ptr<MappedFile> mapping, MappedFile::open(path));
    BRISK_ASSIGN(file, GgufFile::open(std::move(mapping)));
    return {};
  }));
  return file;
}

Result<std::shared_ptr<GgufFile>> GgufFile::open(std::shared_ptr<MappedFile> mapping) {
  std::shared_ptr<GgufFile> file;
  BRISK_TRY(catch_out_of_memory(mapping->path().c_str(), [&]() -> Status {
    BRISK_ASSIGN(file, GgufParser::parse(mapping->bytes(), mapping->path()));
    file->mapping_ = mapping;
    // Pages that went missing while the header was read gave zeros.
    return mapping->damaged() ? mapping->check_unchanged() : Status();
  }));
  return file;
}

Result<std::shared_ptr<GgufFile>> GgufFile::parse(std::span<const std::byte> bytes,
                                                  const std::string& where) {
  std::shared_ptr<GgufFile> file;
  BRISK_TRY(catch_out_of_memory(where.c_str(), [&]() -> Status {
    BRISK_ASSIGN(file, GgufParser::parse(bytes, where));
    return {};
  }));
  return file;
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto at = tensor_index_.find(name);
  return at ? &tensors_[*at] : nullptr;
}

}  // namespace brisk::formats
