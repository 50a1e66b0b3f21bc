// Reads a safetensors file, believing nothing: the header's length is compared with the bytes that remain,
// its tensors with their shapes and with each other, and each tensor's bytes are taken out of the data by the
// one checked function.
#include <algorithm>
#include <functional>
#include <numeric>

#include "base/memory.hpp"
#include "base/reader.hpp"
#include "formats/safetensors/header.hpp"
#include "formats/safetensors/safetensors.hpp"

namespace brisk::formats {

namespace {

constexpr const char* kHint = "downloading or writing the file again";

// Indices by name, and of equal names in the order of the list.
std::vector<uint32_t> order_by_name(const std::vector<SafetensorsTensor>& tensors) {
  std::vector<uint32_t> order(tensors.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    const int compared = tensors[a].name.compare(tensors[b].name);
    return compared != 0 ? compared < 0 : a < b;
  });
  return order;
}

// Of tensors with the same name the last one counts, as for a decoder into a table: which ones do not.
std::vector<bool> find_stale(const std::vector<SafetensorsTensor>& tensors,
                             const std::vector<uint32_t>& by_name) {
  std::vector<bool> stale(tensors.size(), false);
  for (size_t i = 1; i < by_name.size(); ++i)
    stale[by_name[i - 1]] = tensors[by_name[i - 1]].name == tensors[by_name[i]].name;
  return stale;
}

// Empty tensors stand before others at the same place: [begin, begin) and [begin, end).
bool placed_before(const SafetensorsTensor& a, const SafetensorsTensor& b) {
  if (a.data.data() != b.data.data()) return std::less<>()(a.data.data(), b.data.data());
  return a.data.size() != b.data.size() ? a.data.size() < b.data.size() : a.name < b.name;
}

std::string range_text(uint64_t begin, uint64_t end) {
  return std::to_string(begin) + " to " + std::to_string(end);
}

}  // namespace

Status SafetensorsFile::refuse(const std::string& place, std::string expected, std::string got) const {
  return bad_input({where_ + ": " + place, std::move(expected), std::move(got), kHint});
}

Result<std::shared_ptr<SafetensorsFile>> SafetensorsFile::open(const std::string& path,
                                                               SafetensorsLimits limits) {
  std::shared_ptr<MappedFile> mapping;
  BRISK_TRY(catch_out_of_memory(path.c_str(), [&]() -> Status {
    BRISK_ASSIGN(mapping, MappedFile::open(path));
    return {};
  }));
  return SafetensorsFile::open(mapping, limits);
}

Result<std::shared_ptr<SafetensorsFile>> SafetensorsFile::open(const std::shared_ptr<MappedFile>& mapping,
                                                               SafetensorsLimits limits) {
  std::shared_ptr<SafetensorsFile> file;
  BRISK_TRY(catch_out_of_memory(mapping->path().c_str(), [&]() -> Status {
    file.reset(new SafetensorsFile());
    file->where_ = mapping->path();
    file->mapping_ = mapping;
    const Status status = file->read(mapping->bytes(), limits);
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
    return file->read(bytes, limits);
  }));
  return file;
}

Status SafetensorsFile::read(std::span<const std::byte> bytes, SafetensorsLimits limits) {
  ByteReader reader(bytes, where_);
  BRISK_ASSIGN(const uint64_t length, reader.read<uint64_t>("the header's length"));
  const uint64_t most = std::min(limits.header_bytes, reader.remaining());
  if (length > most) {
    return refuse("beginning", "a header of at most " + std::to_string(most) + " bytes",
                  std::to_string(length));
  }
  BRISK_ASSIGN(const auto text, reader.view(length, "the header"));
  BRISK_ASSIGN(const auto data, reader.view(reader.remaining(), "data"));
  const std::string_view json(reinterpret_cast<const char*>(text.data()), text.size());
  BRISK_ASSIGN(SafetensorsHeader header, read_safetensors_header(json, data, where_ + ": header"));
  return take(std::move(header), data);
}

Status SafetensorsFile::take(SafetensorsHeader header, std::span<const std::byte> data) {
  metadata_ = std::move(header.metadata);
  tensors_ = std::move(header.tensors);
  by_name_ = order_by_name(tensors_);
  const std::vector<bool> stale = find_stale(tensors_, by_name_);
  for (const auto& [tensor, begin, end] : header.strays) {
    if (stale[tensor]) continue;
    return refuse("tensor " + shown_tensor_name(tensors_[tensor].name),
                  "bytes inside the " + std::to_string(data.size()) + " of data", range_text(begin, end));
  }
  size_t kept = 0;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (stale[i]) continue;
    if (kept != i) tensors_[kept] = std::move(tensors_[i]);
    ++kept;
  }
  const bool moved = kept != tensors_.size() || !std::ranges::is_sorted(tensors_, placed_before);
  tensors_.resize(kept);
  if (moved) {
    std::ranges::sort(tensors_, placed_before);
    by_name_ = order_by_name(tensors_);
  }
  return check_places(data);
}

// The tensors fill the data one behind the other, each with as many bytes as its shape needs.
Status SafetensorsFile::check_places(std::span<const std::byte> data) const {
  uint64_t filled = 0;
  for (const SafetensorsTensor& tensor : tensors_) {
    const auto begin = static_cast<uint64_t>(tensor.data.data() - data.data());
    const auto size = safetensors_bytes(*tensor.type, tensor.shape);
    if (begin == filled && size == tensor.data.size()) {
      filled += *size;
      continue;
    }
    const std::string place = "tensor " + shown_tensor_name(tensor.name);
    if (begin != filled) {
      return refuse(place, "data that begins where the tensor before it ends, at " + std::to_string(filled),
                    std::to_string(begin));
    }
    const std::string what = to_string(tensor.shape) + " of " + std::string(tensor.type->name);
    if (!size) return refuse(place, "a size that fits 64 bits, in whole bytes", what);
    return refuse(place, std::to_string(*size) + " bytes for " + what,
                  range_text(begin, begin + tensor.data.size()));
  }
  if (filled == data.size()) return {};
  return refuse("end", "no data behind the last tensor", std::to_string(data.size() - filled) + " bytes");
}

const SafetensorsTensor* SafetensorsFile::find(std::string_view name) const {
  const auto name_of = [this](uint32_t index) -> std::string_view { return tensors_[index].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  return found != by_name_.end() && name_of(*found) == name ? &tensors_[*found] : nullptr;
}

Result<const SafetensorsTensor*> SafetensorsFile::get(std::string_view name, DType dtype,
                                                      const Shape& shape) const {
  const auto describe = [](std::string_view type, const Shape& of) {
    return std::string(type) + " " + to_string(of);
  };
  const SafetensorsTensor* tensor = find(name);
  const std::string expected = describe(dtype_name(dtype), shape);
  if (tensor == nullptr) return refuse("tensor " + shown_tensor_name(name), expected, "no such tensor");
  if (tensor->type->dtype != dtype || tensor->shape != shape)
    return refuse("tensor " + shown_tensor_name(name), expected, describe(tensor->type->name, tensor->shape));
  return tensor;
}

}  // namespace brisk::formats
