#include "formats/safetensors/writer.hpp"

#include <cstring>
#include <set>

#include "base/checked.hpp"
#include "base/memory.hpp"
#include "base/utf8.hpp"

namespace brisk::formats {

namespace {

// The data begins at a multiple of this, so that a mapping of the file serves vector loads.
constexpr size_t kDataAlignment = 64;

Status refuse(const std::string& name, std::string expected, std::string got) {
  return usage_error({"writing tensor '" + name + "'", std::move(expected), std::move(got)});
}

// "name": {...} of each tensor, and where the data ends.
struct HeaderText {
  std::string text = "{";
  uint64_t data_bytes = 0;
  std::set<std::string> names = {"__metadata__"};

  Status add(const SafetensorsWriter::Entry& entry) {
    const SafetensorsType* type = find_safetensors_type(entry.dtype);
    if (type == nullptr)
      return refuse(entry.name, "a type of the format", std::string(dtype_name(entry.dtype)));
    if (entry.name.empty() || !utf8_valid(entry.name) || !names.insert(entry.name).second)
      return refuse(entry.name, "a name of its own in UTF-8", "another");
    const auto bytes = safetensors_bytes(*type, entry.shape);
    const auto end = bytes ? checked_add(data_bytes, *bytes) : std::nullopt;
    if (!end) return refuse(entry.name, "a size that fits 64 bits", to_string(entry.shape));
    const auto element_bytes = static_cast<uint64_t>(type->bits / 8);
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

Result<SafetensorsWriter> SafetensorsWriter::create(const std::string& path,
                                                    const std::vector<Entry>& tensors,
                                                    const SafetensorsFile::Metadata& metadata,
                                                    bool overwrite) {
  HeaderText header;
  if (!metadata.empty()) header.add_member("__metadata__", Json(metadata));
  for (const Entry& entry : tensors) BRISK_TRY(header.add(entry));
  header.close();
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

Status SafetensorsWriter::commit() {
  if (missing_ > 0)
    return usage_error({"writing tensors", "all of their bytes", std::to_string(missing_) + " missing"});
  return file_.commit();
}

}  // namespace brisk::formats
