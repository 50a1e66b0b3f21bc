// brisk reproduce: runs the recipe of a paper's system and writes a report of our figures beside the paper's.
//
// A recipe is a folder NN-name with a program run.py. This verb finds the recipe and a Python, then becomes
// that program: signals reach it and its exit code is ours. It is told by --brisk which binary to judge.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/utf8.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

constexpr const char* kProgram = "/run.py";

bool is_folder(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// This very program, links resolved.
Result<std::string> own_path() {
  std::array<char, 4096> path;
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  if (length > 0 && static_cast<size_t>(length) < path.size())
    return std::string(path.data(), static_cast<size_t>(length));
  return environment_error({"brisk reproduce", "to find its own program in /proc/self/exe", "no such link",
                            "a system with /proc mounted"});
}

/// The folder of all recipes: BRISK_RECIPES, else that of the source tree, else the installed one.
Result<std::string> recipes_folder(const std::string& own) {
  const std::string named = variable("BRISK_RECIPES");
  if (!named.empty() && is_folder(named)) return named;
  if (!named.empty()) {
    return environment_error({"BRISK_RECIPES", "a folder", "'" + named + "'", "a folder that holds NN-name"});
  }
  const std::string tree = BRISK_SOURCE_DIR "/recipes/systems";
  if (is_folder(tree)) return tree;
  const std::string installed = own.substr(0, own.rfind('/')) + "/../share/brisk/recipes";
  if (is_folder(installed)) return installed;
  return environment_error({"brisk reproduce", "recipes in " + tree + " or " + installed, "no such folder",
                            "BRISK_RECIPES=FOLDER"});
}

/// The names of the recipes in a folder, in order.
std::vector<std::string> recipes_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {
    const std::string program = folder + "/" + entry->d_name + kProgram;
    if (access(program.c_str(), R_OK) == 0) names.emplace_back(entry->d_name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

/// The recipe that a user calls "27", "027" or "27-prunecd".
Result<std::string> find_recipe(const std::string& folder, const std::string& wanted) {
  const std::string number = wanted.substr(std::min(wanted.find_first_not_of('0'), wanted.size()));
  std::string known;
  for (const std::string& name : recipes_in(folder)) {
    const std::string prefix = name.substr(std::min(name.find_first_not_of('0'), name.size()));
    if (name == wanted || (!number.empty() && prefix.starts_with(number + "-"))) return folder + "/" + name;
    known += (known.empty() ? "" : ", ") + name;
  }
  return usage_error(
      {"brisk reproduce", "the number of a system with a recipe", "'" + wanted + "'",
       known.empty() ? "BRISK_RECIPES=FOLDER: there is no recipe in " + folder : "one of: " + known});
}

/// BRISK_PYTHON, else the source tree's own environment, else python3 of the search path.
std::string find_python() {
  if (std::string named = variable("BRISK_PYTHON"); !named.empty()) return named;
  const std::string own = BRISK_SOURCE_DIR "/.venv/bin/python";
  return access(own.c_str(), X_OK) == 0 ? own : "python3";
}

/// The words after the program's path, as run.py reads them.
std::vector<std::string> words_of(const Arguments& arguments, const std::string& own) {
  std::vector<std::string> words = {"--brisk", own};
  for (const char* name : {"output-dir", "only", "overhead"}) {
    if (arguments.text(name).empty()) continue;
    words.push_back("--" + std::string(name));
    words.push_back(arguments.text(name));
  }
  if (arguments.given("seeds")) {
    words.emplace_back("--seeds");
    words.push_back(std::to_string(arguments.integer("seeds")));
  }
  for (const char* name : {"quick", "force", "json"}) {
    if (arguments.flag(name)) words.push_back("--" + std::string(name));
  }
  return words;
}

/// Only returns when the program cannot be started.
Status become(const std::string& program, std::vector<std::string> words) {
  std::vector<char*> line;
  for (std::string& word : words) line.push_back(word.data());
  line.push_back(nullptr);
  execvp(program.c_str(), line.data());
  return environment_error({"brisk reproduce", "to start Python as '" + program + "'", std::strerror(errno),
                            "installing Python 3.11 or later, or BRISK_PYTHON=PATH"});
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(const std::string own, own_path());
  BRISK_ASSIGN(const std::string folder, recipes_folder(own));
  BRISK_ASSIGN(const std::string recipe, find_recipe(folder, arguments.positional(0)));
  const std::string python = find_python();
  // -B: leave no compiled files beside the recipe.
  std::vector<std::string> words = {python, "-B", recipe + kProgram};
  for (std::string& word : words_of(arguments, own)) words.push_back(std::move(word));
  return become(python, std::move(words));
}

}  // namespace

Verb verb_reproduce() {
  return {
      .name = "reproduce",
      .group = VerbGroup::kJudge,
      .summary = "run the recipe of a paper's system and report our figures",
      .details =
          "Finished stages are kept in the cache folder; a second call goes on where the first one stopped. "
          "Ends with exit code 1 when a gate of the system's specification fails.",
      .positionals = {{.name = "SYSTEM",
                       .help = "the system's number, such as 27 (PruneCD)",
                       .required = true,
                       .file = false}},
      .options = {{.name = "output-dir",
                   .aliases = "-o",
                   .kind = Kind::kText,
                   .placeholder = "DIR",
                   .help = "folder of the report (reproduce-SYSTEM when left out)"},
                  {.name = "quick", .help = "run a tiny version: it proves only that the path works"},
                  {.name = "seeds",
                   .kind = Kind::kInteger,
                   .placeholder = "N",
                   .help = "use only the first N seeds",
                   .least = 1,
                   .most = 1000},
                  {.name = "only",
                   .kind = Kind::kText,
                   .placeholder = "STAGES",
                   .help = "run only these stages, separated by commas"},
                  {.name = "overhead",
                   .kind = Kind::kFile,
                   .placeholder = "FILE",
                   .help = "include a JSON file of measured speeds in the report"},
                  {.name = "force", .help = "replace a report that is there"},
                  kJsonOption},
      .examples = {"brisk reproduce 27", "brisk reproduce 27 --quick -o report"},
      .run = run,
  };
}

}  // namespace brisk::cli
