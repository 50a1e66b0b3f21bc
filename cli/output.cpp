#include "cli/output.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <system_error>

#include "base/signals.hpp"
#include "base/utf8.hpp"

namespace brisk::cli {
namespace {

bool g_output_closed = false;

/// 0, or the error number; ECANCELED when nobody takes the text and the user wants an end. An interrupt alone
/// stops nothing: what an interrupted verb still has to say is written as long as somebody reads.
int write_all(int descriptor, std::string_view text) {
  constexpr int kWaitMs = 100;
  while (!text.empty()) {
    pollfd output{descriptor, POLLOUT, 0};
    const int ready = poll(&output, 1, kWaitMs);
    if (ready == 0 && interrupt_flag().load()) return ECANCELED;
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    // A pipe that poll() calls ready takes this much without blocking; a terminal may still block.
    const ssize_t written = write(descriptor, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno == EINTR && interrupt_flag().load()) return ECANCELED;
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

bool styled(Stream stream) {
  static const bool wanted = [] {
    const char* no_color = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return (no_color == nullptr || no_color[0] == '\0') && terminal != nullptr &&
           std::string_view(terminal) != "dumb";
  }();
  return wanted && (stream == Stream::kOutput ? output_is_terminal() : error_is_terminal());
}

std::string style(std::string_view code, std::string_view text, Stream stream) {
  if (!styled(stream) || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, display_width(text)), ' ');
  return right ? space + text : text + space;
}

std::string without_trailing_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

Status print(std::string_view text) {
  if (g_output_closed) return cancelled();
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0) return {};
  if (error == EPIPE) g_output_closed = true;
  if (error == EPIPE || error == ECANCELED) return cancelled();
  return environment_error({"standard output", "to write " + std::to_string(text.size()) + " bytes",
                            std::generic_category().message(error), "another place for the output"});
}

bool output_closed() { return g_output_closed; }

Status print_json(const Json& value) {
  return print(to_json_text(value, output_is_terminal() ? 2 : -1) + "\n");
}

void print_error(std::string_view text) { static_cast<void>(write_all(STDERR_FILENO, text)); }

bool input_is_terminal() { return isatty(STDIN_FILENO) == 1; }
bool output_is_terminal() { return isatty(STDOUT_FILENO) == 1; }
bool error_is_terminal() { return isatty(STDERR_FILENO) == 1; }

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string bold(std::string_view text, Stream stream) { return style("1", text, stream); }
std::string dim(std::string_view text, Stream stream) { return style("2", text, stream); }
std::string red(std::string_view text, Stream stream) { return style("31", text, stream); }

size_t display_width(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\x1b') {
      while (at < text.size() && text[at] != 'm') ++at;
      ++at;
      continue;
    }
    at += utf8_decode(text, at).length;
    ++width;
  }
  return width;
}

std::string terminal_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\n\t"), text.size());
    out += escape_for_terminal(text.substr(0, end));
    if (end < text.size()) out += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

Status print_answer(std::string_view text) {
  return output_is_terminal() ? print(terminal_text(text)) : print(text);
}

std::vector<size_t> Table::widths() const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.heading));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  return widths;
}

std::string Table::text() const {
  const std::vector<size_t> width = widths();
  std::string out, line;
  for (size_t i = 0; i < columns_.size(); ++i) {
    line += (i > 0 ? "  " : "") + padded(columns_[i].heading, width[i], columns_[i].right);
  }
  out += dim(without_trailing_spaces(line)) + "\n";
  for (const auto& row : rows_) {
    line.clear();
    for (size_t i = 0; i < row.size(); ++i)
      line += (i > 0 ? "  " : "") + padded(row[i], width[i], columns_[i].right);
    out += without_trailing_spaces(line) + "\n";
  }
  return out;
}

std::string Table::markdown() const {
  const std::vector<size_t> width = widths();
  std::string out = "|", rule = "|";
  for (size_t i = 0; i < columns_.size(); ++i) {
    out += " " + padded(columns_[i].heading, width[i], columns_[i].right) + " |";
    rule += " " + std::string(width[i] - 1, '-') + (columns_[i].right ? ":" : "-") + " |";
  }
  out += "\n" + rule + "\n";
  for (const auto& row : rows_) {
    out += "|";
    for (size_t i = 0; i < row.size(); ++i) out += " " + padded(row[i], width[i], columns_[i].right) + " |";
    out += "\n";
  }
  return out;
}

std::string Facts::text() const {
  size_t width = 0;
  for (const auto& [label, value] : lines_) width = std::max(width, display_width(label));
  std::string out;
  for (const auto& [label, value] : lines_) out += dim(padded(label, width, false)) + "  " + value + "\n";
  return out;
}

std::string fixed(double value, int digits) {
  std::array<char, 400> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, digits);
  return {buffer.data(), end.ptr};
}

std::string human_bytes(uint64_t bytes) {
  constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  double value = static_cast<double>(bytes);
  // 1023.95 would be written as 1024.0.
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fixed(value, unit == 0 ? 0 : 1) + " " + units[unit];
}

std::string grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string human_count(uint64_t number) {
  constexpr std::array units = {"", " K", " M", " G", " T"};
  size_t unit = 0;
  double value = static_cast<double>(number);
  while (value >= 999.95 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return fixed(value, unit == 0 ? 0 : 1) + units[unit];
}

}  // namespace brisk::cli
