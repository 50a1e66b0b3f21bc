#include "text/models/fallback.hpp"

#include <algorithm>
#include <cmath>

namespace brisk::text {

void Fallback::append(std::string_view character, bool first, std::vector<int32_t>& ids) const {
  const auto byte_token = [&](char c) { return table_.byte_token(static_cast<uint8_t>(c)); };
  const bool by_bytes = byte_fallback_ && std::all_of(character.begin(), character.end(),
                                                      [&](char c) { return byte_token(c) >= 0; });
  if (by_bytes) {
    for (const char c : character) ids.push_back(byte_token(c));
  } else if (unknown_ >= 0) {
    const bool after_another = !first && !ids.empty() && ids.back() == unknown_;
    if (!fuse_ || !after_another) ids.push_back(unknown_);
  }
}

Status check_scores(const TokenizerSpec& spec, const TokenTable& table) {
  if (spec.scores.size() != static_cast<size_t>(table.size())) {
    return bad_input({spec.where + ": scores", std::to_string(table.size()) + ", one per token",
                      std::to_string(spec.scores.size()), "converting the file anew"});
  }
  for (int32_t id = 0; id < table.size(); ++id) {
    const double score = spec.scores[static_cast<size_t>(id)];
    if (std::isfinite(score)) continue;
    return bad_input(
        {table.place("score", id), "a finite number", std::to_string(score), "converting the file anew"});
  }
  return {};
}

Status check_lengths(const TokenTable& table) {
  for (int32_t id = 0; id < table.size(); ++id) {
    if (table.text(id).size() <= kLongestToken) continue;
    return bad_input({table.place("token", id), "at most " + std::to_string(kLongestToken) + " bytes",
                      std::to_string(table.text(id).size()), "converting the file anew"});
  }
  return {};
}

}  // namespace brisk::text
