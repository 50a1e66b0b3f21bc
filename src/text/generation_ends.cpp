#include "text/generation_ends.hpp"

#include <algorithm>

namespace brisk::text {

namespace {

constexpr std::string_view kEndNames[] = {
    "<|im_end|>",    "<|eot_id|>",
    "<|eom_id|>",    "<|eot|>",
    "<|end|>",       "<|return|>",
    "<|call|>",      "<|calls|>",
    "<|flush|>",     "<|end_of_text|>",
    "<|endoftext|>", "<|end_of_turn|>",
    "<end_of_turn>", "<end_of_utterance>",
    "<turn|>",       "<|tool_response>",
    "<eos>",         "</s>",
    "<EOT>",         "_<EOT>",
    "[EOT]",         "[EOS]",
    "[e~[",          "<｜end▁of▁sentence｜>",
};

}  // namespace

bool is_end_name(std::string_view text) {
  return std::find(std::begin(kEndNames), std::end(kEndNames), text) != std::end(kEndNames);
}

std::vector<int32_t> generation_ends(const TokenTable& table, int32_t eos, std::span<const int32_t> listed) {
  std::vector<int32_t> ends(listed.begin(), listed.end());
  if (eos >= 0) ends.push_back(eos);
  const auto has = [&](std::string_view name) { return table.find(name) >= 0; };
  // Where a call or return has its own token, <|end|> only ends one message of a turn (gpt-oss, Solar).
  const bool end_is_inner = (has("<|return|>") || has("<|flush|>")) && (has("<|call|>") || has("<|calls|>"));
  for (const std::string_view name : kEndNames) {
    if (end_is_inner && name == "<|end|>") continue;
    const int32_t id = table.find(name);
    if (id >= 0 && table.type(id) == TokenType::kControl) ends.push_back(id);
  }
  return ends;
}

}  // namespace brisk::text
