// What the bar draws, and when it draws nothing.
#include "base/progress.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <string>

namespace brisk {
namespace {

class Progress : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe(ends_), 0);
    ASSERT_EQ(fcntl(ends_[0], F_SETFL, O_NONBLOCK), 0);
  }
  void TearDown() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  ProgressOptions at_once() const {
    return {.descriptor = ends_[1], .needs_terminal = false, .delay = {}, .interval = {}};
  }
  std::string drawn() {
    std::array<char, 8192> buffer;
    const ssize_t got = read(ends_[0], buffer.data(), buffer.size());
    return got > 0 ? std::string(buffer.data(), static_cast<size_t>(got)) : "";
  }
  int ends_[2];
};

TEST_F(Progress, DrawsTheShareAndWipesTheLine) {
  {
    ProgressBar bar("loading", at_once());
    bar.update(0.5, "12 MiB");
    const std::string line = drawn();
    EXPECT_NE(line.find("loading"), std::string::npos);
    EXPECT_NE(line.find(" 50 %  12 MiB"), std::string::npos) << line;
  }
  EXPECT_EQ(drawn(), "\r\x1b[K");
}

TEST_F(Progress, ShortWorkShowsNothing) {
  ProgressOptions options = at_once();
  options.delay = std::chrono::hours(1);
  {
    ProgressBar bar("loading", options);
    for (int i = 0; i <= 100; ++i) bar.update(i / 100.0);
  }
  EXPECT_EQ(drawn(), "");
}

TEST_F(Progress, APipeGetsNothingNorDoesADisabledBarDraw) {
  ProgressOptions options = at_once();
  options.needs_terminal = true;
  {
    ProgressBar("loading", options).update(0.5);
  }
  options = at_once();
  options.enabled = false;
  {
    ProgressBar("loading", options).update(0.5);
  }
  EXPECT_EQ(drawn(), "");
}

TEST_F(Progress, OddSharesAreClamped) {
  ProgressBar bar("x", at_once());
  for (const auto& [share, percent] : {std::pair{-1.0, " 0 %"}, std::pair{7.0, " 100 %"},
                                       std::pair{std::numeric_limits<double>::quiet_NaN(), " 0 %"}}) {
    bar.update(share);
    EXPECT_NE(drawn().find(percent), std::string::npos) << share;
  }
}

TEST_F(Progress, DrawsAtMostOncePerInterval) {
  ProgressOptions options = at_once();
  options.interval = std::chrono::hours(1);
  ProgressBar bar("x", options);
  bar.update(0.1);
  EXPECT_NE(drawn(), "");
  bar.update(0.2);
  EXPECT_EQ(drawn(), "");
}

}  // namespace
}  // namespace brisk
