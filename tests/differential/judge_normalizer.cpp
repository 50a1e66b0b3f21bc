// Judges normalizers (test_normalizer.py). A file that begins with 'n' sets the normalizer, as tokenizer.json
// states it: {"refused": message} or {}. Any other file is a text after one byte: {"text": normalized}.
#include <string_view>

#include "differential/judge.hpp"
#include "text/normalizer.hpp"

namespace {

using namespace brisk;

text::Normalizer normalizer;
text::Normalizer::Scratch scratch;

Json set_normalizer(std::string_view json) {
  const auto value = parse_json(json, "file");
  if (!value.ok()) return {{"refused", value.status().message()}};
  auto made = text::Normalizer::from_json(*value, "file");
  if (!made.ok()) return {{"refused", made.status().message()}};
  normalizer = std::move(made).value();
  return Json::object();
}

Json judge(std::span<const std::byte> bytes) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (file.starts_with('n')) return set_normalizer(file.substr(1));
  const std::string_view normalized = normalizer.apply(file.substr(1), scratch);
  if (!scratch.status.ok()) return {{"refused", scratch.status.message()}};
  return {{"text", normalized}};
}

}  // namespace

int main() { return differential::judge_all(judge); }
