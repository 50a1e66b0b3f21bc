#include "formats/gguf/writer.hpp"

#include <algorithm>
#include <bit>
#include <type_traits>
#include <utility>

#include "base/checked.hpp"
#include "base/memory.hpp"
#include "base/reader.hpp"
#include "base/utf8.hpp"
#include "formats/gguf/tensor_types.hpp"

namespace brisk::formats {

namespace {

constexpr uint32_t kVersion = 3;
constexpr size_t kLongestName = 63;  // llama.cpp keeps names in 64 bytes
constexpr size_t kMostDimensions = 4;
constexpr uint64_t kDefaultAlignment = 32;

Status refuse(const std::string& what, std::string expected, std::string got) {
  return usage_error({"writing " + what, std::move(expected), std::move(got)});
}

// Little-endian numbers, and strings with their length in front.
class Header {
 public:
  template <typename T>
    requires std::is_arithmetic_v<T>
  void number(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void string(std::string_view text) {
    number(uint64_t{text.size()});
    text_ += text;
  }
  void bytes(std::span<const std::byte> bytes) {
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void pad(uint64_t alignment) { text_.resize((text_.size() + alignment - 1) / alignment * alignment); }
  const std::string& text() const { return text_; }

 private:
  std::string text_ = "GGUF";
};

// A number of the metadata, which keeps all integers in 64 bits, as the type that the file is to have.
template <typename Stored>
void write_number(Header& header, GgufType type, Stored value) {
  switch (type) {
    case GgufType::kU8: return header.number(static_cast<uint8_t>(value));
    case GgufType::kI8: return header.number(static_cast<int8_t>(value));
    case GgufType::kU16: return header.number(static_cast<uint16_t>(value));
    case GgufType::kI16: return header.number(static_cast<int16_t>(value));
    case GgufType::kU32: return header.number(static_cast<uint32_t>(value));
    case GgufType::kI32: return header.number(static_cast<int32_t>(value));
    case GgufType::kU64: return header.number(static_cast<uint64_t>(value));
    case GgufType::kI64: return header.number(static_cast<int64_t>(value));
    case GgufType::kF32: return header.number(static_cast<float>(value));
    case GgufType::kF64: return header.number(static_cast<double>(value));
    case GgufType::kBool: return header.number(static_cast<uint8_t>(value != Stored{}));
    case GgufType::kString:
    case GgufType::kArray: return;
  }
}

void write_array(Header& header, const GgufArray& array) {
  header.number(static_cast<uint32_t>(array.element));
  header.number(array.count);
  header.bytes(array.bytes);
  for (const std::string_view text : array.strings) header.string(text);
}

void write_value(Header& header, const GgufValue& value) {
  header.number(static_cast<uint32_t>(value.type));
  std::visit(
      [&](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, GgufArray>) {
          write_array(header, held);
        } else if constexpr (std::is_same_v<Held, std::string_view>) {
          header.string(held);
        } else {
          write_number(header, value.type, held);
        }
      },
      value.value);
}

Status check_key(std::string_view key) {
  const bool control =
      std::ranges::any_of(key, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (!key.empty() && key.size() <= 65535 && utf8_valid(key) && !control) return {};
  return refuse("key " + shown_name(key), "1 to 65535 bytes of UTF-8 without control characters", "another");
}

// Bytes of the tensor's data.
Result<uint64_t> check_tensor(const GgufWriter::Entry& entry) {
  const std::string what = "tensor " + shown_name(entry.name);
  BRISK_TRY(check_key(entry.name));
  if (entry.name.size() > kLongestName)
    return refuse(what, "a name of at most " + std::to_string(kLongestName) + " bytes",
                  std::to_string(entry.name.size()));
  if (!gguf_tensor_number(entry.dtype))
    return refuse(what, "a type of the format", std::string(dtype_name(entry.dtype)));
  const auto count = element_count(entry.shape);
  if (!count || *count < 1 || entry.shape.size() > kMostDimensions) {
    return refuse(what, "at most " + std::to_string(kMostDimensions) + " dimensions, none of them 0",
                  to_string(entry.shape));
  }
  const int64_t row = entry.shape.empty() ? 1 : entry.shape.back();
  const auto bytes =
      row % dtype_info(entry.dtype).block_values == 0 ? dtype_bytes(entry.dtype, *count) : std::nullopt;
  if (!bytes) return refuse(what, "rows of whole blocks, in fewer than 2^63 bytes", to_string(entry.shape));
  return *bytes;
}

Result<uint64_t> alignment_of(const GgufMetadata& metadata) {
  constexpr const char* kKey = "general.alignment";
  const GgufValue* value = metadata.find(kKey);
  if (value == nullptr) return kDefaultAlignment;
  if (value->type != GgufType::kU32) return refuse(kKey, "a u32", std::string(gguf_type_name(value->type)));
  const uint64_t alignment = std::get<uint64_t>(value->value);
  if (alignment >= 8 && alignment <= (1U << 20) && std::has_single_bit(alignment)) return alignment;
  return refuse(kKey, "a power of two from 8 to 1048576", std::to_string(alignment));
}

Status check_names(const std::vector<GgufWriter::Entry>& tensors) {
  std::vector<std::string_view> names;
  for (const GgufWriter::Entry& entry : tensors) names.push_back(entry.name);
  const auto same = GgufIndex().build(std::move(names));
  if (!same) return {};
  return refuse("tensor " + shown_name(tensors[same->first].name), "each name once", "two of that name");
}

// What stands before the data; fills `sizes` with the bytes of each tensor.
Status build_header(const GgufMetadata& metadata, const std::vector<GgufWriter::Entry>& tensors,
                    uint64_t alignment, Header& header, std::vector<uint64_t>& sizes) {
  header.number(kVersion);
  header.number(uint64_t{tensors.size()});
  header.number(uint64_t{metadata.entries().size()});
  for (const auto& [key, value] : metadata.entries()) {
    BRISK_TRY(check_key(key));
    header.string(key);
    write_value(header, value);
  }
  uint64_t offset = 0;
  for (const GgufWriter::Entry& entry : tensors) {
    BRISK_ASSIGN(const uint64_t bytes, check_tensor(entry));
    header.string(entry.name);
    header.number(static_cast<uint32_t>(entry.shape.size()));
    for (size_t i = entry.shape.size(); i-- > 0;) header.number(static_cast<uint64_t>(entry.shape[i]));
    header.number(*gguf_tensor_number(entry.dtype));
    header.number(offset);
    const auto end = checked_add(offset, bytes);
    const auto next = end ? checked_round_up(*end, alignment) : std::nullopt;
    if (!next) return refuse("tensor " + shown_name(entry.name), "a file below 2^64 bytes", "more");
    offset = *next;
    sizes.push_back(bytes);
  }
  header.pad(alignment);
  return {};
}

}  // namespace

Result<GgufWriter> GgufWriter::create(const std::string& path, const GgufMetadata& metadata,
                                      const std::vector<Entry>& tensors, bool overwrite) {
  Header header;
  std::vector<uint64_t> sizes;
  BRISK_TRY(check_names(tensors));
  BRISK_ASSIGN(const uint64_t alignment, alignment_of(metadata));
  BRISK_TRY(catch_out_of_memory(path.c_str(),
                                [&] { return build_header(metadata, tensors, alignment, header, sizes); }));
  BRISK_ASSIGN(AtomicFile file, AtomicFile::create(path, overwrite));
  BRISK_TRY(file.write(header.text()));
  return GgufWriter(std::move(file), std::move(sizes), alignment);
}

// Every tensor's data ends at a multiple of the alignment, the last one's too, as gguf's own writer has it.
Status GgufWriter::pad() {
  const uint64_t rest = sizes_[current_] % alignment_;
  ++current_;
  written_ = 0;
  return rest == 0 ? Status() : file_.write(std::string(alignment_ - rest, '\0'));
}

Status GgufWriter::write(std::span<const std::byte> bytes) {
  for (uint64_t at = 0; at < bytes.size();) {
    if (current_ == sizes_.size())
      return refuse("tensors", "the bytes of " + std::to_string(sizes_.size()) + " tensors", "more");
    const auto piece = std::min<uint64_t>(bytes.size() - at, sizes_[current_] - written_);
    BRISK_TRY(file_.write(*byte_range(bytes, at, piece)));
    at += piece;
    written_ += piece;
    if (written_ == sizes_[current_]) BRISK_TRY(pad());
  }
  return {};
}

Status GgufWriter::commit() {
  if (current_ == sizes_.size()) return file_.commit();
  return refuse("tensors", "all of their bytes",
                std::to_string(sizes_.size() - current_) + " tensors that are not complete");
}

}  // namespace brisk::formats
