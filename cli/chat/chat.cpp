#include "cli/chat/chat.hpp"

#include <array>

#include "base/paths.hpp"
#include "base/signals.hpp"
#include "base/utf8.hpp"
#include "cli/chat/conversation.hpp"
#include "cli/chat/line_editor.hpp"
#include "cli/chat/prompt.hpp"
#include "cli/chat/settings.hpp"
#include "cli/output.hpp"

namespace brisk::cli {
namespace {

constexpr const char* kPrompt = ">>> ";
constexpr const char* kMorePrompt = "... ";
/// Begins and ends a message of several lines.
constexpr std::string_view kQuotes = R"(""")";

class Chat {
 public:
  Chat(LoadedModel loaded, ChatPrompt prompt, std::unique_ptr<LineEditor> editor,
       runtime::GenerateOptions options, bool verbose)
      : loaded_(std::move(loaded)), prompt_(std::move(prompt)), editor_(std::move(editor)),
        options_(std::move(options)), verbose_(verbose) {}

  void set_system(const std::string& text) { conversation_.set_system(text); }

  Status talk() {
    while (!leaving_) {
      std::string message;
      const LineEditor::Got got = read_message(message);
      if (got == LineEditor::Got::kEnd) {
        if (input_is_terminal()) print_error("\n");
        return {};
      }
      if (got == LineEditor::Got::kInterrupt) {
        if (!input_is_terminal() || termination_requested()) return cancelled();
        forget_interrupt();
        print_error(dim("Ctrl-D or /bye leaves.", Stream::kError) + "\n");
        continue;
      }
      const Status status = message.starts_with('/') ? command(message) : turn(message);
      BRISK_TRY(after(status));
    }
    return {};
  }

 private:
  struct Command {
    std::string_view name, argument, help;
    Status (Chat::*run)(const std::string& argument);
  };
  static std::span<const Command> commands();

  /// An error of one turn is told and the chat goes on; one of the output or a termination ends it.
  static Status after(const Status& status) {
    if (output_closed()) return cancelled();
    if (termination_requested()) return cancelled();
    if (!status.ok()) print_error(red("error:", Stream::kError) + " " + status.message() + "\n");
    return {};
  }

  /// One line, or all between """ and """.
  LineEditor::Got read_message(std::string& message) {
    LineEditor::Got got = editor_->read(kPrompt, message);
    if (got != LineEditor::Got::kLine || !message.starts_with(kQuotes)) {
      if (got == LineEditor::Got::kLine) editor_->remember(message);
      return got;
    }
    message.erase(0, kQuotes.size());
    while (!message.ends_with(kQuotes)) {
      std::string line;
      got = editor_->read(kMorePrompt, line);
      if (got != LineEditor::Got::kLine) return got;
      message += "\n" + line;
    }
    message.erase(message.size() - kQuotes.size());
    if (message.starts_with('\n')) message.erase(0, 1);
    if (message.ends_with('\n')) message.pop_back();
    return got;
  }

  Status command(const std::string& line) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(1, space == std::string::npos ? space : space - 1);
    std::string argument = space == std::string::npos
                               ? ""
                               : line.substr(line.find_first_not_of(' ', space) == std::string::npos
                                                 ? line.size()
                                                 : line.find_first_not_of(' ', space));
    argument.erase(argument.find_last_not_of(' ') + 1);
    std::vector<std::string> known;
    for (const Command& each : commands()) {
      if (each.name == name) return (this->*each.run)(argument);
      known.push_back("/" + std::string(each.name));
    }
    const std::string near = nearest("/" + name, known);
    return usage_error({"chat", "a command", "'/" + name + "'", near.empty() ? "/help" : near});
  }

  Status turn(const std::string& message) {
    if (message.find_first_not_of(" \n\t") == std::string::npos) return {};
    BRISK_TRY(check_utf8(message, "message", StatusCode::kBadInput));
    const Conversation before = conversation_;
    conversation_.add("user", message);
    return answer(before);
  }

  /// Answers the last message, which is the user's. Without an answer the conversation is as it was `before`.
  Status answer(const Conversation& before) {
    Result<runtime::Generation> generation = generate();
    const bool stopped = interrupt_flag().load();
    if (stopped) forget_interrupt();
    if (!generation.ok() || (stopped && generation->text.empty())) {
      conversation_ = before;
      if (stopped) return print_stopped();
      return generation.status();
    }
    conversation_.add("assistant", generation->text);
    BRISK_TRY(print("\n"));
    if (stopped) return print_stopped();
    if (generation->finish_reason == runtime::FinishReason::kContextFull) {
      print_error(dim("The context of " + std::to_string(loaded_.model->context()) +
                          " tokens is full; /clear begins anew, --ctx-size gives more.",
                      Stream::kError) +
                  "\n");
    }
    if (verbose_) print_error(dim(timings_text(*generation), Stream::kError) + "\n");
    return {};
  }

  Result<runtime::Generation> generate() {
    BRISK_ASSIGN(const std::vector<int32_t> prompt, prompt_.encode(conversation_.messages()));
    const int64_t context = loaded_.model->context();
    if (std::ssize(prompt) > context) {
      return bad_input({"chat", "at most " + std::to_string(context) + " tokens (the context)",
                        std::to_string(prompt.size()) + " with this message", "/clear"});
    }
    Status written;
    auto generation = loaded_.session->generate(
        prompt, options_,
        [&written](std::string_view piece) {
          written = print_answer(piece);
          return written.ok();
        },
        &interrupt_flag());
    BRISK_TRY(written);
    return generation;
  }

  static Status print_stopped() {
    print_error(dim("(stopped)", Stream::kError) + "\n");
    return {};
  }

