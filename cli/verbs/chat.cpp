// brisk chat: a conversation at the terminal; from a pipe, each line is a turn.
#include "cli/chat/chat.hpp"

#include "cli/chat/settings.hpp"
#include "cli/verb.hpp"

namespace brisk::cli {

Verb verb_chat() {
  return {
      .name = "chat",
      .group = VerbGroup::kUse,
      .summary = "talk with a model at the terminal",
      .details =
          "/help in the chat lists its commands. When standard input is no terminal, each line is a turn.",
      .positionals = {{.name = "MODEL",
                       .help = "a model file, a name from 'brisk list', or built-in (the default)"}},
      .options = generation_options(),
      .examples = {"brisk chat", "brisk chat model.gguf -sys \"Answer in one sentence.\""},
      .run = chat,
  };
}

}  // namespace brisk::cli
