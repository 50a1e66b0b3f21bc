// The pieces of fetching that need no server: addresses, hashes, retries. What needs one is in tests/e2e/.
#include "hub/http.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>

#include "hub/hash.hpp"

namespace brisk::hub {
namespace {

TEST(HttpTest, OriginsOfAddresses) {
  EXPECT_EQ(origin_of("https://Host.example:8443/a/b?c"), "https://host.example:8443");
  EXPECT_EQ(origin_of("https://host?x"), "https://host");
  EXPECT_NE(origin_of("https://hub@evil/x"), origin_of("https://hub/x"));
  EXPECT_NE(origin_of("http://hub/x"), origin_of("https://hub/x"));
  EXPECT_NE(origin_of("https://hub.evil/x"), origin_of("https://hub/x"));
  EXPECT_EQ(origin_of("nothing"), "nothing");
}

TEST(HttpTest, EscapesPaths) {
  EXPECT_EQ(escape_path("a/b-c_d.e~f"), "a/b-c_d.e~f");
  EXPECT_EQ(escape_path("a b?#%\xC3\xA9"), "a%20b%3F%23%25%C3%A9");
}

std::string hash_of(const std::string& like, const std::string& text) {
  FileHash hash(like, text.size());
  // In two pieces.
  const auto bytes = std::as_bytes(std::span(text));
  hash.add(bytes.first(bytes.size() / 2));
  hash.add(bytes.subspan(bytes.size() / 2));
  return hash.finish();
}

TEST(HttpTest, HashesAsTheHubNamesFiles) {
  // From sha256sum and git hash-object.
  EXPECT_EQ(hash_of(std::string(64, '0'), "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_of(std::string(40, '0'), "test content\n"), "d670460b4b4aece5915caf5c68d12f560a9fe3e4");
  EXPECT_EQ(hash_of(std::string(40, '0'), ""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_FALSE(is_hash(std::string(40, 'A')));
  EXPECT_FALSE(is_hash(std::string(41, 'a')));
  EXPECT_FALSE(is_hash("../../../../../../../../../etc/passwd0000"));
}

Try failure() { return {environment_error({"x", "y", "z"}), true}; }

TEST(RetryTest, RepeatsWhatMayHelp) {
  const RetryRule rule{.tries = 4, .pause_ms = 1};
  int calls = 0;
  EXPECT_TRUE(with_retries(rule, [&] { return ++calls < 3 ? failure() : Try{}; }).ok());
  EXPECT_EQ(calls, 3);
  calls = 0;
  EXPECT_FALSE(with_retries(rule, [&] { return ++calls, failure(); }).ok());
  EXPECT_EQ(calls, 4);
  calls = 0;
  const auto final = [&]() -> Try { return ++calls, Try{failure().status, false}; };
  EXPECT_FALSE(with_retries(rule, final).ok());
  EXPECT_EQ(calls, 1);
}

TEST(RetryTest, ProgressStartsTheCountingAnew) {
  int calls = 0;
  const auto attempt = [&]() -> Try {
    ++calls;
    return {failure().status, true, -1, calls <= 10};
  };
  EXPECT_FALSE(with_retries({.tries = 3, .pause_ms = 1}, attempt).ok());
  EXPECT_EQ(calls, 12);
}

TEST(RetryTest, ProgressWithoutEndEnds) {
  int calls = 0;
  const auto attempt = [&]() -> Try { return ++calls, Try{failure().status, true, -1, true}; };
  EXPECT_FALSE(with_retries({.pause_ms = 0}, attempt).ok());
  EXPECT_EQ(calls, 30);
}

TEST(RetryTest, HonoursTheServersWishWithinReason) {
  using Clock = std::chrono::steady_clock;
  int calls = 0;
  const auto start = Clock::now();
  EXPECT_TRUE(with_retries({.pause_ms = 1}, [&]() -> Try {
                return ++calls < 2 ? Try{failure().status, true, 1} : Try{};
              }).ok());
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(950));
  calls = 0;
  const auto endless = [&]() -> Try {
    return ++calls, Try{failure().status, true, std::numeric_limits<int64_t>::max()};
  };
  EXPECT_FALSE(with_retries({.pause_ms = 1}, endless).ok());
  EXPECT_EQ(calls, 1);
}

TEST(RetryTest, StopsWhileItWaits) {
  std::atomic<int> asked{0};
  const RetryRule rule{.pause_ms = 60'000, .stopped = [&] { return ++asked > 2; }};
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(with_retries(rule, failure).code(), StatusCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace brisk::hub
