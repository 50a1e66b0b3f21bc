// Reads the header of a safetensors file, believing nothing: lengths are compared with the bytes that remain,
// the JSON is bounded in size and depth, and each tensor's bytes are placed inside the data in one function.
#include <algorithm>
#include <cstring>

#include "base/checked.hpp"
#include "base/memory.hpp"
#include "base/utf8.hpp"
#include "formats/safetensors/safetensors.hpp"

namespace brisk::formats {

namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr int kDepth = 4;  // header, tensor, list; one to spare for what we pass over
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kHint = "downloading or writing the file again";

std::string shown(std::string_view name) {
  constexpr size_t kMost = 80;
  if (name.size() <= kMost) return "'" + std::string(name) + "'";
  return "'" + std::string(name.substr(0, utf8_floor(name, kMost))) + "...'";
}

// Members of all objects of a valid JSON text: its colons outside strings. The parsed tree has fewer exactly
// when some key stood twice.
size_t count_members(std::string_view text) {
  size_t members = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else {
      members += !in_string && text[i] == ':' ? 1 : 0;
    }
  }
  return members;
}

// As deep as kDepth at most.
size_t count_members(const Json& value) {
  if (!value.is_structured()) return 0;
  size_t members = value.is_object() ? value.size() : 0;
  for (const Json& item : value) members += count_members(item);
  return members;
}

// A list of integers that are not negative and fit 63 bits.
std::optional<std::vector<int64_t>> read_integers(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return std::nullopt;
  std::vector<int64_t> integers;
  integers.reserve(found->size());
  for (const Json& item : *found) {
    if (!item.is_number_unsigned() || item.get<uint64_t>() > INT64_MAX) return std::nullopt;
    integers.push_back(static_cast<int64_t>(item.get<uint64_t>()));
  }
  return integers;
}

}  // namespace

Status SafetensorsFile::refuse(const std::string& place, std::string expected, std::string got) const {
  return bad_input({where_ + ": " + place, std::move(expected), std::move(got), kHint});
}

Result<std::shared_ptr<SafetensorsFile>> SafetensorsFile::open(const std::string& path,
                                                               SafetensorsLimits limits) {
  std::shared_ptr<SafetensorsFile> file;
  BRISK_TRY(catch_out_of_memory(path.c_str(), [&]() -> Status {
    BRISK_ASSIGN(const auto mapping, MappedFile::open(path));
    file.reset(new SafetensorsFile());
    file->where_ = path;
    file->mapping_ = mapping;
    const Status status = file->read_header(mapping->bytes(), limits);
    // Pages that went missing while the header was read gave zeros.
    return mapping->damaged() ? mapping->check_unchanged() : status;
  }));
  return file;
}

Result<std::shared_ptr<SafetensorsFile>> SafetensorsFile::parse(std::span<const std::byte> bytes,
                                                                const std::string& where,
                                                                SafetensorsLimits limits) {
  std::shared_ptr<SafetensorsFile> file;
  BRISK_TRY(catch_out_of_memory(where.c_str(), [&]() -> Status {
    file.reset(new SafetensorsFile());
    file->where_ = where;
    return file->read_header(bytes, limits);
  }));
  return file;
}

Status SafetensorsFile::read_header(std::span<const std::byte> bytes, SafetensorsLimits limits) {
  uint64_t length = 0;
  if (bytes.size() < kLengthBytes)
    return refuse("beginning", "8 bytes for the length of the header", std::to_string(bytes.size()));
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > limits.header_bytes || length > bytes.size() - kLengthBytes) {
    return refuse("beginning",
                  "a header of at most " +
                      std::to_string(std::min<uint64_t>(limits.header_bytes, bytes.size() - kLengthBytes)) +
                      " bytes",
                  std::to_string(length));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
  if (!text.starts_with('{')) return refuse("header", "JSON that begins with '{'", "something else");
  const Result<Json> header = parse_json(text, where_ + ": header", {kDepth, limits.header_bytes});
  if (!header.ok()) {
    ErrorParts parts = header.status().parts();
    parts.hint = kHint;
    return bad_input(std::move(parts));
  }
  if (count_members(*header) != count_members(text))
    return refuse("header", "each name once", "a name twice");

  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + length);
  tensors_.reserve(header->size());
  for (const auto& [name, value] : header->items()) {
    if (!value.is_object()) return refuse(shown(name), "an object", value.type_name());
    BRISK_TRY(name == kMetadata ? read_metadata(value) : read_tensor(name, value, data, limits));
  }
  return order_tensors(data, kLengthBytes + length);
}

