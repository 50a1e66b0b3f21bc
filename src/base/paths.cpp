#include "base/paths.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace brisk {
namespace {

/// The variable's value when it is an absolute path, else nothing.
std::string absolute_path_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && value[0] == '/' ? value : "";
}

Result<std::string> user_folder(const char* variable, const char* below_home) {
  if (std::string base = absolute_path_variable(variable); !base.empty()) return base + "/brisk";
  BRISK_ASSIGN(const std::string home, home_folder());
  return home + below_home + "/brisk";
}

}  // namespace

Result<std::string> home_folder() {
  if (std::string home = absolute_path_variable("HOME"); !home.empty()) return home;
  const passwd* user = getpwuid(getuid());
  if (user != nullptr && user->pw_dir != nullptr && user->pw_dir[0] == '/') return std::string(user->pw_dir);
  return environment_error({"HOME", "the path of your home folder", "no such variable", "setting HOME"});
}

Result<std::string> cache_folder() { return user_folder("XDG_CACHE_HOME", "/.cache"); }

Result<std::string> state_folder() { return user_folder("XDG_STATE_HOME", "/.local/state"); }

Result<std::string> models_folder() {
  BRISK_ASSIGN(const std::string cache, cache_folder());
  return cache + "/models";
}

Status make_folders(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return environment_error({part, "to make this folder", std::generic_category().message(errno),
                                "checking the path and its permissions"});
    }
    if (end == std::string::npos) break;
  }
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return environment_error({path, "a folder", "something else of that name", "moving it away"});
  }
  return {};
}

std::string_view base_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string expand_home(const std::string& path) {
  if (path != "~" && !path.starts_with("~/")) return path;
  const Result<std::string> home = home_folder();
  return home.ok() ? *home + path.substr(1) : path;
}

}  // namespace brisk
