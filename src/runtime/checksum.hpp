// A checksum of data that comes in pieces: XXH3 with 128 bits. It finds accidents (a cut or damaged file, a
// model mistaken for another); it is no protection against somebody who wants to deceive.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.hpp"

struct XXH3_state_s;  // the library's

namespace brisk::runtime {

class Checksum {
 public:
  /// Fails when there is no memory left.
  static Result<Checksum> create();

  void add(std::span<const std::byte> bytes);
  /// The text and its length, so that neighbouring texts cannot run into each other.
  void add_text(std::string_view text);
  template <typename T>
  void add_number(T value) {
    add(std::as_bytes(std::span(&value, 1)));
  }
  /// Of all that was added: 32 hexadecimal digits, whatever the machine.
  std::string digits() const;

 private:
  struct Release {
    void operator()(XXH3_state_s* state) const;
  };
  explicit Checksum(XXH3_state_s* state) : state_(state) {}

  std::unique_ptr<XXH3_state_s, Release> state_;
};

}  // namespace brisk::runtime
