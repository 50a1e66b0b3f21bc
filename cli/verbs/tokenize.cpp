// brisk tokenize: a text's token ids.
#include "base/utf8.hpp"
#include "cli/input.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"
#include "runtime/model.hpp"

namespace brisk::cli {
namespace {

/// One id per line with its text beside it.
std::string listing(const text::Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  Table table({{"ID", true}, {"TOKEN"}});
  for (const int32_t id : ids) {
    const Result<std::string> bytes = tokenizer.token_bytes(id, true);
    table.add({std::to_string(id), bytes.ok() ? "'" + escape_for_terminal(*bytes) + "'" : "?"});
  }
  return table.text();
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(const std::string model, required_model(arguments, "tokenize"));
  BRISK_ASSIGN(const runtime::TextParts parts, open_text(model));
  const auto& tokenizer = parts.tokenizer;
  BRISK_ASSIGN(const std::string text, text_argument(arguments, "a text"));
  const bool special = !arguments.flag("no-special");
  BRISK_ASSIGN(const std::vector<int32_t> ids,
               tokenizer->encode(text, {.add_special = special, .parse_special = special}));
  if (arguments.flag("json")) {
    Json result = {{"ids", ids}};
    if (arguments.flag("pieces")) {
      Json tokens = Json::array();
      for (const int32_t id : ids) tokens.push_back(tokenizer->token_text(id));
      result["tokens"] = std::move(tokens);
    }
    return print_json(result);
  }
  if (arguments.flag("pieces")) return print(listing(*tokenizer, ids));
  std::string line;
  for (const int32_t id : ids) line += (line.empty() ? "" : " ") + std::to_string(id);
  return print(line + "\n");
}

}  // namespace

Verb verb_tokenize() {
  return {
      .name = "tokenize",
      .group = VerbGroup::kText,
      .summary = "turn a text into token ids",
      .positionals = {{.name = "MODEL",
                       .help = "a model file, folder or name from 'brisk list', or built-in"}},
      .options = {kRequiredModelOption,
                  kHubOption,
                  kOfflineOption,
                  {.name = "prompt",
                   .aliases = "-p --text",
                   .kind = Kind::kText,
                   .placeholder = "TEXT",
                   .help = "the text (else --file, else standard input)"},
                  {.name = "file",
                   .aliases = "-f",
                   .kind = Kind::kFile,
                   .placeholder = "FILE",
                   .help = "read the text from FILE; - is standard input"},
                  {.name = "no-special",
                   .help = "add no BOS or EOS, and take special tokens written in the text as plain text"},
                  {.name = "pieces", .help = "show the tokens beside their ids"},
                  kJsonOption},
      .examples = {"brisk tokenize built-in -p \"Hello world\" --pieces",
                   "brisk tokenize model.gguf --json -f text.txt"},
      .run = run,
  };
}

}  // namespace brisk::cli
