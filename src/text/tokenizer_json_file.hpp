// A tokenizer.json as it lies in the file, read in one pass: its vocabulary and merges, which may be many, go
// into flat tables; everything else is small and becomes JSON values.
//
//   {"added_tokens": [...], "normalizer": ..., "pre_tokenizer": ..., "post_processor": ..., "decoder": ...,
//    "model": {"type": "BPE", "vocab": {"a": 0, ...} or [["a", -1.5], ...],
//              "merges": ["a b", ...] or [["a", "b"], ...], ...}}
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/status.hpp"

namespace brisk::text {

/// Room for texts that are views elsewhere; it never moves them.
class TextRoom {
 public:
  explicit TextRoom(size_t bytes) : room_(std::make_unique_for_overwrite<char[]>(bytes)), left_(bytes) {}
  /// A copy of `text`; all copies together must fit.
  std::string_view keep(std::string_view text);

 private:
  std::unique_ptr<char[]> room_;
  size_t left_, used_ = 0;
};

struct TokenizerJsonFile {
  Json parts = Json::object();           ///< the members of the file but "model"
  Json model = Json::object();           ///< the members of "model" but "vocab" and "merges"
  std::vector<std::string_view> tokens;  ///< by id; empty where no token has the id
  std::vector<double> scores;            ///< where the vocabulary is a list
  bool vocabulary_is_list = false;
  bool has_merges = false;
  std::vector<std::pair<std::string_view, std::string_view>> merges;
  std::shared_ptr<TextRoom> room;  ///< what the views point to
};

/// `room_bytes`: what others want to keep in the same room. Errors name line and column. Ids must be whole
/// numbers from 0, each once; holes are legal.
Result<TokenizerJsonFile> read_tokenizer_json_file(std::string_view json, size_t room_bytes,
                                                   const std::string& where);

}  // namespace brisk::text
