#include "runtime/kv_snapshot.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/checked.hpp"
#include "base/memory.hpp"
#include "formats/safetensors/safetensors.hpp"
#include "formats/safetensors/writer.hpp"
#include "runtime/checksum.hpp"

namespace brisk::runtime {

using formats::SafetensorsFile;
using formats::SafetensorsTensor;
using formats::SafetensorsWriter;
using kernels::kPageTokens;

namespace {

constexpr int64_t kVersion = 1;
constexpr const char* kRecord = "brisk.kv";
constexpr const char* kTokenTensor = "tokens";

std::string tensor_name(int32_t layer, const char* part) {
  return "layer." + std::to_string(layer) + "." + part;
}

Json make_record(const std::string& fingerprint, int64_t length, Json layout) {
  return {{"version", kVersion},
          {"fingerprint", fingerprint},
          {"tokens", length},
          {"length", length},
          {"layout", std::move(layout)}};
}

// ---- Writing: the tensors of a sequence are listed once, and their bytes given out twice (sum, file).

class SnapshotWriter {
 public:
  SnapshotWriter(const KvStore& store, SequenceId id, std::span<const int32_t> tokens)
      : store_(store), id_(id), tokens_(tokens) {}

  Status write(const std::string& fingerprint, const std::string& path) {
    list_tensors();
    Json layout = Json::array();
    for (const GroupId group : store_.groups(id_))
      layout.push_back(KvStore::layout_record(store_.group(group)));
    Json record = make_record(fingerprint, length(), std::move(layout));
    BRISK_ASSIGN(record["checksum"], sum(to_json_text(record)));

    std::vector<SafetensorsWriter::Entry> entries;
    for (const Tensor& tensor : tensors_) entries.push_back(tensor.entry);
    BRISK_ASSIGN(SafetensorsWriter writer,
                 SafetensorsWriter::create(path, entries, {{kRecord, to_json_text(record)}}, true));
    for (const Tensor& tensor : tensors_)
      BRISK_TRY(give(tensor, [&](std::span<const std::byte> bytes) { return writer.write(bytes); }));
    return writer.commit();
  }

 private:
  enum class Part { kTokens, kPositions, kEntries, kPages, kState };
  struct Tensor {
    SafetensorsWriter::Entry entry;
    Part part;
    int32_t layer = 0;
    const KvGroup* group = nullptr;
  };

  int64_t length() const { return store_.length(id_); }

  // Numbers first: they need their alignment.
  void list_tensors() {
    tensors_.push_back({{kTokenTensor, DType::kI32, {length()}}, Part::kTokens});
    for (const Part part : {Part::kPositions, Part::kEntries, Part::kPages, Part::kState}) {
      for (const GroupId id : store_.groups(id_)) {
        for (const int32_t layer : store_.group(id).layers) list_part(part, layer, store_.group(id));
      }
    }
  }

  void list_part(Part part, int32_t layer, const KvGroup& group) {
    const auto list = [&](const char* name, DType dtype, Shape shape) {
      tensors_.push_back({{tensor_name(layer, name), dtype, std::move(shape)}, part, layer, &group});
    };
    const bool recurrent = group.kind == KvKind::kRecurrent;
    if (part == Part::kState && recurrent && length() > 0) list("state", DType::kU8, {group.state_bytes});
    if (recurrent) return;
    if (part == Part::kPages) list("pages", DType::kU8, {pages(layer, group), group.geometry.page_bytes()});
    if (!store_.ragged(id_, layer)) return;
    if (part == Part::kPositions) list("positions", DType::kI32, {all_entries(layer, group)});
    if (part == Part::kEntries) list("entries", DType::kI32, {group.geometry.kv_heads});
  }

  int64_t all_entries(int32_t layer, const KvGroup& group) const {
    int64_t sum = 0;
    for (int64_t head = 0; head < group.geometry.kv_heads; ++head) sum += store_.entries(id_, layer, head);
    return sum;
  }

  int64_t pages(int32_t layer, const KvGroup& group) const {
    int64_t sum = 0;
    for (int64_t head = 0; head < group.geometry.kv_heads; ++head)
      sum += div_up(store_.entries(id_, layer, head), kPageTokens) - group.pages_behind(length());
    return sum;
  }

