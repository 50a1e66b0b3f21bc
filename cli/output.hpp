// What goes to standard output and how it looks: writes that notice a closed pipe, styles that respect
// NO_COLOR and pipes, aligned tables, and numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"

namespace brisk::cli {

/// Writes all of `text` to standard output at once. When nobody reads any more (a closed pipe), the error is
/// kCancelled and output_closed() is true from then on: the program then ends quietly. An interrupt while the
/// reader takes nothing is kCancelled too.
Status print(std::string_view text);
bool output_closed();
/// The object and a line feed; indented on a terminal.
Status print_json(const Json& value);
/// To standard error; a failure to write there has nobody to tell.
void print_error(std::string_view text);

bool input_is_terminal();
bool output_is_terminal();
bool error_is_terminal();
int terminal_width();  ///< columns of standard output; 80 when unknown

/// Control sequences around a text, or the text alone when the stream is no terminal or NO_COLOR is set.
enum class Stream : uint8_t { kOutput, kError };
std::string bold(std::string_view text, Stream stream = Stream::kOutput);
std::string dim(std::string_view text, Stream stream = Stream::kOutput);
std::string red(std::string_view text, Stream stream = Stream::kOutput);

/// Rows of cells under headings, columns as wide as they need; text from files must be escaped before.
class Table {
 public:
  struct Column {
    std::string heading;
    bool right = false;  ///< numbers
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// As plain columns, or as a Markdown table.
  std::string text() const;
  std::string markdown() const;

 private:
  std::vector<size_t> widths() const;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "label   value" lines, labels aligned.
class Facts {
 public:
  void add(std::string label, std::string value) { lines_.emplace_back(std::move(label), std::move(value)); }
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

std::string human_bytes(uint64_t bytes);      ///< "93.5 MiB"
std::string grouped(uint64_t number);         ///< "134,515,008"
std::string human_count(uint64_t number);     ///< "134.5 M"
std::string fixed(double value, int digits);  ///< "12.30"; never in the user's locale
size_t display_width(std::string_view text);  ///< code points outside control sequences
/// A model's text made safe for a terminal: line feeds and tabs stay, other control characters are escaped.
std::string terminal_text(std::string_view text);
/// A piece of a model's text: made safe on a terminal, byte for byte into anything else.
Status print_answer(std::string_view text);

}  // namespace brisk::cli
