#include "cli/decoding_options.hpp"

#include <algorithm>
#include <array>

#include "cli/output.hpp"
#include "runtime/prunecd_profile.hpp"

namespace brisk::cli {
namespace {

/// Which member of runtime::DecodingOptions an option sets: methods say which members they read.
struct MethodOption {
  std::string_view option, member;
};
constexpr std::array kMethodOptions = {
    MethodOption{"prunecd", "profile"},
    MethodOption{"cd-mode", "mode"},
    MethodOption{"cd-alpha", "alpha"},
    MethodOption{"cd-lambda", "lambda"},
    MethodOption{"cd-approx-head", "approximate_head"},
    MethodOption{"amateur-prompt", "shared_prompt"},
    MethodOption{"dola-layers", "layers"},
    MethodOption{"amateur", "amateur"},
};
constexpr std::array<std::string_view, 3> kPolicyOptions = {"kv-budget", "kv-block", "kv-sinks"};

/// Names separated by spaces, kept for the life of the program: tables point at them.
template <typename Kinds>
std::string join_names(const Kinds& kinds) {
  std::string names;
  for (const auto& kind : kinds) names += (names.empty() ? "" : " ") + std::string(kind.name);
  return names;
}
const std::string& method_names() {
  static const std::string names = join_names(runtime::all_decodings());
  return names;
}
const std::string& policy_names() {
  static const std::string names = join_names(runtime::all_kv_policies());
  return names;
}

bool reads(const runtime::DecodingMethod& method, std::string_view member) {
  return std::ranges::count(words(method.reads), member) > 0;
}

std::string methods_that_read(std::string_view member) {
  std::string names;
  for (const runtime::DecodingMethod& method : runtime::all_decodings()) {
    if (reads(method, member)) names += (names.empty() ? "--decode " : " or ") + std::string(method.name);
  }
  return names;
}

Status check_method(const Arguments& arguments) {
  const std::string& name = arguments.text("decode");
  const auto methods = runtime::all_decodings();
  const auto method = std::ranges::find(methods, name, &runtime::DecodingMethod::name);
  for (const auto& [option, member] : kMethodOptions) {
    if (!arguments.given(option) || (method != methods.end() && reads(*method, member))) continue;
    const std::string wanted = methods_that_read(member);
    return usage_error({arguments.spelled(option), wanted.empty() ? "another method" : wanted,
                        "--decode " + name, "one of them"});
  }
  return {};
}

Status check_policy(const Arguments& arguments) {
  if (arguments.text("kv-policy") != "full") return {};
  for (const std::string_view option : kPolicyOptions) {
    if (!arguments.given(option)) continue;
    return usage_error({arguments.spelled(option), "a --kv-policy that evicts", "--kv-policy full",
                        "one of: " + policy_names()});
  }
  return {};
}

Result<runtime::DecodingOptions> read_method(const Arguments& arguments, const LoadedModel& loaded,
                                             const LoadRequest& request) {
  runtime::DecodingOptions options;
  options.method = arguments.text("decode");
  options.profile = arguments.text("prunecd");
  if (arguments.given("cd-mode")) options.mode = runtime::find_contrast_mode(arguments.text("cd-mode"));
  if (arguments.given("cd-alpha")) options.alpha = arguments.number("cd-alpha");
  if (arguments.given("cd-lambda")) options.lambda = arguments.number("cd-lambda");
  options.approximate_head = arguments.flag("cd-approx-head");
  options.shared_prompt = arguments.text("amateur-prompt") == "shared";
  options.layers = arguments.text("dola-layers");
  if (arguments.given("amateur")) {
    LoadRequest beside = request;
    beside.model = arguments.text("amateur");
    beside.context = loaded.model->context();
    BRISK_ASSIGN(options.amateur, load_beside(beside, *loaded.pool));
  }
  return options;
}

Result<std::shared_ptr<runtime::KvPolicy>> make_kv_policy(const Arguments& arguments,
                                                          const runtime::Model& model) {
  runtime::KvPolicyOptions options;
  options.policy = arguments.text("kv-policy");
  if (arguments.given("kv-budget")) options.budget = arguments.integer("kv-budget");
  if (arguments.given("kv-block")) options.block = arguments.integer("kv-block");
  if (arguments.given("kv-sinks")) options.sinks = arguments.integer("kv-sinks");
  BRISK_ASSIGN(std::shared_ptr<runtime::KvPolicy> policy, runtime::create_kv_policy(model, options));
  return policy;
}

}  // namespace

std::vector<Option> contrast_options() {
  return {
      {.name = "cd-mode",
       .kind = Kind::kChoice,
       .help =
           "contrasted scores: ratio is log p - log p of the amateur, extrapolate is log p + lambda times "
           "that (else the profile's, else ratio)",
       .choices = "ratio extrapolate"},
      {.name = "cd-alpha",
       .kind = Kind::kNumber,
       .placeholder = "A",
       .help =
           "only tokens with at least A times the probability of the likeliest may come, 0 < A <= 1 (else "
           "the profile's, else 0.1)",
       .least = 0,
       .most = 1},
      {.name = "cd-lambda",
       .kind = Kind::kNumber,
       .placeholder = "L",
       .help = "weight of the contrast under extrapolate (else the profile's, else 0.5)",
       .least = 0,
       .most = 1000},
  };
}

Result<runtime::ContrastSettings> contrast_settings(const Arguments& arguments) {
  runtime::ContrastSettings settings;
  if (arguments.given("cd-mode")) settings.mode = *runtime::find_contrast_mode(arguments.text("cd-mode"));
  if (arguments.given("cd-alpha")) settings.alpha = arguments.number("cd-alpha");
  if (arguments.given("cd-lambda")) settings.lambda = arguments.number("cd-lambda");
  BRISK_TRY(check_contrast(settings, "--cd-mode"));
  return settings;
}

namespace {

std::vector<Option> method_options() {
  std::vector<Option> options = {
      {.name = "decode",
       .kind = Kind::kChoice,
       .fallback = "plain",
       .help = "decoding method: how scores come from the model",
       .choices = method_names()},
      {.name = "prunecd",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "with --decode prunecd: the layers to contrast with, from 'brisk profile layers'"},
      {.name = "cd-approx-head", .help = "contrast raw logits: the same greedy answer, no probabilities"},
      {.name = "amateur-prompt",
       .kind = Kind::kChoice,
       .fallback = "own",
       .help = "with --decode prunecd: shared lets the amateur see the model's own keys and values of the "
               "prompt, an approximation that saves its prompt's work",
       .choices = "own shared"},
      {.name = "dola-layers",
       .kind = Kind::kText,
       .placeholder = "LAYERS",
       .help = "with --decode dola: low, high, or layer numbers separated by commas"},
      {.name = "amateur",
       .kind = Kind::kFile,
       .placeholder = "MODEL",
       .help = "with --decode contrastive: the second, weaker model (same vocabulary)"},
  };
  for (const Option& option : contrast_options()) options.push_back(option);
  return options;
}

std::vector<Option> policy_options() {
  return {
      {.name = "kv-policy",
       .kind = Kind::kChoice,
       .fallback = "full",
       .help = "which keys and values are kept",
       .choices = policy_names()},
      {.name = "kv-budget",
       .kind = Kind::kInteger,
       .placeholder = "N",
       .help = "entries that the policy keeps of each layer and head",
       .least = 1,
       .most = 1 << 30},
      {.name = "kv-block",
       .kind = Kind::kInteger,
       .placeholder = "N",
       .help = "tokens between two evictions (else the policy's own)",
       .least = 1,
       .most = 1 << 30},
      {.name = "kv-sinks",
       .kind = Kind::kInteger,
       .placeholder = "N",
       .help = "first tokens that are never evicted (else 4)",
       .least = 0,
       .most = 1 << 30},
  };
}

}  // namespace

std::vector<Option> decoding_options() {
  std::vector<Option> options = method_options();
  for (const Option& option : policy_options()) options.push_back(option);
  return options;
}

Status check_decoding(const Arguments& arguments) {
  BRISK_TRY(check_method(arguments));
  return check_policy(arguments);
}

Result<runtime::Policies> make_policies(const Arguments& arguments, const LoadedModel& loaded,
                                        const LoadRequest& request) {
  runtime::Policies policies;
  BRISK_ASSIGN(const runtime::DecodingOptions options, read_method(arguments, loaded, request));
  BRISK_ASSIGN(policies.decoding, runtime::create_decoding(*loaded.model, options));
  BRISK_ASSIGN(policies.kv, make_kv_policy(arguments, *loaded.model));
  if (policies.decoding != nullptr) {
    for (const std::string& notice : policies.decoding->notices()) print_error("note: " + notice + "\n");
  }
  return policies;
}

Status refuse_greedy_only(const runtime::Policies& policies, const std::string& hint) {
  if (policies.decoding == nullptr || !policies.decoding->greedy_only()) return {};
  return usage_error({"--cd-approx-head", "greedy decoding: its scores are no probabilities", "another use",
                      hint.empty() ? "leaving it out" : hint});
}

}  // namespace brisk::cli
