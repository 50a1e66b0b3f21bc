#include "formats/gguf/parser.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "base/checked.hpp"
#include "base/utf8.hpp"
#include "formats/gguf/tensor_types.hpp"

namespace brisk::formats {

namespace {

constexpr uint64_t kMostKeys = 1U << 16;
constexpr uint64_t kMostTensors = 1U << 18;
constexpr uint64_t kMostNameBytes = 65535;
constexpr uint64_t kMostDimensions = 4;
constexpr uint64_t kLeastAlignment = 8;
constexpr uint64_t kMostAlignment = 1U << 20;
// The smallest entries: an empty name's length, a type and one byte; a length, no dimensions, type, offset.
constexpr uint64_t kLeastKeyBytes = 8 + 4 + 1;
constexpr uint64_t kLeastTensorBytes = 8 + 4 + 4 + 8;
constexpr uint64_t kLeastStringBytes = 8;

constexpr const char* kDamaged = "downloading or converting the file again";

// Bytes of one number or boolean; 0 for strings and arrays.
uint64_t scalar_bytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool: return 1;
    case GgufType::kU16:
    case GgufType::kI16: return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32: return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64: return 8;
    case GgufType::kString:
    case GgufType::kArray: return 0;
  }
  return 0;
}

std::string key_place(std::string_view key) { return "key " + shown_name(key); }
std::string tensor_place(std::string_view name) { return "tensor " + shown_name(name); }

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

// What a file that does not begin with "GGUF" may be.
std::string hint_for_magic(std::string_view magic) {
  if (magic == "vers") return "fetching the file itself: this is a Git LFS pointer";
  if (magic == "lmgg" || magic == "tjgg" || magic == "fmgg") return "converting this older format to GGUF";
  if (magic.starts_with("PK")) return "converting this archive (PyTorch?) to GGUF";
  return "a model file in GGUF format";
}

}  // namespace

Result<std::shared_ptr<GgufFile>> GgufParser::parse(std::span<const std::byte> bytes,
                                                    const std::string& where) {
  const std::shared_ptr<GgufFile> file(new GgufFile);
  file->where_ = where;
  file->file_bytes_ = bytes.size();
  BRISK_TRY(GgufParser(bytes, where, *file).run());
  return file;
}

Status GgufParser::run() {
  BRISK_TRY(read_magic());
  BRISK_TRY(read_version());
  BRISK_TRY(read_counts());
  BRISK_TRY(read_metadata());
  BRISK_TRY(read_alignment());
  BRISK_TRY(read_claims());
  BRISK_TRY(place_tensors());
  return check_overlaps();
}

Status GgufParser::refuse(const std::string& place, std::string expected, std::string got,
                          std::string hint) const {
  if (hint.empty()) hint = kDamaged;
  return bad_input({file_.where_ + ": " + place, std::move(expected), std::move(got), std::move(hint)});
}