  Result<std::string> sum(const std::string& record) {
    BRISK_ASSIGN(Checksum checksum, Checksum::create());
    checksum.add_text(record);
    for (const Tensor& tensor : tensors_) {
      if (std::ranges::count(tensor.entry.shape, 0) > 0) continue;
      checksum.add_text(tensor.entry.name);
      BRISK_TRY(give(tensor, [&](std::span<const std::byte> bytes) -> Status {
        checksum.add(bytes);
        return {};
      }));
    }
    return checksum.digits();
  }

  // Calls take(bytes) with the tensor's data, piece by piece.
  template <typename Take>
  Status give(const Tensor& tensor, Take take) {
    switch (tensor.part) {
      case Part::kTokens: return take(std::as_bytes(tokens_));
      case Part::kState:
        return take({store_.state(id_, tensor.layer), static_cast<size_t>(tensor.group->state_bytes)});
      default: break;
    }
    for (int64_t head = 0; head < tensor.group->geometry.kv_heads; ++head)
      BRISK_TRY(give_head(tensor, head, take));
    return {};
  }

  template <typename Take>
  Status give_head(const Tensor& tensor, int64_t head, Take take) {
    if (tensor.part == Part::kPages) return give_pages(tensor, head, take);
    if (tensor.part == Part::kEntries) {
      const auto entries = static_cast<int32_t>(store_.entries(id_, tensor.layer, head));
      return take(std::as_bytes(std::span(&entries, 1)));
    }
    store_.positions(id_, tensor.layer, head, positions_);
    return take(std::as_bytes(std::span(positions_)));
  }

  template <typename Take>
  Status give_pages(const Tensor& tensor, int64_t head, Take take) {
    const kernels::KvGeometry& geometry = tensor.group->geometry;
    const auto page_bytes = static_cast<size_t>(geometry.page_bytes());
    const kernels::KvHead from = store_.layers(id_)[tensor.layer].head(head);
    const int64_t entries = store_.entries(id_, tensor.layer, head);
    const int64_t full = entries / kPageTokens;
    for (int64_t page = tensor.group->pages_behind(length()); page < full; ++page)
      BRISK_TRY(take({from.base + static_cast<size_t>(from.pages[page]) * page_bytes, page_bytes}));
    if (entries == full * kPageTokens) return {};
    // The last page may still hold what was forgotten; that stays here.
    page_.assign(page_bytes, std::byte{0});
    const int32_t first_page = 0;
    const kernels::KvHead to{page_.data(), &first_page, 0};
    for (int64_t entry = full * kPageTokens; entry < entries; ++entry)
      kernels::copy_entry(geometry, from, entry, to, entry - full * kPageTokens);
    return take(std::span<const std::byte>(page_));
  }

  const KvStore& store_;
  SequenceId id_;
  std::span<const int32_t> tokens_;
  std::vector<Tensor> tensors_;
  std::vector<int32_t> positions_;
  std::vector<std::byte> page_;
};

// ---- Reading: everything is looked at before the store is touched.

std::vector<int32_t> numbers_of(const SafetensorsTensor& tensor) {
  std::vector<int32_t> numbers(tensor.data.size() / sizeof(int32_t));
  if (!numbers.empty()) std::memcpy(numbers.data(), tensor.data.data(), tensor.data.size());
  return numbers;
}

class SnapshotReader {
 public:
  SnapshotReader(KvStore& store, const SafetensorsFile& file) : store_(store), file_(file) {}

  Result<RestoredSequence> read(const std::string& fingerprint) {
    BRISK_TRY(read_record(fingerprint));
    BRISK_TRY(check_sum());
    BRISK_TRY(find_groups());
    BRISK_ASSIGN(const SafetensorsTensor* tokens, get(kTokenTensor, DType::kI32, {length_}));
    for (const GroupId group : groups_) BRISK_TRY(read_group(store_.group(group)));
    if (used_ != file_.tensors().size()) {
      return refuse("tensors", std::to_string(used_) + " that belong to the sequence",
                    std::to_string(file_.tensors().size()));
    }
    RestoredSequence restored{-1, numbers_of(*tokens)};
    BRISK_ASSIGN(restored.id, store_.create_filled(groups_, length_, kept_));
    copy_data(restored.id);
    // Pages of the file that went missing after the sum was taken gave zeros.
    const Status unchanged = file_.mapping()->check_unchanged();
    if (unchanged.ok()) return restored;
    store_.free_sequence(restored.id);
    return unchanged;
  }

 private:
  Status refuse(const std::string& place, std::string expected, std::string got,
                std::string hint = "saving the sequence again") const {
    return bad_input({file_.where() + ": " + place, std::move(expected), std::move(got), std::move(hint)});
  }

