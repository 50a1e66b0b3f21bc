// Errors of everything that touches outside data: Status, Result<T> and the macros that pass them on.
//
// Brisk throws nothing. A function that can fail for a reason outside the program returns Status or
// Result<T>; a programmer's mistake is an assertion (base/check.hpp). A message has four parts: where,
// what was expected, what came, what to try.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.hpp"

namespace brisk {

enum class StatusCode : uint8_t {
  kOk,
  kUsage,        ///< a wrong option or call: exit code 2
  kBadInput,     ///< wrong content of a file, template, request: exit code 3
  kEnvironment,  ///< missing or unreadable path, disk full, out of memory: exit code 4
  kCancelled,    ///< stopped on request: exit code 130
  kInternal,     ///< an invariant broke at run time: exit code 1
};

/// The four parts of a message. `hint` says what to try and may be empty.
struct ErrorParts {
  std::string where;
  std::string expected;
  std::string got;
  std::string hint = {};
};

class [[nodiscard]] Status {
 public:
  Status() = default;  ///< ok
  Status(StatusCode code, ErrorParts parts)
      : detail_(std::make_shared<Detail>(Detail{code, std::move(parts)})) {}

  bool ok() const { return detail_ == nullptr; }
  StatusCode code() const { return detail_ ? detail_->code : StatusCode::kOk; }
  /// The parts; only for a status that is not ok.
  const ErrorParts& parts() const {
    BRISK_ASSERT(detail_ != nullptr, "parts() of an ok status");
    return detail_->parts;
  }
  /// "WHERE: expected X, got Y; try Z", control bytes and invalid UTF-8 escaped, at most 2 KiB.
  std::string message() const;
  /// The exit code of the command line (design section 14).
  int exit_code() const;

 private:
  struct Detail {
    StatusCode code;
    ErrorParts parts;
  };
  std::shared_ptr<const Detail> detail_;
};

inline Status usage_error(ErrorParts parts) { return {StatusCode::kUsage, std::move(parts)}; }
inline Status bad_input(ErrorParts parts) { return {StatusCode::kBadInput, std::move(parts)}; }
inline Status environment_error(ErrorParts parts) { return {StatusCode::kEnvironment, std::move(parts)}; }
inline Status cancelled() { return {StatusCode::kCancelled, {"run", "to finish", "an interrupt", ""}}; }
inline Status internal_error(ErrorParts parts) { return {StatusCode::kInternal, std::move(parts)}; }

/// A value or the status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {  // NOLINT: implicit on purpose
    BRISK_ASSERT(!status_.ok(), "a Result without a value needs an error");
  }
  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() & {
    BRISK_ASSERT(ok(), "value() of a failed Result");
    return *value_;
  }
  const T& value() const& {
    BRISK_ASSERT(ok(), "value() of a failed Result");
    return *value_;
  }
  T&& value() && {
    BRISK_ASSERT(ok(), "value() of a failed Result");
    return std::move(*value_);
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

 private:
  std::optional<T> value_;
  Status status_;
};

namespace detail {
inline Status to_status(Status status) { return status; }
template <typename T>
Status to_status(const Result<T>& result) {
  return result.status();
}
}  // namespace detail

}  // namespace brisk

#define BRISK_CONCAT_INNER(a, b) a##b
#define BRISK_CONCAT(a, b) BRISK_CONCAT_INNER(a, b)

/// Returns from the calling function with the error of `expr` (a Status or Result), if it has one.
#define BRISK_TRY(expr)                                         \
  do {                                                          \
    if (auto brisk_try_ = (expr); !brisk_try_.ok())             \
      return ::brisk::detail::to_status(std::move(brisk_try_)); \
  } while (false)

/// `BRISK_ASSIGN(auto x, f());`: x is the value of a Result, or its error is returned.
#define BRISK_ASSIGN(lhs, expr) BRISK_ASSIGN_INNER(BRISK_CONCAT(brisk_result_, __LINE__), lhs, expr)
#define BRISK_ASSIGN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                       \
  if (!tmp.ok()) return tmp.status();      \
  lhs = std::move(tmp).value()