Status GgufParser::read_magic() {
  constexpr std::string_view kMagic = "GGUF";
  const uint64_t length = std::min<uint64_t>(reader_.remaining(), kMagic.size());
  BRISK_ASSIGN(const auto bytes, reader_.view(length, "magic"));
  const std::string_view magic(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (magic == kMagic) return {};
  const std::string got = magic.size() < kMagic.size()
                              ? "a file of " + std::to_string(magic.size()) + " bytes"
                              : "'" + std::string(magic) + "'";
  return refuse("byte 0", "a GGUF file, which begins with 'GGUF'", got, hint_for_magic(magic));
}

Status GgufParser::read_version() {
  BRISK_ASSIGN(const auto version, reader_.read<uint32_t>("version"));
  file_.version_ = version;
  if (version == 2 || version == 3) return {};
  const std::string expected = "GGUF version 2 or 3";
  const uint32_t swapped = __builtin_bswap32(version);
  if (swapped >= 1 && swapped <= 3) {
    return refuse(
        "version", expected + " in little-endian byte order",
        "version " + std::to_string(swapped) + " in big-endian byte order (" + std::to_string(version) + ")",
        "a little-endian conversion of the model");
  }
  return refuse("version", expected, "version " + std::to_string(version), "converting the model again");
}

Status GgufParser::read_counts() {
  BRISK_ASSIGN(n_tensors_, reader_.read<uint64_t>("tensor count"));
  BRISK_ASSIGN(n_keys_, reader_.read<uint64_t>("key count"));
  if (n_tensors_ > kMostTensors) {
    return refuse("tensor count", "at most " + std::to_string(kMostTensors), std::to_string(n_tensors_));
  }
  if (n_keys_ > kMostKeys) {
    return refuse("key count", "at most " + std::to_string(kMostKeys), std::to_string(n_keys_));
  }
  BRISK_TRY(reader_.claim(n_keys_, kLeastKeyBytes, "keys"));
  return reader_.claim(n_tensors_, kLeastTensorBytes, "tensors");
}

Result<std::string_view> GgufParser::read_string(std::string_view what) {
  BRISK_ASSIGN(const auto length, reader_.read<uint64_t>(what));
  BRISK_ASSIGN(const auto bytes, reader_.view(length, what));
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<std::string_view> GgufParser::read_name(std::string_view what) {
  const std::string place = std::string(what) + " at byte " + std::to_string(reader_.position());
  BRISK_ASSIGN(const auto name, read_string(what));
  if (name.empty() || name.size() > kMostNameBytes) {
    return refuse(place, "1 to " + std::to_string(kMostNameBytes) + " bytes",
                  std::to_string(name.size()) + " bytes");
  }
  if (!utf8_valid(name)) return refuse(place, "UTF-8", "ill-formed bytes in " + shown_name(name));
  if (has_control_characters(name)) {
    return refuse(place, "no control characters", "some in " + shown_name(name));
  }
  return name;
}

Result<GgufType> GgufParser::read_type(const std::string& place) {
  BRISK_ASSIGN(const auto number, reader_.read<uint32_t>("value type"));
  constexpr auto kLast = static_cast<uint32_t>(GgufType::kF64);
  if (number > kLast) {
    return refuse(place, "a value type from 0 to " + std::to_string(kLast), "type " + std::to_string(number));
  }
  return static_cast<GgufType>(number);
}

Status GgufParser::check_bools(const std::string& place, std::span<const std::byte> bytes) const {
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<int>(byte);
    if (value > 1) return refuse(place, "a bool (0 or 1)", std::to_string(value));
  }
  return {};
}

Status GgufParser::read_metadata() {
  std::vector<GgufMetadata::Entry> entries;
  std::vector<uint64_t> positions;
  entries.reserve(n_keys_);
  positions.reserve(n_keys_);
  for (uint64_t i = 0; i < n_keys_; ++i) {
    positions.push_back(reader_.position());
    BRISK_ASSIGN(const auto key, read_name("key"));
    BRISK_ASSIGN(const auto type, read_type(key_place(key)));
    entries.emplace_back(key, GgufValue{type, {}});
    BRISK_TRY(read_value(key, entries.back().second));
  }
  file_.metadata_ = GgufMetadata(file_.where_);
  if (const auto same = file_.metadata_.set_entries(std::move(entries))) {
    return refuse(key_place(file_.metadata_.entries()[same->first].first), "each key once",
                  "the same key at bytes " + std::to_string(positions[same->first]) + " and " +
                      std::to_string(positions[same->second]));
  }
  return {};
}

Status GgufParser::read_value(std::string_view key, GgufValue& value) {
  auto read_as = [&]<typename Stored, typename InFile>(Stored, InFile) -> Status {
    BRISK_ASSIGN(const auto number, reader_.read<InFile>(key));
    value.value = static_cast<Stored>(number);
    return {};
  };
  switch (value.type) {
    case GgufType::kU8: return read_as(uint64_t{}, uint8_t{});
    case GgufType::kU16: return read_as(uint64_t{}, uint16_t{});
    case GgufType::kU32: return read_as(uint64_t{}, uint32_t{});
    case GgufType::kU64: return read_as(uint64_t{}, uint64_t{});
    case GgufType::kI8: return read_as(int64_t{}, int8_t{});
    case GgufType::kI16: return read_as(int64_t{}, int16_t{});
    case GgufType::kI32: return read_as(int64_t{}, int32_t{});
    case GgufType::kI64: return read_as(int64_t{}, int64_t{});
    case GgufType::kF32: return read_as(double{}, float{});
    case GgufType::kF64: return read_as(double{}, double{});
    case GgufType::kBool: {
      BRISK_ASSIGN(const auto bytes, reader_.view(1, key));
      BRISK_TRY(check_bools(key_place(key), bytes));
      value.value = bytes[0] == std::byte{1};
      return {};
    }
    case GgufType::kString: {
      BRISK_ASSIGN(const auto text, read_string(key));
      value.value = text;
      return {};
    }
    case GgufType::kArray: return read_array(key, value.value.emplace<GgufArray>());
  }
  return refuse(key_place(key), "a known value type", "another");
}

Status GgufParser::read_array(std::string_view key, GgufArray& array) {
  BRISK_ASSIGN(array.element, read_type(key_place(key)));
  BRISK_ASSIGN(array.count, reader_.read<uint64_t>(key));
  if (array.element == GgufType::kArray) {
    return refuse(key_place(key), "an array of numbers, booleans or strings", "an array of arrays (type 9)");
  }
  if (array.element == GgufType::kString) return read_strings(array);
  const uint64_t width = scalar_bytes(array.element);
  BRISK_TRY(reader_.claim(array.count, width, key));
  BRISK_ASSIGN(array.bytes, reader_.view(array.count * width, key));
  return array.element == GgufType::kBool ? check_bools(key_place(key), array.bytes) : Status();
}

Status GgufParser::read_strings(GgufArray& array) {
  BRISK_TRY(reader_.claim(array.count, kLeastStringBytes, "strings"));
  array.strings.reserve(array.count);
  for (uint64_t i = 0; i < array.count; ++i) {
    BRISK_ASSIGN(const auto text, read_string("string"));
    array.strings.push_back(text);
  }
  return {};
}

Status GgufParser::read_alignment() {
  constexpr std::string_view kKey = "general.alignment";
  const GgufValue* value = file_.metadata_.find(kKey);
  if (value == nullptr) return {};
  if (value->type != GgufType::kU32) {
    return refuse(key_place(kKey), "a u32", std::string(gguf_type_name(value->type)));
  }
  const uint64_t alignment = std::get<uint64_t>(value->value);
  if (!std::has_single_bit(alignment) || alignment < kLeastAlignment || alignment > kMostAlignment) {
    return refuse(
        key_place(kKey),
        "a power of two from " + std::to_string(kLeastAlignment) + " to " + std::to_string(kMostAlignment),
        std::to_string(alignment));
  }
  file_.alignment_ = alignment;
  return {};
}

Status GgufParser::read_claims() {
  claims_.reserve(n_tensors_);
  std::vector<std::string_view> names;
  names.reserve(n_tensors_);
  for (uint64_t i = 0; i < n_tensors_; ++i) {
    Claim claim{};
    BRISK_ASSIGN(claim.name, read_name("tensor name"));
    const std::string place = tensor_place(claim.name);
    BRISK_TRY(read_shape(place, claim));
    BRISK_TRY(read_dtype(place, claim));
    BRISK_ASSIGN(claim.offset, reader_.read<uint64_t>("tensor offset"));
    names.push_back(claim.name);
    claims_.push_back(std::move(claim));
  }
  if (const auto same = file_.tensor_index_.build(std::move(names))) {
    return refuse(tensor_place(claims_[same->first].name), "each tensor once",
                  "the same name as tensors number " + std::to_string(same->first + 1) + " and " +
                      std::to_string(same->second + 1));
  }
  return {};
}

// Undoes GGUF's order of dimensions: innermost first in the file, outermost first in a Shape.
Status GgufParser::read_shape(const std::string& place, Claim& claim) {
  BRISK_ASSIGN(const auto n_dims, reader_.read<uint32_t>("number of dimensions"));
  if (n_dims > kMostDimensions) {
    return refuse(place, "at most " + std::to_string(kMostDimensions) + " dimensions",
                  std::to_string(n_dims));
  }
  claim.shape.resize(n_dims);
  for (uint32_t i = 0; i < n_dims; ++i) {
    BRISK_ASSIGN(const auto dim, reader_.read<uint64_t>("dimension"));
    constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (dim > kMost) {
      return refuse(place, "dimensions up to " + std::to_string(kMost), std::to_string(dim));
    }
    claim.shape[n_dims - 1 - i] = static_cast<int64_t>(dim);
  }
  return {};
}

Status GgufParser::read_dtype(const std::string& place, Claim& claim) {
  BRISK_ASSIGN(const auto number, reader_.read<uint32_t>("tensor type"));
  const auto dtype = gguf_tensor_dtype(number);
  if (!dtype) {
    return refuse(place, "a type among " + supported_gguf_tensor_types(),
                  "type " + describe_gguf_tensor_type(number), "a file in one of these types");
  }
  claim.dtype = *dtype;
  const int64_t row = claim.shape.empty() ? 1 : claim.shape.back();
  const int64_t block = dtype_info(*dtype).block_values;
  if (row % block != 0) {
    return refuse(
        place,
        "rows of a multiple of " + std::to_string(block) + " values for " + std::string(dtype_name(*dtype)),
        to_string(claim.shape));
  }
  const auto count = element_count(claim.shape);
  const auto bytes = count ? dtype_bytes(*dtype, *count) : std::nullopt;
  if (!bytes) {
    return refuse(place, "a size below 2^63",
                  "dimensions " + to_string(claim.shape) + ", whose product overflows");
  }
  claim.bytes = *bytes;
  return {};
}

Status GgufParser::place_tensors() {
  const auto data_begin = checked_round_up(reader_.position(), file_.alignment_);
  if (!data_begin) return refuse("header", "an end below 2^64", std::to_string(reader_.position()));
  file_.tensors_.reserve(claims_.size());
  for (const Claim& claim : claims_) BRISK_TRY(place(claim, *data_begin));
  return {};
}

// The one place where a tensor's claim becomes a range of bytes.
Status GgufParser::place(const Claim& claim, uint64_t data_begin) {
  if (claim.offset % file_.alignment_ != 0) {
    return refuse(tensor_place(claim.name),
                  "an offset that is a multiple of " + std::to_string(file_.alignment_),
                  std::to_string(claim.offset));
  }
  const auto begin = checked_add(data_begin, claim.offset);
  const auto end = begin ? checked_add(*begin, claim.bytes) : std::nullopt;
  if (!end) {
    return refuse(tensor_place(claim.name), "data that ends below 2^64",
                  std::to_string(claim.bytes) + " bytes at offset " + std::to_string(claim.offset));
  }
  const auto data = byte_range(bytes_, claim.bytes == 0 ? 0 : *begin, claim.bytes);
  if (!data) {
    return refuse(tensor_place(claim.name), "a file of at least " + std::to_string(*end) + " bytes",
                  "one of " + std::to_string(bytes_.size()) + " bytes",
                  "downloading the file again: it was cut short");
  }
  file_.tensors_.push_back({claim.name, claim.dtype, claim.shape, *data, *begin});
  return {};
}

Status GgufParser::check_overlaps() const {
  std::vector<const GgufTensor*> order;
  order.reserve(file_.tensors_.size());
  for (const GgufTensor& tensor : file_.tensors_) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const GgufTensor* a, const GgufTensor* b) {
    // Empty tensors stand before others at the same place.
    if (a->file_offset != b->file_offset) return a->file_offset < b->file_offset;
    return a->data.size() < b->data.size();
  });
  for (size_t i = 1; i < order.size(); ++i) {
    const GgufTensor& before = *order[i - 1];
    const uint64_t end = before.file_offset + before.data.size();
    if (order[i]->file_offset < end) {
      return refuse(tensor_place(order[i]->name), "data after byte " + std::to_string(end),
                    "data at byte " + std::to_string(order[i]->file_offset) + ", inside that of " +
                        tensor_place(before.name));
    }
  }
  return {};
}

}  // namespace brisk::formats
