// The hub's answers and Ollama's manifests: what is taken, what is refused, and that nothing else happens.
#include "hub/listing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "hub/hash.hpp"
#include "hub/ollama.hpp"

namespace brisk::hub {
namespace {

using testing::HasSubstr;

const std::string kCommit(40, 'a');
const std::string kSmall(40, '1');
const std::string kLarge(64, '2');

std::string listing_of(const std::string& files) {
  return R"({"sha": ")" + kCommit + R"(", "siblings": [)" + files + "]}";
}

const std::string kGood =
    listing_of(R"({"rfilename": "m.gguf", "size": 9, "lfs": {"sha256": ")" + kLarge +
               R"(", "size": 3000}}, {"rfilename": "a/b.json", "size": 5, "blobId": ")" + kSmall + R"("})");
const std::string kManifest = R"({"layers": [{"mediaType": "x", "digest": "../x"},
  {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:)" +
                              kLarge + R"("}]})";

TEST(ListingTest, ReadsFilesWithSizeAndHash) {
  const auto listing = parse_listing(kGood, "hub");
  ASSERT_TRUE(listing.ok()) << listing.status().message();
  EXPECT_EQ(listing->commit, kCommit);
  ASSERT_EQ(listing->files.size(), 2u);
  EXPECT_EQ(listing->files[0].name, "a/b.json");
  EXPECT_EQ(listing->files[0].size, 5u);
  EXPECT_EQ(listing->files[0].hash, kSmall);
  EXPECT_EQ(listing->files[1].name, "m.gguf");
  EXPECT_EQ(listing->files[1].size, 3000u);
  EXPECT_EQ(listing->files[1].hash, kLarge);
}

/// Whatever is accepted is safe to use: this is what the rest of the module relies on.
void use(const Listing& listing) {
  ASSERT_TRUE(is_commit(listing.commit));
  for (const RemoteFile& file : listing.files) {
    ASSERT_EQ(fault_of_file_name(file.name), "");
    ASSERT_TRUE(is_hash(file.hash));
    ASSERT_LE(file.size, 1ULL << 44);
  }
}

uint64_t seed() {
  const char* given = std::getenv("BRISK_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

std::string mutated(std::string text, std::mt19937_64& random) {
  const std::string pieces[] = {"..",   "/",  "\\",    "\"",      "{",    "[", "]",
                                "null", "-1", "1e400", "sha256:", "\xff", "\n"};
  for (uint64_t edits = 1 + random() % 4; edits > 0; --edits) {
    const size_t at = random() % (text.size() + 1);
    switch (random() % 3) {
      case 0: text.insert(at, pieces[random() % std::size(pieces)]); break;
      case 1: text.erase(at, random() % 8); break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(random());
    }
  }
  return text;
}

TEST(ListingTest, MutatedAnswersAreRefusedOrSafe) {
  const uint64_t start = seed();
  SCOPED_TRACE("BRISK_SEED=" + std::to_string(start));
  std::mt19937_64 random(start);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto listing = parse_listing(mutated(kGood, random), "hub");
    if (!listing.ok()) continue;
    ++accepted;
    use(*listing);
  }
  EXPECT_GT(accepted, 100);
}

TEST(ListingTest, MutatedManifestsAreRefusedOrSafe) {
  const uint64_t start = seed();
  SCOPED_TRACE("BRISK_SEED=" + std::to_string(start));
  std::mt19937_64 random(start);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto layer = model_layer(mutated(kManifest, random), "ollama");
    if (!layer.ok()) continue;
    ++accepted;
    ASSERT_EQ(layer->size(), 7u + 64u);
    ASSERT_TRUE(layer->starts_with("sha256-") && is_hash(std::string_view(*layer).substr(7))) << *layer;
  }
  EXPECT_GT(accepted, 100);
}

TEST(ListingTest, ManifestsNameOneModel) {
  const auto layer = model_layer(kManifest, "ollama");
  ASSERT_TRUE(layer.ok()) << layer.status().message();
  EXPECT_EQ(*layer, "sha256-" + kLarge);
  const std::string two =
      R"({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:)" + kLarge +
      R"("}, {"mediaType": "application/vnd.ollama.image.model"}]})";
  EXPECT_THAT(model_layer(two, "ollama").status().message(), HasSubstr("several"));
  EXPECT_EQ(with_tag("ollama:a"), "ollama:a:latest");
  EXPECT_EQ(with_tag("ollama:a:b"), "ollama:a:b");
}

Response answer(int64_t status, const std::string& code = {}) {
  Response response;
  response.status = status;
  if (!code.empty()) response.first_headers["x-error-code"] = code;
  return response;
}

TEST(ListingTest, RefusalsSayWhatToDoAndNeverTheToken) {
  const Settings open{.endpoint = "https://hub", .cache = "", .token = ""};
  const Settings known{.endpoint = "https://hub", .cache = "", .token = "hf_secret"};
  const RepoName name{.repo = "a/b"};
  const auto message = [&](const Settings& settings, const Response& response, const std::string& file = "") {
    const std::string text = refused(settings, name, file, response).message();
    EXPECT_THAT(text, testing::Not(HasSubstr("hf_secret")));
    return text;
  };
  EXPECT_THAT(message(open, answer(401, "RepoNotFound")), HasSubstr("HF_TOKEN"));
  EXPECT_THAT(message(known, answer(403, "GatedRepo")), HasSubstr("https://hub/a/b"));
  EXPECT_THAT(message(known, answer(403)), HasSubstr("gated"));
  EXPECT_THAT(message(known, answer(404, "RevisionNotFound")), HasSubstr("no 'main'"));
  EXPECT_THAT(message(known, answer(404, "EntryNotFound"), "x.gguf"), HasSubstr("x.gguf"));
  EXPECT_THAT(message(known, answer(404, "RepoNotFound")), HasSubstr("a repository"));
  EXPECT_THAT(message(known, answer(500)), HasSubstr("500"));
}

TEST(ListingTest, NearNamesComeFirst) {
  EXPECT_EQ(near_names("Q4_K", {"Q8_0", "Q4_K_M"}), "Q4_K_M, Q8_0");
  EXPECT_EQ(near_names("x", {}), "");
  std::vector<std::string> many(20, "name");
  EXPECT_THAT(near_names("name", many), HasSubstr("and 12 more"));
}

}  // namespace
}  // namespace brisk::hub
