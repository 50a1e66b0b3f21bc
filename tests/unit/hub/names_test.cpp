// Names as users type them, and names that come from outside.
#include "hub/names.hpp"

#include <gtest/gtest.h>

namespace brisk::hub {
namespace {

struct Spelling {
  std::string_view text, repo, quant, file, revision;
};

TEST(NamesTest, ReadsEverySpelling) {
  constexpr std::string_view kCommit = "0123456789012345678901234567890123456789";
  const Spelling spellings[] = {
      {"a/b", "a/b", "", "", "main"},
      {"hf:a/b", "a/b", "", "", "main"},
      {"hf://a/b", "a/b", "", "", "main"},
      {"hf.co/a/b:Q4_0", "a/b", "Q4_0", "", "main"},
      {"huggingface.co/a/b", "a/b", "", "", "main"},
      {"hf:gpt2", "gpt2", "", "", "main"},
      {"hf:gpt2:Q8_0", "gpt2", "Q8_0", "", "main"},
      {"a/b:UD-Q4_K_XL@v1", "a/b", "UD-Q4_K_XL", "", "v1"},
      {"a/b@v1:Q8_0", "a/b", "Q8_0", "", "v1"},
      {"a/b@refs/pr/3", "a/b", "", "", "refs/pr/3"},
      {"a/b/c/d e.gguf", "a/b", "", "c/d e.gguf", "main"},
      {"a/b/c.gguf@0123456789012345678901234567890123456789", "a/b", "", "c.gguf", kCommit},
      {"https://huggingface.co/a/b", "a/b", "", "", "main"},
      {"https://huggingface.co/a/b/", "a/b", "", "", "main"},
      {"https://huggingface.co/a/b/tree/v1/", "a/b", "", "", "v1"},
      {"https://huggingface.co/a/b/blob/main/x/y.gguf?download=true", "a/b", "", "x/y.gguf", "main"},
      {"hf.co/a/b/resolve/v2/y.gguf#top", "a/b", "", "y.gguf", "v2"},
      {"http://localhost:80/a/b", "a/b", "", "", "main"},
  };
  for (const Spelling& spelling : spellings) {
    const auto name = parse_repo(spelling.text, "http://localhost:80");
    ASSERT_TRUE(name.ok()) << spelling.text << ": " << name.status().message();
    EXPECT_EQ(name->repo, spelling.repo) << spelling.text;
    EXPECT_EQ(name->quant, spelling.quant) << spelling.text;
    EXPECT_EQ(name->file, spelling.file) << spelling.text;
    EXPECT_EQ(name->revision, spelling.revision) << spelling.text;
    const auto again = parse_repo(name->text());
    ASSERT_TRUE(again.ok()) << name->text();
    EXPECT_EQ(again->text(), name->text());
  }
}

TEST(NamesTest, RefusesWhatIsNoName) {
  for (const std::string_view text : {"",
                                      "a",
                                      "a/",
                                      "/a",
                                      "hf:",
                                      "hf:/b",
                                      "../b",
                                      "a/..",
                                      "a/b:",
                                      "a/b@",
                                      "a/b/",
                                      "a/b:x y",
                                      "a/b:../c",
                                      "a/b@..",
                                      "a/b@../c",
                                      "a/b@/etc",
                                      "a/b//c.gguf",
                                      "a/b/../c.gguf",
                                      "a/b/./c.gguf",
                                      "a/b/c\\d.gguf",
                                      "a b/c",
                                      "a/b\n",
                                      "-a/b",
                                      ".a/b",
                                      "a/.b",
                                      "a--b",
                                      "hf:a--b",
                                      "a/b--c",
                                      "a/b/c.gguf@v1:Q4_0",
                                      "https://example.com/a/b",
                                      "file:///etc/passwd",
                                      "a/\xff",
                                      "a/b/\xff.gguf"}) {
    EXPECT_FALSE(parse_repo(text).ok()) << text;
  }
  EXPECT_FALSE(parse_repo("a/" + std::string(97, 'x')).ok());
}

TEST(NamesTest, NamesOfFilesStayInTheirFolder) {
  for (const std::string_view name :
       {"a", "a/b/c.gguf", "..a", "a..", "...", "a b", "\xC3\xA9", "a:b", "x/.hidden"}) {
    EXPECT_EQ(fault_of_file_name(name), "") << name;
  }
  for (const std::string_view name : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\\b",
                                      "C:/a", "file:a/b", "a\nb", "a\x7f", "\xff"}) {
    EXPECT_NE(fault_of_file_name(name), "") << name;
  }
  EXPECT_NE(fault_of_file_name(std::string_view("a\0b", 3)), "");
  EXPECT_NE(fault_of_file_name(std::string(256, 'x')), "");
  EXPECT_NE(fault_of_file_name(std::string(2000, 'x')), "");
}

}  // namespace
}  // namespace brisk::hub
