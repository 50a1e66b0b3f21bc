// Options that choose a decoding method and a policy for keys and values: one table for run, chat, eval and
// score. What does not fit together is refused before a model is loaded.
#pragma once

#include <vector>

#include "base/status.hpp"
#include "cli/chat/settings.hpp"
#include "cli/options.hpp"
#include "runtime/contrast.hpp"
#include "runtime/decoder.hpp"

namespace brisk::cli {

/// --decode and --kv-policy with all that methods and policies read.
std::vector<Option> decoding_options();

/// --cd-mode, --cd-alpha, --cd-lambda alone, for verbs that contrast without a method.
std::vector<Option> contrast_options();
Result<runtime::ContrastSettings> contrast_settings(const Arguments& arguments);

/// Usage errors: an option that the chosen method or policy does not read, a value out of range.
Status check_decoding(const Arguments& arguments);
/// The chosen policies for a loaded model; their notices go to standard error. `request` is how the model was
/// loaded: an --amateur is loaded alike.
Result<runtime::Policies> make_policies(const Arguments& arguments, const LoadedModel& loaded,
                                        const LoadRequest& request);
/// Usage error when only the order of a method's scores means something.
Status refuse_greedy_only(const runtime::Policies& policies, const std::string& hint);

}  // namespace brisk::cli
