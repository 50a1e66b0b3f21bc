#include "formats/gguf/split.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>

#include "base/folder.hpp"
#include "base/paths.hpp"

namespace brisk::formats {

namespace {

constexpr const char* kCount = "split.count";
constexpr const char* kNumber = "split.no";
constexpr const char* kTensors = "split.tensors.count";
constexpr int64_t kMostParts = 999;  // mapped at the same time
constexpr const char* kHint = "all parts of one model in one folder, under their own names";

// The name of a part: PREFIX-00001-of-00003.gguf.
struct PartName {
  std::string prefix;
  int64_t number;  // from 1
  int64_t count;
};

std::optional<int64_t> five_digits(std::string_view text) {
  if (text.size() != 5) return std::nullopt;
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<PartName> parse_name(std::string_view name) {
  constexpr std::string_view kEnd = ".gguf", kOf = "-of-";
  constexpr size_t kTail = 1 + 5 + kOf.size() + 5 + kEnd.size();
  if (name.size() <= kTail || !name.ends_with(kEnd)) return std::nullopt;
  const std::string_view tail = name.substr(name.size() - kTail);
  const auto number = five_digits(tail.substr(1, 5)), count = five_digits(tail.substr(6 + kOf.size(), 5));
  if (tail[0] != '-' || tail.substr(6, kOf.size()) != kOf || !number || !count) return std::nullopt;
  return PartName{std::string(name.substr(0, name.size() - kTail)), *number, *count};
}

std::string name_of(const PartName& part, int64_t number) {
  char tail[48];
  std::snprintf(tail, sizeof tail, "-%05d-of-%05d.gguf", static_cast<int>(number),
                static_cast<int>(part.count));
  return part.prefix + tail;
}

Status wrong_part(const GgufFile& file, const char* key, std::string expected, std::string got) {
  return bad_input({file.where() + ", " + key, std::move(expected), std::move(got), kHint});
}

Result<Folder> folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return Folder::open(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

Result<std::shared_ptr<GgufFile>> open_part(const Folder& folder, const PartName& name, int64_t number) {
  BRISK_ASSIGN(std::shared_ptr<MappedFile> mapping, folder.map(name_of(name, number)));
  return GgufFile::open(std::move(mapping));
}

// What one part says of itself against its name and against the first part.
Status check_part(const GgufFile& file, int64_t number, const PartName& name, const GgufFile& first) {
  struct Fact {
    const char* key;
    int64_t expected;
  };
  BRISK_ASSIGN(const int64_t tensors, first.metadata().get_int(kTensors));
  for (const Fact& fact : {Fact{kNumber, number - 1}, {kCount, name.count}, {kTensors, tensors}}) {
    BRISK_ASSIGN(const int64_t value, file.metadata().get_int(fact.key));
    if (value != fact.expected)
      return wrong_part(file, fact.key, std::to_string(fact.expected), std::to_string(value));
  }
  return {};
}

}  // namespace

Status refuse_lone_part(const GgufFile& file) {
  BRISK_ASSIGN(const int64_t count, file.metadata().get_int_or(kCount, 1));
  if (count <= 1) return {};
  return wrong_part(file, kCount, "a model in one file, or a name like model-00001-of-00003.gguf",
                    std::to_string(count) + " parts");
}

Result<std::vector<std::shared_ptr<GgufFile>>> open_gguf_parts(const std::string& path) {
  BRISK_ASSIGN(std::shared_ptr<GgufFile> opened, GgufFile::open(path));
  const auto name = parse_name(base_name(path));
  BRISK_ASSIGN(const int64_t count, opened->metadata().get_int_or(kCount, 1));
  std::vector<std::shared_ptr<GgufFile>> files;
  if (count <= 1 && (!name || name->count <= 1)) {
    files.push_back(std::move(opened));
    return files;
  }
  if (!name) BRISK_TRY(refuse_lone_part(*opened));
  if (name->count != count || count > kMostParts) {
    return wrong_part(
        *opened, kCount,
        std::to_string(name->count) + ", as the name says, and at most " + std::to_string(kMostParts),
        std::to_string(count));
  }
  if (name->number < 1 || name->number > count) {
    return bad_input({opened->where(), "the name of a part from 1 to " + std::to_string(count),
                      std::to_string(name->number), kHint});
  }
  BRISK_ASSIGN(const Folder folder, folder_of(path));
  int64_t tensors = 0;
  for (int64_t number = 1; number <= count; ++number) {
    if (number == name->number) {
      files.push_back(opened);
    } else {
      BRISK_ASSIGN(std::shared_ptr<GgufFile> file, open_part(folder, *name, number));
      files.push_back(std::move(file));
    }
    BRISK_TRY(check_part(*files.back(), number, *name, *files.front()));
    tensors += static_cast<int64_t>(files.back()->tensors().size());
  }
  BRISK_ASSIGN(const int64_t expected, files.front()->metadata().get_int(kTensors));
  if (tensors == expected) return files;
  return wrong_part(*files.front(), kTensors, std::to_string(expected) + " tensors in all parts",
                    std::to_string(tensors));
}

Result<std::shared_ptr<GgufFile>> open_first_gguf_part(const std::string& path) {
  BRISK_ASSIGN(std::shared_ptr<GgufFile> opened, GgufFile::open(path));
  BRISK_ASSIGN(const int64_t number, opened->metadata().get_int_or(kNumber, 0));
  if (number == 0) return opened;
  const auto name = parse_name(base_name(path));
  if (!name) {
    return wrong_part(*opened, kNumber, "0, or a name like model-00001-of-00003.gguf",
                      std::to_string(number));
  }
  BRISK_ASSIGN(const Folder folder, folder_of(path));
  BRISK_ASSIGN(std::shared_ptr<GgufFile> first, open_part(folder, *name, 1));
  BRISK_TRY(check_part(*first, 1, *name, *first));
  return first;
}

}  // namespace brisk::formats
