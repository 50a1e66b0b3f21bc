// brisk template: what a chat template makes of messages.
#include <cstring>

#include "base/json.hpp"
#include "base/mapped_file.hpp"
#include "base/paths.hpp"
#include "cli/input.hpp"
#include "cli/model_path.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"
#include "runtime/model.hpp"
#include "text/chat_template.hpp"

namespace brisk::cli {
namespace {

constexpr uint64_t kMaxTemplateBytes = 1U << 20;
constexpr uint64_t kMaxMessagesBytes = 16U << 20;

struct Template {
  std::string source;
  std::string where;
  std::string bos, eos;  ///< of the model; empty for a template file
};

std::string token_text_or_nothing(const text::Tokenizer& tokenizer, int32_t id) {
  return id < 0 ? "" : std::string(tokenizer.token_text(id));
}

Result<Template> template_of_model(const std::string& model) {
  BRISK_ASSIGN(const runtime::TextParts parts, open_text(model));
  if (parts.chat_template.empty()) {
    return bad_input({parts.where, "a model with a chat template", "one without",
                      "the path of a Jinja file in place of the model"});
  }
  return Template{parts.chat_template, parts.where + ", chat template",
                  token_text_or_nothing(*parts.tokenizer, parts.tokenizer->bos()),
                  token_text_or_nothing(*parts.tokenizer, parts.tokenizer->eos())};
}

/// Whether the file is a model: by its first bytes, whatever its name. What cannot be opened is left to
/// find_model, which looks names up and tells what is wrong.
bool is_model(const std::string& name) {
  const auto file = MappedFile::open(expand_home(name));
  if (!file.ok()) return true;
  const std::span<const std::byte> bytes = (*file)->bytes();
  return name.ends_with(".gguf") || (bytes.size() >= 4 && std::memcmp(bytes.data(), "GGUF", 4) == 0);
}

Result<Template> find_template(const std::string& name) {
  if (name != "-" && is_model(name)) return template_of_model(name);
  BRISK_ASSIGN(std::string source, read_text(expand_home(name), kMaxTemplateBytes));
  return Template{std::move(source), name, "", ""};
}

Result<Json> read_variables(const std::string& path) {
  BRISK_ASSIGN(const std::string text, read_text(path, kMaxMessagesBytes));
  BRISK_ASSIGN(Json variables, parse_json(text, path));
  if (variables.is_array()) variables = Json{{"messages", std::move(variables)}};
  const bool has_messages =
      variables.is_object() && variables.contains("messages") && variables["messages"].is_array();
  if (!has_messages) {
    return bad_input({path, "an object with an array of messages", "something else",
                      R"({"messages": [{"role": "user", "content": "Hello"}]})"});
  }
  return variables;
}

Status run(const Arguments& arguments) {
  BRISK_ASSIGN(const std::string model, required_model(arguments, "template"));
  if (!arguments.given("messages")) {
    return usage_error({"brisk template", "--messages FILE", "nothing", "--messages messages.json"});
  }
  BRISK_ASSIGN(const Template source, find_template(model));
  BRISK_ASSIGN(Json variables, read_variables(arguments.text("messages")));
  if (!variables.contains("bos_token")) variables["bos_token"] = source.bos;
  if (!variables.contains("eos_token")) variables["eos_token"] = source.eos;
  if (!variables.contains("add_generation_prompt")) {
    variables["add_generation_prompt"] = arguments.flag("add-generation-prompt");
  }
  BRISK_ASSIGN(const auto chat_template, text::ChatTemplate::parse(source.source, source.where));
  BRISK_ASSIGN(const std::string text, chat_template.render(variables));
  if (arguments.flag("json")) return print_json({{"text", text}});
  return print_answer(text);
}

}  // namespace

Verb verb_template() {
  return {
      .name = "template",
      .group = VerbGroup::kText,
      .summary = "show what a chat template makes of messages",
      .details =
          "FILE.json holds messages and whatever else the template reads: tools, add_generation_prompt, "
          "bos_token, eos_token and further variables. The model gives bos_token and eos_token when the file "
          "does not.",
      .positionals = {{.name = "MODEL",
                       .help = "a model file, folder or name (for its own template), or a Jinja file"}},
      .options = {kRequiredModelOption,
                  kHubOption,
                  kOfflineOption,
                  {.name = "messages",
                   .kind = Kind::kFile,
                   .placeholder = "FILE.json",
                   .help = "the messages and other variables; - is standard input"},
                  {.name = "add-generation-prompt",
                   .help = "begin the answer at the end, unless the file says otherwise"},
                  kJsonOption},
      .examples =
          {"brisk template built-in --messages messages.json",
           "echo '[{\"role\":\"user\",\"content\":\"Hi\"}]' | brisk template chat.jinja --messages -"},
      .run = run,
  };
}

}  // namespace brisk::cli
