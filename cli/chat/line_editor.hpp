// Lines from the user: with editing and history on a terminal, as they come otherwise.
#pragma once

#include <memory>
#include <string>

#include "base/status.hpp"

namespace brisk::cli {

class LineEditor {
 public:
  enum class Got : uint8_t { kLine, kInterrupt, kEnd };

  /// `history_file` is read now and written at the end; empty: no history is kept.
  static Result<std::unique_ptr<LineEditor>> create(const std::string& history_file);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// Shows `prompt` (on a terminal) and reads a line into `line`, without its end. kInterrupt: Ctrl-C was
  /// pressed; kEnd: Ctrl-D or the end of the input.
  Got read(const std::string& prompt, std::string& line);
  void remember(const std::string& line);

 private:
  LineEditor() = default;
  struct Terminal;
  Got read_from_terminal(const std::string& prompt, std::string& line);
  Got read_from_pipe(std::string& line);

  std::unique_ptr<Terminal> terminal_;  // null when standard input is none
  std::string history_file_;
  std::string pending_;  // of a pipe: read but not given out
};

}  // namespace brisk::cli
