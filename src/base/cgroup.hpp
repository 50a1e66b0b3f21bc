// The control groups that the process lives in (v1 and v2), as far as they limit it.
//
// Where they are found: /proc/self/cgroup has a line "id:controllers:path" per hierarchy ("0::path" is
// v2), and /proc/self/mountinfo says where each hierarchy, or a part of it, is mounted. A limit of any
// ancestor binds too, so callers look at every folder from the process's own group up to the mount.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brisk {

/// One folder of a control group, as seen by this process.
struct CgroupFolder {
  std::string path;
  int version;  ///< 1 or 2
};

/// The folders of the process's own group for `controller` ("cpu", "memory") and of all its ancestors, own
/// group first; v1 and v2 hierarchies both. `root` stands in front of every path that is read ("" is the
/// machine itself; tests give a made-up tree).
std::vector<CgroupFolder> cgroup_folders(const std::string& root, std::string_view controller);

/// The smallest CPU quota of those groups in CPUs, e.g. 1.5; nothing when none is set.
std::optional<double> cgroup_cpu_quota(const std::string& root = "");

}  // namespace brisk