  Result<const SafetensorsTensor*> get(const std::string& name, DType dtype, const Shape& shape) {
    BRISK_ASSIGN(const SafetensorsTensor* tensor, file_.get(name, dtype, shape));
    ++used_;
    return tensor;
  }

  Status read_record(const std::string& fingerprint) {
    const auto text = file_.metadata().find(kRecord);
    if (text == file_.metadata().end())
      return refuse("metadata", "the key brisk.kv", "none", "a saved sequence");
    constexpr JsonLimits kLimits = {8, 16U << 20};
    BRISK_ASSIGN(record_, parse_json(text->second, file_.where() + ": brisk.kv", kLimits));
    if (!record_.is_object()) return refuse("brisk.kv", "an object", record_.type_name());
    if (record_.value("version", Json()) != Json(kVersion)) {
      return refuse("brisk.kv", "version " + std::to_string(kVersion),
                    to_json_text(record_.value("version", Json())), "a Brisk of the same version");
    }
    if (record_.value("fingerprint", Json()) != Json(fingerprint)) {
      return refuse("brisk.kv", "a sequence of the model with fingerprint " + fingerprint,
                    "one of " + to_json_text(record_.value("fingerprint", Json())),
                    "the model that it was saved with");
    }
    const Json length = record_.value("length", Json());
    if (!length.is_number_unsigned() || length.get<uint64_t>() > INT32_MAX)
      return refuse("brisk.kv, length", "a number of tokens", to_json_text(length));
    length_ = static_cast<int64_t>(length.get<uint64_t>());
    return {};
  }

  Status check_sum() {
    const Json wanted = record_.value("checksum", Json());
    record_.erase("checksum");
    BRISK_ASSIGN(Checksum checksum, Checksum::create());
    checksum.add_text(to_json_text(record_));
    for (const SafetensorsTensor& tensor : file_.tensors()) {
      if (tensor.data.empty()) continue;  // the order of tensors without data is anybody's
      checksum.add_text(tensor.name);
      checksum.add(tensor.data);
    }
    if (wanted == Json(checksum.digits())) return {};
    return refuse("checksum", to_json_text(wanted), checksum.digits(), "a file that is whole and unaltered");
  }

  Status find_groups() {
    const Json layout = record_.value("layout", Json());
    if (!layout.is_array() || layout.empty()) return refuse("brisk.kv, layout", "a list of groups", "none");
    for (const Json& group : layout) {
      const Json name = group.is_object() ? group.value("name", Json()) : Json();
      const GroupId id = name.is_string() ? store_.find_group(name.get_ref<const std::string&>()) : -1;
      if (id < 0) return refuse("brisk.kv, layout", "groups that this session has", to_json_text(name));
      BRISK_TRY(check_layout(group, KvStore::layout_record(store_.group(id))));
      groups_.push_back(id);
    }
    if (std::set(groups_.begin(), groups_.end()).size() == groups_.size()) return {};
    return refuse("brisk.kv, layout", "each group once", "a group twice");
  }

  // Names the first thing that differs: the whole records would be longer than a message.
  Status check_layout(const Json& theirs, const Json& ours) const {
    const std::string place = "brisk.kv, layout of group " + ours.value("name", "");
    for (const auto& [key, value] : ours.items()) {
      const Json other = theirs.value(key, Json());
      if (other == value) continue;
      return refuse(place, key + " " + to_json_text(value), to_json_text(other),
                    "the options that the sequence was saved with");
    }
    if (theirs.size() == ours.size()) return {};
    return refuse(place, std::to_string(ours.size()) + " keys", std::to_string(theirs.size()));
  }

  Status read_group(const KvGroup& group) {
    kept_.emplace_back(group.layers.size());
    for (size_t slot = 0; slot < group.layers.size(); ++slot) {
      const int32_t layer = group.layers[slot];
      if (group.kind == KvKind::kRecurrent) {
        if (length_ > 0) BRISK_TRY(get(tensor_name(layer, "state"), DType::kU8, {group.state_bytes}));
        continue;
      }
      const bool ragged = file_.find(tensor_name(layer, "entries")) != nullptr;
      if (ragged) BRISK_TRY(read_kept(layer, group, kept_.back()[slot]));
      int64_t pages = 0;
      for (int64_t head = 0; head < group.geometry.kv_heads; ++head) {
        const int64_t entries =
            ragged ? static_cast<int64_t>(kept_.back()[slot][static_cast<size_t>(head)].size()) : length_;
        pages += div_up(entries, kPageTokens) - group.pages_behind(length_);
      }
      BRISK_TRY(get(tensor_name(layer, "pages"), DType::kU8, {pages, group.geometry.page_bytes()}));
    }
    return {};
  }

