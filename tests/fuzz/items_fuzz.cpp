// Reads files of questions and of texts. What is accepted keeps to the bounds, and written anew as JSON lines
// it is read as the same items. BRISK_PLANTED_BUG puts a fault into this file that the fuzzer must find
// (tests of the fuzzing itself).
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "evaluate/items.hpp"

namespace {

using brisk::Json;
using brisk::evaluate::ChoiceItem;
using brisk::evaluate::ContinuationItem;
using brisk::evaluate::Text;

void require(bool holds) {
  if (!holds) std::abort();
}

Json json_of(const Text& text) {
  return std::visit([](const auto& value) { return Json(value); }, text);
}

Json json_of(const std::vector<Text>& texts) {
  require(!texts.empty() && texts.size() <= brisk::evaluate::kMostAnswers);
  Json list = Json::array();
  for (const Text& text : texts) list.push_back(json_of(text));
  return list;
}

void check_questions(const std::vector<ChoiceItem>& items) {
  std::string lines;
  for (const ChoiceItem& item : items) {
    lines += brisk::to_json_text({{"prompt", json_of(item.prompt)},
                                  {"correct", json_of(item.correct)},
                                  {"incorrect", json_of(item.incorrect)}}) +
             "\n";
  }
  const auto again = brisk::evaluate::read_choice_items(lines, "again");
  require(again.ok() && again->size() == items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    require((*again)[i].prompt == items[i].prompt && (*again)[i].correct == items[i].correct &&
            (*again)[i].incorrect == items[i].incorrect);
  }
}

void check_texts(const std::vector<ContinuationItem>& items) {
  std::string lines;
  for (const ContinuationItem& item : items) {
    lines += brisk::to_json_text(
                 {{"prompt", json_of(item.prompt)}, {"continuations", json_of(item.continuations)}}) +
             "\n";
  }
  const auto again = brisk::evaluate::read_continuation_items(lines, "again");
  require(again.ok() && again->size() == items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    require((*again)[i].prompt == items[i].prompt && (*again)[i].continuations == items[i].continuations);
  }
}

/// A fault of the kind that a careless reader has: a number from the text used as a length, unchecked.
void planted_bug([[maybe_unused]] std::string_view content) {
#if defined(BRISK_PLANTED_BUG)
  if (const size_t key = content.find("\"text\"");
      key != std::string_view::npos && content.find("[7", key) != std::string_view::npos) {
    const auto* cell = new char[4];
    volatile char read = cell[content.size() + 4];
    static_cast<void>(read);
    delete[] cell;
  }
#endif
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  planted_bug(content);
  const auto questions = brisk::evaluate::read_choice_items(content, "fuzz");
  if (questions.ok()) check_questions(*questions);
  const auto texts = brisk::evaluate::read_continuation_items(content, "fuzz");
  if (texts.ok()) check_texts(*texts);
  return 0;
}
