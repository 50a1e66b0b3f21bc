#include "base/status.hpp"

#include <cstdio>
#include <cstdlib>

#include "base/utf8.hpp"

namespace brisk {

namespace {
constexpr size_t kMaxMessageBytes = 2048;
}

void assertion_failed(const char* file, int line, const char* condition, const char* belief) {
  std::fprintf(stderr, "brisk: internal error at %s:%d: believed that %s (%s)\n", file, line, belief,
               condition);
  std::abort();
}

std::string Status::message() const {
  if (ok()) return "ok";
  const ErrorParts& p = detail_->parts;
  std::string text = p.where;
  if (!p.expected.empty()) text += ": expected " + p.expected;
  if (!p.got.empty()) text += ", got " + p.got;
  if (!p.hint.empty()) text += "; try " + p.hint;
  std::string escaped = escape_for_terminal(text);
  if (escaped.size() > kMaxMessageBytes) {
    escaped.resize(utf8_floor(escaped, kMaxMessageBytes - 3));
    escaped += "...";
  }
  return escaped;
}

int Status::exit_code() const {
  switch (code()) {
    case StatusCode::kOk: return 0;
    case StatusCode::kUsage: return 2;
    case StatusCode::kBadInput: return 3;
    case StatusCode::kEnvironment: return 4;
    case StatusCode::kCancelled: return 130;
    case StatusCode::kInternal: return 1;
  }
  return 1;
}

}  // namespace brisk
