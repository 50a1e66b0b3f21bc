// Names of models as users type them, and what names from outside may look like. A name is an identifier: it
// becomes part of a path only after it has passed here.
//
//   hf:OWNER/REPO[:QUANT][@REVISION]      a repository of the hub; the owner may be missing (hf:gpt2)
//   hf:OWNER/REPO/PATH.gguf[@REVISION]    one file of it
//   https://huggingface.co/OWNER/REPO[/tree|blob|resolve/REVISION[/PATH]]
//   OWNER/REPO..., hf.co/OWNER/REPO...    the same, without the prefix
//   ollama:[NAMESPACE/]NAME[:TAG]         a model of Ollama's store
//   lmstudio:PUBLISHER/REPO[/FILE]        a model of LM Studio's store
#pragma once

#include <string>
#include <string_view>

#include "base/status.hpp"

namespace brisk::hub {

/// A repository of the hub, and what of it.
struct RepoName {
  std::string repo;               ///< "OWNER/REPO" or "REPO"
  std::string quant = {};         ///< as typed; empty: the preferred one
  std::string file = {};          ///< a path in the repository, instead of a quant
  std::string revision = "main";  ///< branch, tag or commit

  /// "hf:OWNER/REPO:QUANT@REVISION", as it may be typed.
  std::string text() const;
};

/// Reads a name of the forms above that mean the hub. `endpoint` is another host whose URLs are understood.
/// A name that is none of them is a usage error.
Result<RepoName> parse_repo(std::string_view name, std::string_view endpoint = {});
/// Whether `name` can mean nothing but the hub: it has a prefix or host of it.
bool has_hub_prefix(std::string_view name);

/// Whether `revision` is a whole commit (40 hexadecimal digits).
bool is_commit(std::string_view revision);

/// What is wrong with a relative name of a file that came from outside, by the rules of base/folder.hpp;
/// empty when nothing is.
std::string fault_of_file_name(std::string_view name);
/// Whether a single word may be a part of a path: letters, digits, '.', '_', '-', at most 96, not beginning
/// with '.' or '-'.
bool is_plain_word(std::string_view word);

/// "a", or "A" of the alphabet of ASCII only: for comparing labels.
std::string lower_case(std::string_view text);
std::string upper_case(std::string_view text);

}  // namespace brisk::hub
