// From the events of the header's JSON to tensors. What is accepted beyond the plain form is what the
// reference library's decoder accepts: a tensor as a list of its three fields, a dtype as {"F32": null}, null
// for the metadata, fields that nobody knows. A known field stands once.
#include "formats/safetensors/header.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_events.hpp"
#include "base/reader.hpp"
#include "base/utf8.hpp"

namespace brisk::formats {

namespace {

constexpr int kDepth = 127;  // the reference library's
constexpr std::string_view kMetadataName = "__metadata__";
constexpr const char* kHint = "downloading or writing the file again";

enum class Field : size_t { kDtype, kShape, kOffsets, kUnknown };
constexpr std::array<std::string_view, 3> kFieldNames = {"dtype", "shape", "data_offsets"};
constexpr std::array<const char*, 3> kFieldValues = {"a dtype such as F32", "a list of sizes",
                                                     "a list of two numbers"};

class HeaderReader : public JsonEvents {
 public:
  explicit HeaderReader(std::span<const std::byte> data) : data_(data) {}

  Status key(std::string& name) override {
    switch (at_) {
      case At::kNames: return begin_name(std::move(name));
      case At::kMetadata: metadata_key_ = std::move(name); return {};
      case At::kTensor: return begin_field(name);
      case At::kDtypeObject: return set_type(name);
      default: return {};  // of an object that is passed over
    }
  }

  Status string(std::string& value) override {
    BRISK_TRY(begin_listed_field());
    if (at_ == At::kMetadata) {
      header.metadata.insert_or_assign(std::move(metadata_key_), std::move(value));
      return {};
    }
    if (awaits(Field::kDtype)) return set_type(value);
    return pass_over("text");
  }

  Status scalar(Json value) override {
    BRISK_TRY(begin_listed_field());
    const bool null_fits = at_ == At::kDtypeObject || (at_ == At::kNames && in_metadata_);
    if (null_fits && value.is_null()) return {};
    // "-0" is no unsigned number, here as there.
    if (at_ == At::kNumbers && value.is_number_unsigned()) return add_number(value.get<uint64_t>());
    return pass_over(value.type_name());
  }

  Status open(bool object) override {
    BRISK_TRY(begin_listed_field());
    if (at_ == At::kStart && object) return go(At::kNames);
    if (at_ == At::kNames && in_metadata_ && object) return go(At::kMetadata);
    if (at_ == At::kNames && !in_metadata_) return begin_tensor(object ? At::kTensor : At::kTensorList);
    if (awaits(Field::kDtype) && object) return go(At::kDtypeObject);
    if ((awaits(Field::kShape) || awaits(Field::kOffsets)) && !object) return go(At::kNumbers);
    BRISK_TRY(pass_over(object ? "an object" : "a list"));
    ++passed_levels_;
    return go(At::kPassed);
  }

  Status close() override {
    switch (at_) {
      case At::kMetadata: return go(At::kNames);
      case At::kTensor:
      case At::kTensorList: return end_tensor();
      case At::kDtypeObject: return tensor_.type != nullptr ? end_field() : refuse("one dtype", "none");
      case At::kNumbers: return end_numbers();
      case At::kPassed: return --passed_levels_ == 0 ? end_field() : Status();
      default: return {};
    }
  }

  SafetensorsHeader header;

 private:
  /// What the reader stands in.
  enum class At {
    kStart,
    kNames,        // the outermost object
    kMetadata,     // that of __metadata__
    kTensor,       // a tensor's object
    kTensorList,   // a tensor's list
    kDtypeObject,  // {"F32": null}
    kNumbers,      // shape or data_offsets
    kPassed,       // a field that nobody knows
  };

  Status go(At at) {
    at_ = at;
    return {};
  }

  // Whether the next value is this field's.
  bool awaits(Field field) const { return (at_ == At::kTensor || at_ == At::kTensorList) && field_ == field; }

  Status begin_name(std::string name) {
    in_metadata_ = name == kMetadataName;
    if (in_metadata_ && std::exchange(metadata_seen_, true)) return refuse("it once", "it twice");
    tensor_ = {};
    tensor_.name = std::move(name);
    seen_ = {};
    return {};
  }

  Status begin_field(std::string_view name) {
    const auto* found = std::ranges::find(kFieldNames, name);
    field_ = static_cast<Field>(found - kFieldNames.begin());
    return field_ == Field::kUnknown ? Status() : mark_seen();
  }

  // In a list the place says which field a value is.
  Status begin_listed_field() {
    if (at_ != At::kTensorList) return {};
    field_ = static_cast<Field>(std::ranges::count(seen_, true));
    return field_ == Field::kUnknown ? refuse("a list of three fields", "a fourth") : mark_seen();
  }