  Status help(const std::string&) {
    std::string text;
    for (const Command& each : commands()) {
      if (each.help.empty()) continue;
      std::string left =
          "/" + std::string(each.name) + (each.argument.empty() ? "" : " ") + std::string(each.argument);
      left.resize(std::max<size_t>(left.size() + 2, 22), ' ');
      text += "  " + left + std::string(each.help) + "\n";
    }
    return print(text +
                 "  \"\"\"                   begins and ends a message of several lines\n"
                 "  Ctrl-C                stops the answer; Ctrl-D leaves\n");
  }

  Status clear(const std::string&) {
    conversation_.clear();
    return note("A new conversation.");
  }

  Status regenerate(const std::string&) {
    const Conversation before = conversation_;
    if (!conversation_.drop_last("assistant") || conversation_.size() == 0) {
      conversation_ = before;
      return usage_error({"/regen", "an answer to give again", "none yet", "asking something first"});
    }
    // With the same seed the answer would be the same.
    ++options_.sampling.seed;
    return answer(before);
  }

  Status save(const std::string& argument) {
    std::string path = argument;
    const bool force = path.starts_with("--force ");
    if (force) path.erase(0, path.find_first_not_of(' ', 8));
    if (path.empty()) return usage_error({"/save", "the path of a file", "nothing", "/save chat.json"});
    path = expand_home(path);
    // What this chat wrote or read it may replace.
    BRISK_TRY(conversation_.save(path, loaded_.model->info().name, force || path == own_file_));
    own_file_ = path;
    return note("Saved " + std::to_string(conversation_.size()) + " messages to " +
                escape_for_terminal(path) + ".");
  }

  Status load(const std::string& argument) {
    if (argument.empty()) return usage_error({"/load", "the path of a file", "nothing", "/load chat.json"});
    const std::string path = expand_home(argument);
    BRISK_TRY(conversation_.load(path));
    own_file_ = path;
    return note("Loaded " + std::to_string(conversation_.size()) + " messages.");
  }

  Status system(const std::string& argument) {
    if (argument.empty()) {
      return note(conversation_.system().empty() ? "No system message."
                                                 : terminal_text(conversation_.system()));
    }
    BRISK_TRY(check_utf8(argument, "/system", StatusCode::kBadInput));
    conversation_.set_system(argument == "none" ? "" : argument);
    return note(argument == "none" ? "No system message." : "System message set.");
  }

  Status set(const std::string& argument) {
    if (argument.empty()) {
      Facts facts;
      for (const Setting& setting : settings())
        facts.add("  " + std::string(setting.option.name), setting.show(options_));
      return print(facts.text());
    }
    const size_t space = argument.find(' ');
    const std::string name = argument.substr(0, space);
    const std::string value =
        space == std::string::npos ? "" : argument.substr(argument.find_last_of(' ') + 1);
    BRISK_TRY(change_setting(name, value, options_));
    return note(name + " is " + value + " now.");
  }

  Status bye(const std::string&) {
    leaving_ = true;
    return {};
  }

  static Status note(const std::string& text) { return print(dim(text) + "\n"); }

  LoadedModel loaded_;
  ChatPrompt prompt_;
  std::unique_ptr<LineEditor> editor_;
  runtime::GenerateOptions options_;
  const bool verbose_;
  Conversation conversation_;
  std::string own_file_;
  bool leaving_ = false;
};

std::span<const Chat::Command> Chat::commands() {
  static constexpr std::array table = {
      Command{"help", "", "this list", &Chat::help},
      Command{"?", "", "", &Chat::help},
      Command{"clear", "", "forget the conversation", &Chat::clear},
      Command{"regen", "", "another answer to the last message", &Chat::regenerate},
      Command{"save", "FILE", "write the conversation as JSON (--force FILE replaces)", &Chat::save},
      Command{"load", "FILE", "go on with a conversation from a file", &Chat::load},
      Command{"system", "TEXT", "what the model is told first; 'none' takes it away", &Chat::system},
      Command{"set", "NAME VALUE", "change a setting; alone: show them", &Chat::set},
      Command{"bye", "", "leave (also /exit, /quit)", &Chat::bye},
      Command{"exit", "", "", &Chat::bye},
      Command{"quit", "", "", &Chat::bye},
  };
  return table;
}

void greet(const LoadedModel& loaded) {
  const runtime::ModelInfo& info = loaded.model->info();
  print_error(bold(escape_for_terminal(info.name), Stream::kError) +
              dim("  " + human_count(static_cast<uint64_t>(info.parameters)) + " parameters, context " +
                      grouped(static_cast<uint64_t>(loaded.model->context())) + "; /help lists the commands",
                  Stream::kError) +
              "\n");
}

/// A chat without a place for its history is still a chat.
std::string history_file() {
  const Result<std::string> folder = state_folder();
  if (!folder.ok() || !make_folders(*folder).ok()) return "";
  return *folder + "/history";
}

}  // namespace

Status chat(const Arguments& arguments) {
  BRISK_ASSIGN(runtime::GenerateOptions options, generate_options(arguments));
  BRISK_ASSIGN(LoadedModel loaded, load_session(arguments, options));
  BRISK_ASSIGN(ChatPrompt prompt, ChatPrompt::create(loaded.model, arguments.text("chat-template-file")));
  if (!prompt.available()) {
    return bad_input({loaded.model->info().name, "a model with a chat template", "one without",
                      "--chat-template-file FILE, or 'brisk run --no-chat -p TEXT'"});
  }
  BRISK_ASSIGN(auto editor, LineEditor::create(history_file()));
  if (input_is_terminal()) greet(loaded);
  Chat session(std::move(loaded), std::move(prompt), std::move(editor), std::move(options),
               arguments.flag("verbose"));
  session.set_system(arguments.text("system"));
  return session.talk();
}

}  // namespace brisk::cli
