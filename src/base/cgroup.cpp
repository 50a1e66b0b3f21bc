// The control groups of this process: see cgroup.hpp.
#include "base/cgroup.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace brisk {
namespace {

// More lines than any real machine has; a bound all the same.
constexpr size_t kMaxLines = 4096;

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; lines.size() < kMaxLines && std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

bool lists(std::string_view comma_list, std::string_view word) {
  const auto words = split(comma_list, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::optional<int64_t> to_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// mountinfo writes blank, tab, line feed and backslash as a backslash and three octal digits.
std::string unescape_mount(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
      out.push_back(static_cast<char>(code));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

/// The process's path in one hierarchy.
struct Membership {
  int version;
  std::string path;
};

std::vector<Membership> memberships(const std::string& root, std::string_view controller) {
  std::vector<Membership> found;
  for (const std::string& line : read_lines(root + "/proc/self/cgroup")) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view names = std::string_view(line).substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (names.empty())
      found.push_back({2, path});
    else if (lists(names, controller))
      found.push_back({1, path});
  }
  return found;
}

/// Where (a part of) a hierarchy is mounted: `group` is the group that shows at `point`.
struct Mount {
  int version;
  std::string group, point;
};

std::vector<Mount> mounts(const std::string& root, std::string_view controller) {
  std::vector<Mount> found;
  for (const std::string& line : read_lines(root + "/proc/self/mountinfo")) {
    // id parent device ROOT POINT options [optional fields] - TYPE source SUPER_OPTIONS
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4) continue;
    const std::string_view type = dash[1];
    const bool v1 = type == "cgroup" && lists(dash[3], controller);
    if (!v1 && type != "cgroup2") continue;
    found.push_back({v1 ? 1 : 2, unescape_mount(fields[3]), unescape_mount(fields[4])});
  }
  return found;
}

// The part of `path` below `group`: "/a/b" below "/a" is "/b". A path that is not below it, or that climbs
// (as seen from inside a control group namespace), leaves only the mount point itself.
std::string below(const std::string& path, const std::string& group) {
  const std::string prefix = group == "/" ? "" : group;
  if (!path.starts_with(prefix) || path.find("/..") != std::string::npos) return "";
  const std::string rest = path.substr(prefix.size());
  return rest == "/" || !rest.starts_with("/") ? "" : rest;
}

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::optional<double> ratio(std::optional<int64_t> quota, std::optional<int64_t> period) {
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<double> folder_quota(const CgroupFolder& folder) {
  if (folder.version == 2) {
    const std::string line = first_line(folder.path + "/cpu.max");  // "150000 100000" or "max 100000"
    const auto fields = split(line, ' ');
    return fields.size() == 2 ? ratio(to_integer(fields[0]), to_integer(fields[1])) : std::nullopt;
  }
  return ratio(to_integer(first_line(folder.path + "/cpu.cfs_quota_us")),
               to_integer(first_line(folder.path + "/cpu.cfs_period_us")));
}

}  // namespace

std::vector<CgroupFolder> cgroup_folders(const std::string& root, std::string_view controller) {
  std::vector<CgroupFolder> folders;
  const std::vector<Mount> all_mounts = mounts(root, controller);
  for (const Membership& member : memberships(root, controller)) {
    const auto mount = std::find_if(all_mounts.begin(), all_mounts.end(),
                                    [&](const Mount& m) { return m.version == member.version; });
    if (mount == all_mounts.end()) continue;
    std::string rest = below(member.path, mount->group);
    for (;; rest.resize(rest.rfind('/'))) {
      folders.push_back({root + mount->point + rest, member.version});
      if (rest.empty()) break;
    }
  }
  return folders;
}

std::optional<double> cgroup_cpu_quota(const std::string& root) {
  std::optional<double> least;
  for (const CgroupFolder& folder : cgroup_folders(root, "cpu")) {
    const std::optional<double> quota = folder_quota(folder);
    if (quota && (!least || *quota < *least)) least = quota;
  }
  return least;
}

}  // namespace brisk
