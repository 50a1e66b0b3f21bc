// brisk detokenize: token ids back to text.
#include <charconv>
#include <limits>

#include "cli/input.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"
#include "runtime/model.hpp"

namespace brisk::cli {
namespace {

bool separates(char c) {
  return c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '[' || c == ']';
}

/// Numbers with commas, spaces or line ends between; the brackets of a JSON array are let pass.
Result<std::vector<int32_t>> parse_ids(std::string_view text, const std::string& where) {
  std::vector<int32_t> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    while (at < end && separates(*at)) ++at;
    if (at == end) return ids;
    int32_t id = 0;
    const auto [after, error] = std::from_chars(at, end, id);
    const bool whole = error == std::errc() && (after == end || separates(*after));
    if (!whole) {
      const std::string_view got = text.substr(static_cast<size_t>(at - text.data()), 20);
      return bad_input({where + ", number " + std::to_string(ids.size() + 1), "a token id",
                        "'" + std::string(got) + "'", "whole numbers separated by commas"});
    }
    ids.push_back(id);
    at = after;
  }
}

Result<std::vector<int32_t>> ids_argument(const Arguments& arguments) {
  if (arguments.given("ids") == arguments.given("ids-file")) {
    return usage_error({"brisk detokenize", "one of --ids and --ids-file",
                        arguments.given("ids") ? "both" : "neither", "--ids 1,2,3"});
  }
  if (arguments.given("ids")) {
    return parse_ids(arguments.text("ids"), arguments.spelled("ids"));
  }
  BRISK_ASSIGN(const std::string text, read_text(arguments.text("ids-file")));
  return parse_ids(text, arguments.text("ids-file"));
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(const std::vector<int32_t> ids, ids_argument(arguments));
  BRISK_ASSIGN(const std::string model, required_model(arguments, "detokenize"));
  BRISK_ASSIGN(const runtime::TextParts parts, open_text(model));
  const auto& tokenizer = parts.tokenizer;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= 0 && ids[i] < tokenizer->size()) continue;
    return bad_input({"token " + std::to_string(i + 1) + " of " + std::to_string(ids.size()),
                      "an id from 0 to " + std::to_string(tokenizer->size() - 1), std::to_string(ids[i]),
                      "ids of the same model"});
  }
  BRISK_ASSIGN(const std::string text, tokenizer->decode(ids, !arguments.flag("no-special")));
  if (arguments.flag("json")) return print_json({{"text", text}});
  return print_answer(text + (output_is_terminal() ? "\n" : ""));
}

}  // namespace

Verb verb_detokenize() {
  return {
      .name = "detokenize",
      .group = VerbGroup::kText,
      .summary = "turn token ids into text",
      .positionals = {{.name = "MODEL",
                       .help = "a model file, folder or name from 'brisk list', or built-in"}},
      .options =
          {kRequiredModelOption,
           kHubOption,
           kOfflineOption,
           {.name = "ids", .kind = Kind::kText, .placeholder = "LIST", .help = "ids separated by commas"},
           {.name = "ids-file",
            .kind = Kind::kFile,
            .placeholder = "FILE",
            .help = "read the ids from FILE (commas, spaces or lines between; - is standard input)"},
           {.name = "no-special", .help = "leave out special tokens"},
           kJsonOption},
      .examples = {"brisk detokenize built-in --ids 19556,905"},
      .run = run,
  };
}

}  // namespace brisk::cli