Status SafetensorsFile::read_metadata(const Json& object) {
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) return refuse("metadata " + shown(key), "text", value.type_name());
    metadata_.emplace(key, value.get_ref<const std::string&>());
  }
  return {};
}

Status SafetensorsFile::read_tensor(const std::string& name, const Json& object,
                                    std::span<const std::byte> data, SafetensorsLimits limits) {
  const std::string place = "tensor " + shown(name);
  const auto type_name = object.find("dtype");
  if (type_name == object.end() || !type_name->is_string()) return refuse(place, "a dtype", "none");
  const SafetensorsType* type = find_safetensors_type(type_name->get_ref<const std::string&>());
  if (type == nullptr)
    return refuse(place, "a dtype such as F32 or BF16", shown(type_name->get_ref<const std::string&>()));
  const auto shape = read_integers(object, "shape");
  if (!shape || static_cast<int64_t>(shape->size()) > limits.dimensions) {
    return refuse(place, "a shape of at most " + std::to_string(limits.dimensions) + " dimensions",
                  shape ? std::to_string(shape->size()) : "no list of sizes");
  }
  const auto bytes = safetensors_bytes(*type, *shape);
  if (!bytes)
    return refuse(place, "a size that fits 64 bits, in whole bytes",
                  to_string(*shape) + " of " + std::string(type->name));
  const auto offsets = read_integers(object, "data_offsets");
  if (!offsets || offsets->size() != 2)
    return refuse(place, "data_offsets of two numbers", offsets ? std::to_string(offsets->size()) : "none");
  const auto begin = static_cast<uint64_t>((*offsets)[0]), end = static_cast<uint64_t>((*offsets)[1]);
  if (begin > end || end > data.size()) {
    return refuse(place, "bytes inside the " + std::to_string(data.size()) + " of data",
                  std::to_string(begin) + " to " + std::to_string(end));
  }
  if (end - begin != *bytes) {
    return refuse(
        place, std::to_string(*bytes) + " bytes for " + to_string(*shape) + " of " + std::string(type->name),
        std::to_string(end - begin));
  }
  tensors_.push_back({name, type, *shape, data.subspan(begin, *bytes)});
  return {};
}

Status SafetensorsFile::order_tensors(std::span<const std::byte> data, uint64_t data_begin) {
  const auto offset = [data](const SafetensorsTensor& tensor) {
    return static_cast<uint64_t>(tensor.data.data() - data.data());
  };
  // Empty tensors stand before others at the same place: [begin, begin) and [begin, end).
  std::ranges::sort(tensors_, [&](const SafetensorsTensor& a, const SafetensorsTensor& b) {
    if (offset(a) != offset(b)) return offset(a) < offset(b);
    return a.data.size() != b.data.size() ? a.data.size() < b.data.size() : a.name < b.name;
  });
  uint64_t filled = 0;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const SafetensorsTensor& tensor = tensors_[i];
    const std::string place = "tensor " + shown(tensor.name);
    if (offset(tensor) != filled) {
      return refuse(place, "data that begins where the tensor before it ends, at " + std::to_string(filled),
                    std::to_string(offset(tensor)));
    }
    const auto element_bytes = static_cast<uint64_t>(std::max(1, tensor.type->bits / 8));
    if ((data_begin + filled) % element_bytes != 0) {
      return refuse(place, "data at a multiple of " + std::to_string(element_bytes) + " bytes in the file",
                    std::to_string(data_begin + filled));
    }
    filled += tensor.data.size();
    index_.emplace(tensor.name, i);
  }
  if (filled == data.size()) return {};
  return refuse("end", "no data behind the last tensor", std::to_string(data.size() - filled) + " bytes");
}

const SafetensorsTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found != index_.end() ? &tensors_[found->second] : nullptr;
}

Result<const SafetensorsTensor*> SafetensorsFile::get(std::string_view name, DType dtype,
                                                      const Shape& shape) const {
  const auto describe = [](std::string_view type, const Shape& of) {
    return std::string(type) + " " + to_string(of);
  };
  const SafetensorsTensor* tensor = find(name);
  const std::string expected = describe(dtype_name(dtype), shape);
  if (tensor == nullptr) return refuse("tensor " + shown(name), expected, "no such tensor");
  if (tensor->type->dtype != dtype || tensor->shape != shape)
    return refuse("tensor " + shown(name), expected, describe(tensor->type->name, tensor->shape));
  return tensor;
}

}  // namespace brisk::formats
