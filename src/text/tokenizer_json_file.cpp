#include "text/tokenizer_json_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "base/json_events.hpp"

namespace brisk::text {

namespace {

/// Gemma's, the largest known, has 33 MB.
constexpr JsonLimits kLimits{.depth = 64, .bytes = uint64_t{512} << 20};
/// Values outside the vocabulary and the merges: added tokens have nine each.
constexpr uint64_t kMostValues = 2'000'000;
/// Holes among the ids are legal, but not so many that a short file makes a large table.
constexpr uint64_t kMostHoles = uint64_t{1} << 20;

constexpr const char* kHint = "fetching the file again";

Status wrong(const char* place, std::string expected, std::string got) {
  return bad_input({place, std::move(expected), std::move(got), kHint});
}

/// 10^n as the nearest double, n from 0 to 308.
double power_of_ten(int64_t n) {
  const std::string text = "1e" + std::to_string(n);
  double power = 1;
  std::from_chars(text.data(), text.data() + text.size(), power);
  return power;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text.substr(0, 80)) + "\""; }

/// The scores of a Unigram model decide between ways to cut a word that are equal but for rounding. Hugging
/// Face's tokenizers read them with serde_json, which gives not the nearest double but the first 19 or 20
/// digits, taken as a whole number and rounded, times or divided by a power of ten, rounded again.
double score_as_rust_reads(std::string_view written) {
  const bool negative = written.starts_with('-');
  const size_t exponent_at = std::min(written.find_first_of("eE"), written.size());
  uint64_t digits = 0;
  int64_t exponent = 0;
  bool fraction = false, full = false;
  for (const char c : written.substr(negative ? 1 : 0, exponent_at - (negative ? 1 : 0))) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    const auto digit = static_cast<uint64_t>(c - '0');
    full = full || digits > UINT64_MAX / 10 || (digits == UINT64_MAX / 10 && digit > UINT64_MAX % 10);
    if (!full) digits = digits * 10 + digit;
    exponent += (full ? 1 : 0) - (fraction ? 1 : 0);
  }
  int64_t power = 0;
  std::string_view rest = written.substr(std::min(exponent_at + 1, written.size()));
  if (rest.starts_with('+')) rest.remove_prefix(1);
  std::from_chars(rest.data(), rest.data() + rest.size(), power);
  exponent += std::clamp<int64_t>(power, -100'000, 100'000);
  auto value = static_cast<double>(digits);
  for (; exponent < -308 && value != 0; exponent += 308) value /= 1e308;
  const double scale = power_of_ten(std::min<int64_t>(std::abs(exponent), 308));
  value = exponent < 0 ? value / scale : value * scale;
  return negative ? -value : value;
}

class FileReader final : public JsonEvents {
 public:
  FileReader(TokenizerJsonFile& file, size_t file_bytes)
      : file_(file), id_limit_(std::min<uint64_t>(INT32_MAX, file_bytes + kMostHoles)) {}

  Status key(std::string& name) override {
    if (place_ == Place::kTree) return tree_.key(name);
    if (place_ == Place::kVocabulary) {
      token_ = file_.room->keep(name);
    } else {
      key_ = std::move(name);
    }
    return {};
  }

  Status string(std::string& value) override {
    switch (place_) {
      case Place::kTree: return tree_.string(value);
      case Place::kVocabularyPair: return add_pair_text(value);
      case Place::kMerges: return add_merge(value);
      case Place::kMergePair: return add_merge_side(value);
      default: return scalar(Json(std::move(value)));
    }
  }

  Status scalar(Json value) override {
    switch (place_) {
      case Place::kTree: return tree_.scalar(std::move(value));
      case Place::kTop: return keep_part(std::move(value));
      case Place::kModel: return keep_model_field(std::move(value));
      case Place::kVocabulary: return add_token(value);
      case Place::kVocabularyPair: return add_score(value);
      case Place::kMerges:
      case Place::kMergePair: return wrong("model.merges", "two tokens", to_json_text(value));
      case Place::kFile: break;
    }
    return wrong("", "an object, as a tokenizer.json is one", to_json_text(value).substr(0, 80));
  }

