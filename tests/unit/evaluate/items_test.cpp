// Files of questions and texts: what is read, and what is refused with its line and key.
#include "evaluate/items.hpp"

#include <gtest/gtest.h>

namespace brisk::evaluate {
namespace {

using Tokens = std::vector<int32_t>;

TEST(Items, QuestionsAreRead) {
  const auto items = read_choice_items(
      "{\"prompt\": \"Q\", \"correct\": [\"a\", [1, 2]], \"incorrect\": [\"b\"], \"more\": {\"x\": [1]}}\r\n"
      "\n  \n"
      "{\"prompt\": [0, 7], \"correct\": [[3]], \"incorrect\": [[4], \"c\"]}",
      "f");
  ASSERT_TRUE(items.ok()) << items.status().message();
  ASSERT_EQ(items->size(), 2U);
  EXPECT_EQ((*items)[0].line, 1);
  EXPECT_EQ((*items)[0].prompt, Text("Q"));
  EXPECT_EQ((*items)[0].correct, (std::vector<Text>{"a", Tokens{1, 2}}));
  EXPECT_EQ((*items)[1].line, 4);
  EXPECT_EQ((*items)[1].prompt, Text(Tokens{0, 7}));
  EXPECT_EQ((*items)[1].incorrect, (std::vector<Text>{Tokens{4}, "c"}));
}

TEST(Items, TextsToScoreHaveTwoForms) {
  const auto items = read_continuation_items(
      "{\"prompt\": \"\", \"continuations\": [\"a\", [5]]}\n{\"text\": \"t\"}\n{\"text\": [1, 2]}\n", "f");
  ASSERT_TRUE(items.ok()) << items.status().message();
  ASSERT_EQ(items->size(), 3U);
  EXPECT_EQ((*items)[0].continuations, (std::vector<Text>{"a", Tokens{5}}));
  EXPECT_EQ((*items)[1].prompt, Text(""));
  EXPECT_EQ((*items)[1].continuations, std::vector<Text>{"t"});
  EXPECT_EQ((*items)[2].prompt, Text(Tokens{}));
  EXPECT_EQ((*items)[2].continuations, std::vector<Text>{Tokens({1, 2})});
}

struct Bad {
  const char* line;
  const char* named;  ///< what the message must say
};

void expect_refused(const Status& status, const Bad& bad) {
  ASSERT_EQ(status.code(), StatusCode::kBadInput) << bad.line;
  EXPECT_NE(status.message().find(bad.named), std::string::npos) << bad.line << "\n" << status.message();
  EXPECT_FALSE(status.parts().expected.empty() || status.parts().got.empty() || status.parts().hint.empty())
      << status.message();
}

TEST(Items, BadQuestionsAreRefused) {
  const std::string good = "{\"prompt\": \"Q\", \"correct\": [\"a\"], \"incorrect\": [\"b\"]}\n";
  for (const Bad& bad : {
           Bad{"[]", "an object"},
           Bad{"5", "an object"},
           Bad{R"({"correct": ["a"], "incorrect": ["b"]})", "\"prompt\""},
           Bad{R"({"prompt": "Q", "incorrect": ["b"]})", "\"correct\""},
           Bad{R"({"prompt": "Q", "correct": ["a"]})", "\"incorrect\""},
           Bad{R"({"prompt": 5, "correct": ["a"], "incorrect": ["b"]})", "prompt"},
           Bad{R"({"prompt": "Q", "correct": "a", "incorrect": ["b"]})", "correct"},
           Bad{R"({"prompt": "Q", "correct": [], "incorrect": ["b"]})", "correct"},
           Bad{R"({"prompt": "Q", "correct": ["a"], "incorrect": []})", "incorrect"},
           Bad{R"({"prompt": "Q", "correct": ["a", ""], "incorrect": ["b"]})", "correct[1]"},
           Bad{R"({"prompt": "Q", "correct": [[]], "incorrect": ["b"]})", "correct[0]"},
           Bad{R"({"prompt": "Q", "correct": ["a"], "incorrect": ["b", "a"]})", "'a'"},
           Bad{R"({"prompt": "Q", "correct": [[1, 2]], "incorrect": [[1, 2]]})", "twice"},
           Bad{R"({"prompt": "Q", "correct": [[1, -2]], "incorrect": ["b"]})", "-2"},
           Bad{R"({"prompt": "Q", "correct": [[1.5]], "incorrect": ["b"]})", "1.5"},
           Bad{R"({"prompt": "Q", "correct": [[4294967296]], "incorrect": ["b"]})", "4294967296"},
           Bad{R"({"prompt": "Q", "correct": [["a"]], "incorrect": ["b"]})", "correct[0]"},
           Bad{R"({"prompt": "Q", "correct": [{}], "incorrect": ["b"]})", "correct[0]"},
           Bad{R"({"prompt": null, "correct": ["a"], "incorrect": ["b"]})", "null"},
       }) {
    const Status status = read_choice_items(good + bad.line, "f.jsonl").status();
    expect_refused(status, bad);
    EXPECT_EQ(status.parts().where.rfind("f.jsonl, line 2", 0), 0U) << status.message();
  }
}

TEST(Items, BrokenLinesAreRefused) {
  const std::string deep = "{\"prompt\": " + std::string(100, '[') + std::string(100, ']') + "}";
  for (const std::string& line :
       {std::string("{\"prompt\": "), std::string("{\"prompt\": \"\xff\"}"), deep}) {
    const Status status = read_choice_items(line, "f").status();
    EXPECT_EQ(status.code(), StatusCode::kBadInput);
    EXPECT_NE(status.message().find("line 1"), std::string::npos) << status.message();
  }
  EXPECT_EQ(read_choice_items("", "f").status().code(), StatusCode::kBadInput);
  EXPECT_EQ(read_choice_items("\n\n", "f").status().code(), StatusCode::kBadInput);
}

TEST(Items, BadTextsAreRefused) {
  for (const Bad& bad : {
           Bad{R"({"prompt": "P"})", "\"continuations\""},
           Bad{R"({"continuations": ["a"]})", "\"prompt\""},
           Bad{R"({"text": "t", "prompt": "P"})", "both"},
           Bad{R"({"text": ""})", "text"},
           Bad{R"({"text": {}})", "text"},
           Bad{R"({"prompt": "P", "continuations": [""]})", "continuations[0]"},
       }) {
    expect_refused(read_continuation_items(bad.line, "f").status(), bad);
  }
}

}  // namespace
}  // namespace brisk::evaluate
