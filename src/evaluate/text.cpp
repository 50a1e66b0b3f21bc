#include "evaluate/text.hpp"

#include <algorithm>

#include "evaluate/encode.hpp"

namespace brisk::evaluate {

namespace {

constexpr int64_t kStretch = 512;
/// Of plain text, more than kMostTextTokens ever are: what lies behind need not be tokenized.
constexpr size_t kMostTextBytes = 1U << 16;

/// Every text of the file as tokens, the beginning that the model wants included.
Result<std::vector<std::vector<int32_t>>> read_texts(const runtime::Model& model, std::string_view content,
                                                     const std::string& where) {
  std::vector<std::vector<int32_t>> texts;
  if (!content.starts_with('{')) {
    BRISK_ASSIGN(texts.emplace_back(), encode_prompt(model, std::string(content.substr(0, kMostTextBytes))));
    return texts;
  }
  BRISK_ASSIGN(const std::vector<ContinuationItem> items, read_continuation_items(content, where));
  int64_t tokens = 0;
  for (const ContinuationItem& item : items) {
    if (tokens >= kMostTextTokens) break;
    for (const Text& text : item.continuations) {
      if (const auto* words = std::get_if<std::string>(&text)) {
        BRISK_ASSIGN(texts.emplace_back(), encode_prompt(model, *words));
      } else {
        texts.push_back(std::get<std::vector<int32_t>>(text));
      }
      tokens += std::ssize(texts.back());
    }
  }
  return texts;
}

}  // namespace

Result<std::vector<runtime::ScoreItem>> read_text_task(const runtime::Model& model, std::string_view content,
                                                       const std::string& where) {
  BRISK_ASSIGN(const std::vector<std::vector<int32_t>> texts, read_texts(model, content, where));
  std::vector<runtime::ScoreItem> items;
  int64_t left = kMostTextTokens;
  const int64_t stretch = std::min(kStretch, model.context());
  for (const std::vector<int32_t>& text : texts) {
    for (int64_t at = 0; at < std::ssize(text) && left > 0; at += stretch) {
      const int64_t count = std::min({stretch, std::ssize(text) - at, left});
      left -= count;
      if (count > 1) items.push_back({{}, {{text.begin() + at, text.begin() + at + count}}});
    }
  }
  if (items.empty()) {
    return bad_input({where, "a text of at least two tokens", "less", "a page of plain text"});
  }
  return items;
}

std::string_view neutral_text() {
  return R"(The market in the old town opens at six in the morning. Farmers from the villages around arrive
before sunrise, unload their vans and set up the stalls along the north side of the square. By seven
the first customers come, mostly people on their way to work who want bread, fruit or a cup of
coffee. The busiest hours are between nine and eleven, when families do their shopping for the week.
In the afternoon the stalls are taken down again, the ground is swept, and by four o'clock there is
nothing left but a few leaves.

Repairing a bicycle tyre is not difficult. Take the wheel off the frame and let out the rest of the
air. Lift one side of the tyre over the rim with two levers, starting opposite the valve, and pull
out the tube. Pump a little air into it and hold it under water: small bubbles show where the hole
is. Dry the place, roughen it with sandpaper, spread a thin layer of glue and wait until it no
longer looks wet. Then press the patch on firmly. Before you put the tube back, feel along the
inside of the tyre, because whatever made the hole may still be there.

Rivers change their course more often than maps suggest. Where the water runs fast, on the outside
of a bend, it carries away sand and soil; where it runs slowly, on the inside, it leaves them
behind. Over the years the bend grows wider and moves downstream. Sooner or later a flood cuts
through the narrow neck of land between two bends, and the river takes the shorter way. The old loop
is cut off and becomes a lake in the shape of a horseshoe, which slowly fills with mud and plants
until only a line of reeds shows where the water used to be.

She had meant to write the letter on Sunday, but the day had passed with visitors, and on Monday
there was the meeting. So it was Tuesday evening before she sat down at the kitchen table with a pen
and two sheets of paper. She thanked her brother for the photographs, told him about the new
neighbours and the garden, and asked whether he would come in the summer. When she had finished she
read it once more, added a line about the weather, and went out to post it, although it was already
dark and had begun to rain.)";
}

}  // namespace brisk::evaluate