  Status decimal(double value, std::string_view written) override {
    return scalar(Json(place_ == Place::kVocabularyPair ? score_as_rust_reads(written) : value));
  }

  Status open(bool object) override {
    switch (place_) {
      case Place::kFile: return object ? go(Place::kTop) : wrong("", "an object", "an array");
      case Place::kTop: return key_ == "model" ? open_model(object) : open_tree(object);
      case Place::kModel: return open_in_model(object);
      case Place::kVocabulary:
        if (object || !file_.vocabulary_is_list) return wrong("model.vocab", "an id", "a list or an object");
        pair_size_ = 0;
        return go(Place::kVocabularyPair);
      case Place::kMerges:
        if (object) return wrong("model.merges", "two tokens", "an object");
        pair_size_ = 0;
        return go(Place::kMergePair);
      case Place::kTree: return tree_.open(object);
      case Place::kVocabularyPair:
      case Place::kMergePair: break;
    }
    return wrong("model", "a text", "a list or an object");
  }

  Status close() override {
    switch (place_) {
      case Place::kTree: return close_tree();
      case Place::kVocabularyPair:
        if (pair_size_ != 2) return wrong("model.vocab", "a token and its score", "a shorter list");
        place_ = Place::kVocabulary;
        return {};
      case Place::kMergePair:
        if (pair_size_ != 2) return wrong("model.merges", "two tokens", "a shorter list");
        place_ = Place::kMerges;
        return {};
      case Place::kVocabulary:
      case Place::kMerges: return go(Place::kModel);
      case Place::kModel: return go(Place::kTop);
      case Place::kTop:
      case Place::kFile: break;
    }
    return go(Place::kFile);
  }

  bool has_model() const { return has_model_; }
  bool has_vocabulary() const { return has_vocabulary_; }

 private:
  enum class Place : uint8_t {
    kFile,
    kTop,
    kModel,
    kVocabulary,
    kVocabularyPair,
    kMerges,
    kMergePair,
    kTree,
  };

  Status go(Place place) {
    place_ = place;
    return {};
  }

  Status open_model(bool object) {
    if (!object) return wrong("model", "an object", "an array");
    if (std::exchange(has_model_, true)) return wrong("model", "one model", "a second one");
    return go(Place::kModel);
  }

  Status open_in_model(bool object) {
    if (key_ == "vocab") {
      if (std::exchange(has_vocabulary_, true)) return wrong("model.vocab", "one vocabulary", "a second one");
      file_.vocabulary_is_list = !object;
      return go(Place::kVocabulary);
    }
    if (key_ == "merges") {
      if (object) return wrong("model.merges", "a list", "an object");
      if (std::exchange(file_.has_merges, true)) return wrong("model.merges", "one list", "a second one");
      return go(Place::kMerges);
    }
    return open_tree(object);
  }

  Status open_tree(bool object) {
    tree_in_model_ = place_ == Place::kModel;
    place_ = Place::kTree;
    return tree_.open(object);
  }

  Status close_tree() {
    BRISK_TRY(tree_.close());
    if (!tree_.complete()) return {};
    place_ = tree_in_model_ ? Place::kModel : Place::kTop;
    return tree_in_model_ ? keep_model_field(tree_.take()) : keep_part(tree_.take());
  }

  Status keep_part(Json value) {
    if (key_ == "model") return wrong("model", "an object", to_json_text(value).substr(0, 80));
    return keep(file_.parts, std::move(value));
  }

  Status keep_model_field(Json value) {
    if (key_ == "vocab" || (key_ == "merges" && !value.is_null())) {
      return wrong("model", key_ == "vocab" ? "a vocabulary" : "a list of merges",
                   to_json_text(value).substr(0, 80));
    }
    return keep(file_.model, std::move(value));
  }

