#include "formats/safetensors/writer.hpp"

#include <algorithm>
#include <set>

#include "base/checked.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"

namespace brisk::formats {

namespace {

// The data begins at a multiple of this, so that a mapping of the file serves vector loads.
constexpr size_t kDataAlignment = 64;

Status refuse(const std::string& name, std::string expected, std::string got) {
  return usage_error({"writing tensor '" + name + "'", std::move(expected), std::move(got)});
}

// Null for a type of ours that the format lacks.
const SafetensorsType* type_of(const SafetensorsWriter::Entry& entry) {
  const DType* dtype = std::get_if<DType>(&entry.type);
  return dtype != nullptr ? find_safetensors_type(*dtype) : std::get<const SafetensorsType*>(entry.type);
}

// "name": {...} of each tensor, and where the data ends.
struct HeaderText {
  std::string text = "{";
  uint64_t data_bytes = 0;
  std::set<std::string> names = {"__metadata__"};

  Status add(const SafetensorsWriter::Entry& entry) {
    if (entry.name.empty() || !utf8_valid(entry.name) || !names.insert(entry.name).second)
      return refuse(entry.name, "a name of its own in UTF-8", "another");
    BRISK_ASSIGN(const uint64_t bytes, safetensors_entry_bytes(entry));
    const auto end = checked_add(data_bytes, bytes);
    if (!end) return refuse(entry.name, "a size that fits 64 bits", to_string(entry.shape));
    const SafetensorsType* type = type_of(entry);
    const auto element_bytes = static_cast<uint64_t>(std::max(1, type->bits / 8));
    if (data_bytes % element_bytes != 0)
      return refuse(entry.name, "larger types before smaller ones", "data at " + std::to_string(data_bytes));
    add_member(entry.name,
               {{"dtype", type->name}, {"shape", entry.shape}, {"data_offsets", {data_bytes, *end}}});
    data_bytes = *end;
    return {};
  }

  void add_member(const std::string& name, const Json& value) {
    if (text.size() > 1) text += ',';
    text += to_json_text(name) + ":" + to_json_text(value);
  }

  void close() {
    text += '}';
    constexpr size_t kLengthBytes = 8;
    text.resize(
        static_cast<size_t>(round_up(static_cast<int64_t>(text.size() + kLengthBytes), kDataAlignment)) -
            kLengthBytes,
        ' ');
  }
};

}  // namespace

Result<uint64_t> safetensors_entry_bytes(const SafetensorsWriter::Entry& entry) {
  const SafetensorsType* type = type_of(entry);
  if (type == nullptr) {
    return refuse(entry.name, "a type of the format", std::string(dtype_name(std::get<DType>(entry.type))));
  }
  const auto bytes = safetensors_bytes(*type, entry.shape);
  if (!bytes) return refuse(entry.name, "a size that fits 64 bits, in whole bytes", to_string(entry.shape));
  return *bytes;
}

Result<SafetensorsWriter> SafetensorsWriter::create(const std::string& path,
                                                    const std::vector<Entry>& tensors,
                                                    const SafetensorsFile::Metadata& metadata,
                                                    bool overwrite) {
  HeaderText header;
  if (!metadata.empty()) header.add_member("__metadata__", Json(metadata));
  for (const Entry& entry : tensors) BRISK_TRY(header.add(entry));
  header.close();
  if (const uint64_t most = SafetensorsLimits{}.header_bytes; header.text.size() > most) {
    return usage_error({"writing tensors", "names and shapes of at most " + std::to_string(most) + " bytes",
                        std::to_string(header.text.size()), "several files"});
  }
  BRISK_ASSIGN(AtomicFile file, AtomicFile::create(path, overwrite));
  const uint64_t length = header.text.size();
  BRISK_TRY(file.write(std::as_bytes(std::span(&length, 1))));
  BRISK_TRY(file.write(header.text));
  return SafetensorsWriter(std::move(file), header.data_bytes);
}

Status SafetensorsWriter::write(std::span<const std::byte> bytes) {
  if (bytes.size() > missing_) {
    return usage_error({"writing tensors",
                        "at most the " + std::to_string(missing_) + " bytes that are missing",
                        std::to_string(bytes.size())});
  }
  BRISK_TRY(file_.write(bytes));
  missing_ -= bytes.size();
  return {};
}

Status SafetensorsWriter::finish() {
  if (missing_ > 0)
    return usage_error({"writing tensors", "all of their bytes", std::to_string(missing_) + " missing"});
  BRISK_TRY(file_.finish());
  finished_ = true;
  return {};
}

Status SafetensorsWriter::commit() {
  if (!finished_) BRISK_TRY(finish());
  return file_.commit();
}

}  // namespace brisk::formats