  Status mark_seen() {
    const auto index = static_cast<size_t>(field_);
    if (!std::exchange(seen_[index], true)) return {};
    return refuse(std::string(kFieldNames[index]) + " once", "it twice");
  }

  Status begin_tensor(At form) {
    form_ = form;
    return go(form);
  }

  Status end_field() { return go(form_); }

  Status set_type(std::string_view name) {
    if (tensor_.type != nullptr) return refuse("one dtype", "two");
    tensor_.type = find_safetensors_type(name);
    return tensor_.type != nullptr ? Status()
                                   : refuse("a dtype such as F32 or BF16", shown_tensor_name(name));
  }

  Status add_number(uint64_t value) {
    if (field_ == Field::kOffsets) {
      if (numbers_ < 2) (numbers_ == 0 ? begin_ : end_) = value;
      ++numbers_;
      return {};
    }
    if (value > INT64_MAX) return refuse("sizes below 2^63", std::to_string(value));
    tensor_.shape.push_back(static_cast<int64_t>(value));
    return {};
  }

  Status end_numbers() {
    const int64_t count = std::exchange(numbers_, 0);
    if (field_ == Field::kOffsets && count != 2)
      return refuse("data_offsets of two numbers", std::to_string(count));
    return end_field();
  }

  Status end_tensor() {
    for (size_t i = 0; i < seen_.size(); ++i) {
      if (!seen_[i]) return refuse("a field " + std::string(kFieldNames[i]), "none");
    }
    const auto bytes = begin_ <= end_ ? byte_range(data_, begin_, end_ - begin_) : std::nullopt;
    if (bytes) {
      tensor_.data = *bytes;
    } else {
      header.strays.push_back({header.tensors.size(), begin_, end_});
    }
    header.tensors.push_back(std::move(tensor_));
    return go(At::kNames);
  }

  // A value that is nothing we asked for.
  Status pass_over(const std::string& got) const {
    switch (at_) {
      case At::kPassed: return {};
      case At::kStart:
      case At::kNames: return refuse("an object", got);
      case At::kMetadata: return refuse("text", got);
      case At::kDtypeObject: return refuse("null behind a dtype", got);
      case At::kNumbers: return refuse("whole numbers from 0", got);
      default: break;
    }
    return field_ == Field::kUnknown ? Status() : refuse(kFieldValues[static_cast<size_t>(field_)], got);
  }

  Status refuse(std::string expected, std::string got) const {
    std::string place = "tensor " + shown_tensor_name(tensor_.name);
    if (at_ == At::kStart) place = "header";
    if (in_metadata_)
      place = at_ == At::kMetadata ? "metadata " + shown_tensor_name(metadata_key_) : kMetadataName;
    return bad_input({std::move(place), std::move(expected), std::move(got), kHint});
  }

  At at_ = At::kStart;
  At form_ = At::kTensor;  // of the tensor: an object or a list
  bool in_metadata_ = false;
  bool metadata_seen_ = false;
  std::string metadata_key_;
  std::span<const std::byte> data_;
  SafetensorsTensor tensor_ = {};  // the one being read
  uint64_t begin_ = 0;             // its data_offsets
  uint64_t end_ = 0;
  std::array<bool, 3> seen_ = {};  // which of its fields
  Field field_ = Field::kUnknown;
  int64_t numbers_ = 0;  // of data_offsets
  int passed_levels_ = 0;
};

// How many tensors of the plain form a header can have, so that their list need not grow: while it did, there
// would be two.
size_t most_plain_tensors(std::string_view text) {
  constexpr size_t kLeastBytes =
      std::string_view(R"("":{"dtype":"F4","shape":[],"data_offsets":[0,0]},)").size();
  return std::min(static_cast<size_t>(std::ranges::count(text, '{')), text.size() / kLeastBytes + 1);
}

}  // namespace

std::string shown_tensor_name(std::string_view name) {
  constexpr size_t kMost = 80;
  if (name.size() <= kMost) return "'" + std::string(name) + "'";
  return "'" + std::string(name.substr(0, utf8_floor(name, kMost))) + "...'";
}

Result<SafetensorsHeader> read_safetensors_header(std::string_view text, std::span<const std::byte> data,
                                                  const std::string& where) {
  if (text.starts_with("\xEF\xBB\xBF"))
    return bad_input({where + ":1:1", "JSON", "a byte order mark before it", kHint});
  HeaderReader reader(data);
  reader.header.tensors.reserve(most_plain_tensors(text));
  const Status status = read_json_events(text, where, {kDepth, text.size()}, reader);
  if (status.ok()) return std::move(reader.header);
  ErrorParts parts = status.parts();
  parts.hint = kHint;
  return bad_input(std::move(parts));
}

}  // namespace brisk::formats
