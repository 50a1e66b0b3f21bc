// brisk run: one answer to a prompt; without a prompt on a terminal, a chat.
#include <filesystem>
#include <system_error>

#include "base/file.hpp"
#include "base/signals.hpp"
#include "cli/chat/chat.hpp"
#include "cli/chat/prompt.hpp"
#include "cli/chat/settings.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {
namespace {

/// The prompt without the line end that files and `echo` put behind it.
Result<std::string> prompt_argument(const Arguments& arguments) {
  BRISK_ASSIGN(std::string prompt, text_argument(arguments, "a prompt"));
  if (!arguments.given("prompt") && prompt.ends_with('\n')) prompt.pop_back();
  if (prompt.empty()) return usage_error({"brisk run", "a prompt", "an empty one", "-p \"Hello\""});
  return prompt;
}

Result<std::vector<int32_t>> prompt_tokens(const Arguments& arguments, const LoadedModel& loaded,
                                           const std::string& text) {
  BRISK_ASSIGN(const ChatPrompt chat_prompt,
               ChatPrompt::create(loaded.model, arguments.text("chat-template-file")));
  if (!arguments.flag("no-chat") && chat_prompt.available()) {
    Json messages = Json::array();
    if (arguments.given("system"))
      messages.push_back({{"role", "system"}, {"content", arguments.text("system")}});
    messages.push_back({{"role", "user"}, {"content", text}});
    return chat_prompt.encode(messages);
  }
  if (arguments.given("system")) {
    return usage_error({arguments.spelled("system"), "a chat",
                        arguments.flag("no-chat") ? "--no-chat" : "a model without a chat template",
                        "putting the text into the prompt"});
  }
  if (!arguments.flag("no-chat")) {
    print_error("note: this model has no chat template; the prompt is continued as it stands (--no-chat)\n");
  }
  return loaded.model->tokenizer().encode(text);
}

Json answer_json(const LoadedModel& loaded, const runtime::Generation& generation, uint64_t seed) {
  return {{"model", loaded.model->info().name},
          {"text", generation.text},
          {"tokens", generation.tokens},
          {"prompt_tokens", generation.prompt_tokens},
          {"finish_reason", finish_reason_name(generation.finish_reason)},
          {"seed", seed},
          {"timings", timings_json(generation.timings)}};
}

void tell(const LoadedModel& loaded, const runtime::Generation& generation, uint64_t seed) {
  print_error(dim("load " + fixed(loaded.load_ms, 0) + " ms; kernels " +
                      std::string(isa_name(loaded.model->options().isa)) + "; " +
                      std::to_string(loaded.pool->lanes()) + " threads; seed " + std::to_string(seed) + "\n" +
                      timings_text(generation),
                  Stream::kError) +
              "\n");
}

/// What can be told before a model is loaded: a cache that could not be used or written.
Status check_prompt_cache(const Arguments& arguments) {
  const std::string& path = arguments.text("prompt-cache");
  if (path.empty()) {
    if (!arguments.given("prompt-cache") && !arguments.flag("prompt-cache-ro")) return {};
    return usage_error({"--prompt-cache", "the path of a file", "none"});
  }
  const std::string& method = arguments.text("decode");
  if (method == "prunecd" || method == "contrastive") {
    return usage_error({"--prompt-cache", "a method that needs only the model's own keys and values",
                        "--decode " + method, "leaving one of them out"});
  }
  if (arguments.text("kv-policy") != "full") {
    return usage_error({"--prompt-cache", "keys and values that are all kept",
                        "--kv-policy " + arguments.text("kv-policy"), "leaving one of them out"});
  }
  if (arguments.flag("prompt-cache-ro")) return {};
  return AtomicFile::create(path, true).status();  // its temporary goes with it
}

/// Takes up what an earlier call stored, when the file is there.
Status restore_prompt_cache(const Arguments& arguments, const LoadedModel& loaded) {
  const std::string& path = arguments.text("prompt-cache");
  std::error_code unused;
  if (path.empty() || !std::filesystem::exists(path, unused)) return {};
  return loaded.session->restore(path);
}

Status save_prompt_cache(const Arguments& arguments, const LoadedModel& loaded) {
  const std::string& path = arguments.text("prompt-cache");
  return path.empty() || arguments.flag("prompt-cache-ro") ? Status() : loaded.session->save(path);
}

Status answer_once(const Arguments& arguments) {
  BRISK_ASSIGN(const runtime::GenerateOptions options, generate_options(arguments));
  BRISK_TRY(check_prompt_cache(arguments));
  BRISK_ASSIGN(const std::string text, prompt_argument(arguments));
  BRISK_ASSIGN(const LoadedModel loaded, load_session(arguments, options));
  BRISK_ASSIGN(const std::vector<int32_t> prompt, prompt_tokens(arguments, loaded, text));
  BRISK_TRY(restore_prompt_cache(arguments, loaded));
  const bool json = arguments.flag("json");
  Status written;
  const auto stream = [&](std::string_view piece) {
    if (!json) written = print_answer(piece);
    return written.ok();
  };
  BRISK_ASSIGN(const runtime::Generation generation,
               loaded.session->generate(prompt, options, stream, &interrupt_flag()));
  BRISK_TRY(written);
  if (json) BRISK_TRY(print_json(answer_json(loaded, generation, options.sampling.seed)));
  if (!json && !generation.text.ends_with('\n')) BRISK_TRY(print("\n"));
  BRISK_TRY(save_prompt_cache(arguments, loaded));
  if (json) return {};
  if (generation.finish_reason == runtime::FinishReason::kContextFull) {
    print_error("note: the answer ends because the context of " + std::to_string(loaded.model->context()) +
                " tokens is full; --ctx-size gives more\n");
  }
  if (arguments.flag("verbose")) tell(loaded, generation, options.sampling.seed);
  return {};
}

Status run(const Arguments& arguments) {
  const bool has_prompt = arguments.given("prompt") || arguments.given("file");
  const bool cached = !arguments.text("prompt-cache").empty();
  const bool single =
      has_prompt || cached || !input_is_terminal() || arguments.flag("no-chat") || arguments.flag("json");
  return single ? answer_once(arguments) : chat(arguments);
}

std::vector<Option> run_options() {
  std::vector<Option> options = {
      {.name = "prompt",
       .aliases = "-p",
       .kind = Kind::kText,
       .placeholder = "TEXT",
       .help = "the prompt (else --file, else standard input; on a terminal without any: a chat)"},
      {.name = "file",
       .aliases = "-f",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "read the prompt from FILE; - is standard input"},
      {.name = "no-chat",
       .aliases = "-no-cnv",
       .help = "continue the prompt as it stands, without a chat template"},
      {.name = "prompt-cache",
       .kind = Kind::kFile,
       .placeholder = "FILE",
       .help = "keep the keys and values of prompt and answer in FILE; the next prompt that begins alike is "
               "not computed again"},
      {.name = "prompt-cache-ro", .help = "read the prompt cache, leave it as it is"},
  };
  for (const Option& option : generation_options()) options.push_back(option);
  options.push_back(kJsonOption);
  return options;
}

}  // namespace

Verb verb_run() {
  return {
      .name = "run",
      .group = VerbGroup::kUse,
      .summary = "answer a prompt; without one, chat",
      .details =
          "The answer streams to standard output. --json prints one object at the end: text, tokens, "
          "prompt_tokens, finish_reason, seed, model and timings.",
      .positionals = {{.name = "MODEL",
                       .help = "a model file, a name from 'brisk list', or built-in (the default)"}},
      .options = run_options(),
      .examples = {"brisk run -p \"Why is the sky blue?\"",
                   "brisk run model.gguf -f prompt.txt -n 100 --temp 0",
                   "git diff | brisk run -sys \"Write a commit message for this change.\""},
      .run = run,
  };
}

}  // namespace brisk::cli
