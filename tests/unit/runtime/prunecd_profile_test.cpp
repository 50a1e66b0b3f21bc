// prunecd.json: written and read back, and every way in which one can be wrong.
#include "runtime/prunecd_profile.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace brisk::runtime {
namespace {

Status parse(const std::string& text) { return parse_prunecd_profile(text, "p.json").status(); }

std::string with(const std::string& members) {
  return R"({"fingerprint": "ab", "layers": 8, "pruned": [2, 5])" + members + "}";
}

TEST(PrunecdProfile, DefaultsOfWhatIsNotThere) {
  const auto profile = parse_prunecd_profile(with(""), "p.json");
  ASSERT_TRUE(profile.ok()) << profile.status().message();
  EXPECT_EQ(profile->fingerprint, "ab");
  EXPECT_EQ(profile->layers, 8);
  EXPECT_EQ(profile->pruned, (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(profile->mode, ContrastMode::kRatio);
  EXPECT_EQ(profile->alpha, 0.1);
  EXPECT_EQ(profile->lambda, 0.5);
  EXPECT_FALSE(profile->drop.has_value());
  EXPECT_TRUE(profile->flatness.empty());
}

TEST(PrunecdProfile, WrittenAndReadBack) {
  PrunecdProfile profile;
  profile.fingerprint = "0123456789abcdef";
  profile.layers = 30;
  profile.pruned = {11, 12, 17};
  profile.mode = ContrastMode::kExtrapolate;
  profile.alpha = 0.2;
  profile.lambda = 1.25;
  profile.calibration = "feed";
  profile.s0 = 0.4375;
  profile.drop = -0.01;
  profile.fluency = 1.3;
  profile.flatness = {{"exit 3", 4.5, 0.1, 2, 0.3, -0.2, 0.6}, {"pruned", 1, 2, 3, 4, 5, 6}};
  profile.search = Json::parse(R"({"stage1": [0.5, null]})");

  const std::string folder = testing::TempDir() + "prunecd_profile_" + std::to_string(getpid());
  std::filesystem::create_directory(folder);
  const std::string path = folder + "/prunecd.json";
  ASSERT_TRUE(write_prunecd_profile(profile, path, false).ok());
  const auto back = read_prunecd_profile(path);
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(to_json(*back), to_json(profile));
  EXPECT_EQ(back->flatness[0].spearman50, -0.2);
  EXPECT_EQ(back->mode, ContrastMode::kExtrapolate);
  EXPECT_EQ(back->pruned, profile.pruned);

  EXPECT_EQ(write_prunecd_profile(profile, path, false).code(), StatusCode::kEnvironment) << "it exists";
  profile.alpha = 0.3;
  ASSERT_TRUE(write_prunecd_profile(profile, path, true).ok());
  EXPECT_EQ(read_prunecd_profile(path)->alpha, 0.3);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "nothing is left beside it";
  std::filesystem::remove_all(folder);
}

TEST(PrunecdProfile, BadContentIsNamed) {
  const struct {
    const char* text;
    const char* part;  // of the message
  } cases[] = {
      {"", "p.json"},
      {"[]", "a JSON object"},
      {R"({"layers": 8, "pruned": []})", "\"fingerprint\""},
      {R"({"fingerprint": 3, "layers": 8, "pruned": []})", "a string"},
      {R"({"fingerprint": "a", "pruned": []})", "\"layers\""},
      {R"({"fingerprint": "a", "layers": 0, "pruned": []})", "at least 1"},
      {R"({"fingerprint": "a", "layers": -1, "pruned": []})", "\"layers\""},
      {R"({"fingerprint": "a", "layers": 8.0, "pruned": []})", "\"layers\""},
      {R"({"fingerprint": "a", "layers": 18446744073709551615, "pruned": []})", "\"layers\""},
      {R"({"fingerprint": "a", "layers": 8})", "\"pruned\""},
      {R"({"fingerprint": "a", "layers": 8, "pruned": 3})", "a list of layers"},
      {R"({"fingerprint": "a", "layers": 8, "pruned": [8]})", "0 to 7"},
      {R"({"fingerprint": "a", "layers": 8, "pruned": [-1]})", "0 to 7"},
      {R"({"fingerprint": "a", "layers": 8, "pruned": ["1"]})", "0 to 7"},
      {R"({"fingerprint": "a", "layers": 8, "pruned": [3, 2]})", "ascending"},
      {R"({"fingerprint": "a", "layers": 8, "pruned": [3, 3]})", "each once"},
      {R"({"fingerprint": "a", "layers": 2, "pruned": [0, 1]})", "at least one layer that stays"},
  };
  for (const auto& [text, part] : cases) {
    const Status status = parse(text);
    EXPECT_EQ(status.code(), StatusCode::kBadInput) << text;
    EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
  }
  for (const char* members :
       {R"(, "mode": "other")", R"(, "mode": 1)", R"(, "alpha": 0)", R"(, "alpha": 1.5)",
        R"(, "alpha": "0.1")", R"(, "lambda": -1)", R"(, "lambda": null)", R"(, "drop": "much")",
        R"(, "calibration": 7)", R"(, "flatness": 1)", R"(, "flatness": [1])",
        R"(, "flatness": [{"entropy": "x"}])"}) {
    EXPECT_EQ(parse(with(members)).code(), StatusCode::kBadInput) << members;
  }
  EXPECT_TRUE(parse(with(R"(, "of a later version": [1, 2])")).ok());
  EXPECT_TRUE(parse(R"({"fingerprint": "a", "layers": 2, "pruned": []})").ok());
}

TEST(PrunecdProfile, BelongsToOneModel) {
  const auto profile = parse_prunecd_profile(with(""), "p.json");
  ASSERT_TRUE(profile.ok());
  EXPECT_TRUE(check_prunecd_model(*profile, "p.json", "ab", 8).ok());
  const Status other = check_prunecd_model(*profile, "p.json", "cd", 8);
  EXPECT_EQ(other.code(), StatusCode::kBadInput);
  EXPECT_NE(other.message().find("cd"), std::string::npos);
  const Status deeper = check_prunecd_model(*profile, "p.json", "ab", 9);
  EXPECT_EQ(deeper.code(), StatusCode::kBadInput);
  EXPECT_NE(deeper.message().find("\"layers\""), std::string::npos);
}

TEST(PrunecdProfile, MissingFilesAndFoldersAreTheEnvironments) {
  EXPECT_EQ(read_prunecd_profile("/nonexistent/prunecd.json").status().code(), StatusCode::kEnvironment);
  EXPECT_EQ(read_prunecd_profile(testing::TempDir()).status().code(), StatusCode::kEnvironment);
}

TEST(PrunecdProfile, ModesHaveNames) {
  EXPECT_EQ(find_contrast_mode("ratio"), ContrastMode::kRatio);
  EXPECT_EQ(find_contrast_mode("extrapolate"), ContrastMode::kExtrapolate);
  EXPECT_FALSE(find_contrast_mode("Ratio").has_value());
  EXPECT_STREQ(contrast_mode_name(ContrastMode::kExtrapolate), "extrapolate");
}

}  // namespace
}  // namespace brisk::runtime