  Status read_kept(int32_t layer, const KvGroup& group, std::vector<std::vector<int32_t>>& kept) {
    const std::string name = tensor_name(layer, "entries");
    if (group.kind != KvKind::kFull) return refuse(name, "no ragged layers in group " + group.name, "one");
    BRISK_ASSIGN(const SafetensorsTensor* counts, get(name, DType::kI32, {group.geometry.kv_heads}));
    const std::vector<int32_t> entries = numbers_of(*counts);
    int64_t sum = 0;
    for (const int32_t count : entries) {
      if (count < 0 || count > length_)
        return refuse(name, "0 to " + std::to_string(length_), std::to_string(count));
      sum += count;
    }
    BRISK_ASSIGN(const SafetensorsTensor* list, get(tensor_name(layer, "positions"), DType::kI32, {sum}));
    const std::vector<int32_t> positions = numbers_of(*list);
    auto next = positions.begin();
    for (const int32_t count : entries) {
      kept.emplace_back(next, next + count);
      next += count;
      BRISK_TRY(check_positions(layer, kept.back()));
    }
    return {};
  }

  Status check_positions(int32_t layer, std::span<const int32_t> positions) const {
    int64_t last = -1;
    for (const int32_t position : positions) {
      if (position <= last || position >= length_) {
        return refuse(tensor_name(layer, "positions"), "ascending positions below " + std::to_string(length_),
                      std::to_string(position));
      }
      last = position;
    }
    return {};
  }

  // From here on nothing can fail.
  void copy_data(SequenceId id) {
    for (const GroupId group : groups_) {
      for (const int32_t layer : store_.group(group).layers) {
        if (store_.group(group).kind != KvKind::kRecurrent) {
          copy_pages(id, layer, store_.group(group));
        } else if (length_ > 0) {
          const auto bytes = file_.find(tensor_name(layer, "state"))->data;
          std::memcpy(store_.state(id, layer), bytes.data(), bytes.size());
        }
      }
    }
  }

  void copy_pages(SequenceId id, int32_t layer, const KvGroup& group) {
    const auto page_bytes = static_cast<size_t>(group.geometry.page_bytes());
    const std::byte* from = file_.find(tensor_name(layer, "pages"))->data.data();
    for (int64_t h = 0; h < group.geometry.kv_heads; ++h) {
      const kernels::KvHead head = store_.layers(id)[layer].head(h);
      const int64_t end = div_up(store_.entries(id, layer, h), kPageTokens);
      for (int64_t page = group.pages_behind(length_); page < end; ++page, from += page_bytes)
        std::memcpy(head.base + static_cast<size_t>(head.pages[page]) * page_bytes, from, page_bytes);
    }
  }

  KvStore& store_;
  const SafetensorsFile& file_;
  Json record_;
  int64_t length_ = 0;
  std::vector<GroupId> groups_;
  std::vector<KvStore::KeptPositions> kept_;  // [groups]
  size_t used_ = 0;                           // tensors that were asked for
};

}  // namespace

Status save_snapshot(const KvStore& store, SequenceId id, const std::string& fingerprint,
                     std::span<const int32_t> tokens, const std::string& path) {
  if (static_cast<int64_t>(tokens.size()) != store.length(id)) {
    return usage_error({"saving " + path, "the sequence's " + std::to_string(store.length(id)) + " tokens",
                        std::to_string(tokens.size())});
  }
  if (fingerprint.empty()) return usage_error({"saving " + path, "the fingerprint of the model", "none"});
  return catch_out_of_memory(path.c_str(),
                             [&] { return SnapshotWriter(store, id, tokens).write(fingerprint, path); });
}

Result<RestoredSequence> load_snapshot(KvStore& store, const std::string& fingerprint,
                                       const std::string& path) {
  RestoredSequence restored{-1, {}};
  BRISK_TRY(catch_out_of_memory(path.c_str(), [&]() -> Status {
    BRISK_ASSIGN(const std::shared_ptr<SafetensorsFile> file, SafetensorsFile::open(path));
    BRISK_ASSIGN(restored, SnapshotReader(store, *file).read(fingerprint));
    return {};
  }));
  return restored;
}

}  // namespace brisk::runtime