  Status keep(Json& object, Json value) {
    constexpr size_t kMostMembers = 256;  // each look-up goes through all of them
    if (object.size() == kMostMembers) return wrong("", "at most 256 members", "more");
    object[key_] = std::move(value);
    return {};
  }

  /// A token of {"text": id, ...}.
  Status add_token(const Json& value) {
    if (file_.vocabulary_is_list) {
      return wrong("model.vocab", "a token and its score", to_json_text(value).substr(0, 80));
    }
    const bool whole = value.is_number_unsigned();
    const uint64_t id = whole ? value.get<uint64_t>() : 0;
    if (!whole || id >= id_limit_) {
      return wrong("model.vocab", "an id from 0 to " + std::to_string(id_limit_ - 1),
                   to_json_text(value).substr(0, 80) + " for " + quoted(token_));
    }
    if (id >= file_.tokens.size()) file_.tokens.resize(id + 1);
    std::string_view& place = file_.tokens[id];
    if (!place.empty()) {
      return wrong("model.vocab", "an id of its own for " + quoted(token_),
                   std::to_string(id) + ", which is " + quoted(place));
    }
    place = token_;  // an empty text leaves a hole
    return {};
  }

  Status add_pair_text(std::string_view text) {
    if (pair_size_++ != 0) return wrong("model.vocab", "a score", quoted(text));
    file_.tokens.push_back(file_.room->keep(text));
    return {};
  }

  Status add_score(const Json& value) {
    if (!file_.vocabulary_is_list || pair_size_++ != 1 || !value.is_number()) {
      return wrong("model.vocab", "a token and its score", to_json_text(value).substr(0, 80));
    }
    file_.scores.push_back(value.get<double>());
    return {};
  }

  /// A merge written "left right".
  Status add_merge(std::string_view text) {
    const size_t space = text.find(' ');
    const bool two = space != std::string_view::npos && space > 0 && space + 1 < text.size() &&
                     text.find(' ', space + 1) == std::string_view::npos;
    if (!two) return wrong("model.merges", "two tokens with one space between them", quoted(text));
    const std::string_view kept = file_.room->keep(text);
    file_.merges.emplace_back(kept.substr(0, space), kept.substr(space + 1));
    return {};
  }

  /// A part of a merge written ["left", "right"].
  Status add_merge_side(std::string_view text) {
    if (pair_size_ == 2) return wrong("model.merges", "two tokens", "a third, " + quoted(text));
    const std::string_view kept = file_.room->keep(text);
    if (pair_size_++ == 0) {
      file_.merges.emplace_back(kept, std::string_view());
    } else {
      file_.merges.back().second = kept;
    }
    return {};
  }

  TokenizerJsonFile& file_;
  uint64_t id_limit_;
  Place place_ = Place::kFile;
  std::string key_;         // the member of the file or the model that is being read
  std::string_view token_;  // the member of the vocabulary
  int pair_size_ = 0;       // how much of a pair has come
  JsonTree tree_{kMostValues};
  bool tree_in_model_ = false;
  bool has_model_ = false, has_vocabulary_ = false;
};

}  // namespace

std::string_view TextRoom::keep(std::string_view text) {
  BRISK_ASSERT(text.size() <= left_, "a JSON string is no longer than it is written");
  char* begin = room_.get() + used_;
  if (!text.empty()) std::memcpy(begin, text.data(), text.size());
  used_ += text.size();
  left_ -= text.size();
  return {begin, text.size()};
}

Result<TokenizerJsonFile> read_tokenizer_json_file(std::string_view json, size_t room_bytes,
                                                   const std::string& where) {
  TokenizerJsonFile file;
  if (json.size() <= kLimits.bytes) file.room = std::make_shared<TextRoom>(json.size() + room_bytes);
  FileReader reader(file, json.size());
  BRISK_TRY(read_json_events(json, where, kLimits, reader));
  if (!reader.has_model()) return bad_input({where, "a \"model\"", "none", kHint});
  if (!reader.has_vocabulary()) return bad_input({where + ": model", "a \"vocab\"", "none", kHint});
  return file;
}

}  // namespace brisk::text
