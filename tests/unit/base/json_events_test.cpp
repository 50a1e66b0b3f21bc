// JSON as events: their order, errors of the receiver with their place, and the bound on a tree's values.
#include "base/json_events.hpp"

#include <gtest/gtest.h>

namespace brisk {
namespace {

/// Writes down what comes; refuses the string "bad" and everything when closing.
class Notes final : public JsonEvents {
 public:
  Status key(std::string& name) override { return note(name + "="); }
  Status string(std::string& value) override {
    if (value == "bad") return bad_input({"list", "a good word", "a bad one", "another"});
    return note("'" + value + "'");
  }
  Status scalar(Json value) override { return note(to_json_text(value)); }
  Status decimal(double, std::string_view written) override { return note("d" + std::string(written)); }
  Status open(bool object) override { return note(object ? "{" : "["); }
  Status close() override { return note("."); }

  std::string text;

 private:
  Status note(const std::string& what) {
    text += what;
    return {};
  }
};

TEST(JsonEvents, ComeInTheOrderOfTheText) {
  Notes notes;
  ASSERT_TRUE(read_json_events(R"({"a":[1,-2.50,null,"x\u00e9"],"b":{"c":true}})", "t", {}, notes).ok());
  EXPECT_EQ(notes.text, "{a=[1d-2.50null'xé'.b={c=true..");
}

TEST(JsonEvents, ErrorsOfTheReceiverSayWhere) {
  Notes notes;
  const Status status = read_json_events("{\"a\": [1,\n  \"bad\"]}", "t.json", {}, notes);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.message(), "t.json:2:7: list: expected a good word, got a bad one; try another");
}

TEST(JsonEvents, ErrorsOfTheTextStopThem) {
  Notes notes;
  EXPECT_NE(read_json_events("[1,x]", "t.json", {}, notes).message().find("t.json:1:4: expected valid JSON"),
            std::string::npos);
  EXPECT_EQ(notes.text, "[1");
  EXPECT_NE(read_json_events("[[[", "t.json", {.depth = 2}, notes)
                .message()
                .find("t.json:1:3: expected JSON nested"),
            std::string::npos);
}

TEST(JsonTree, HasABoundOnItsValues) {
  JsonTree enough(4), few(3);
  EXPECT_TRUE(read_json_events("[1,2,{}]", "t", {}, enough).ok());
  EXPECT_TRUE(enough.complete());
  EXPECT_EQ(to_json_text(enough.take()), "[1,2,{}]");
  EXPECT_NE(read_json_events("[1,2,{}]", "t", {}, few).message().find("too many values"), std::string::npos);
}

}  // namespace
}  // namespace brisk
