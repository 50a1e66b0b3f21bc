// Judges tokenizers (test_tokenizer_json.py). The first byte of a file says what it is:
//   C  a tokenizer_config.json, for the tokenizer that follows
//   T  a tokenizer.json: {"refused": message}, or {"size", "bos", "eos"}; used from then on
//   e  a text, E the same with what is put around a text: {"ids": [...]}
//   d  ids, 32 bits each: {"text": ...}
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "differential/judge.hpp"
#include "text/tokenizer_json.hpp"

namespace {

using namespace brisk;

std::string config;
std::unique_ptr<text::Tokenizer> tokenizer;

Json refusal(const Status& status) { return {{"refused", status.message()}}; }

Json open(std::string_view json) {
  auto spec = text::read_tokenizer_json(json, std::exchange(config, {}), "tokenizer.json");
  if (!spec.ok()) return refusal(spec.status());
  auto made = text::create_tokenizer(std::move(spec).value());
  if (!made.ok()) return refusal(made.status());
  tokenizer = std::move(made).value();
  return {{"size", tokenizer->size()}, {"bos", tokenizer->bos()}, {"eos", tokenizer->eos()}};
}

Json encode(std::string_view written, bool add_special) {
  const auto ids = tokenizer->encode(written, {.add_special = add_special, .parse_special = true});
  if (!ids.ok()) return refusal(ids.status());
  return {{"ids", *ids}};
}

Json decode(std::string_view bytes) {
  std::vector<int32_t> ids(bytes.size() / sizeof(int32_t));
  if (!ids.empty()) std::memcpy(ids.data(), bytes.data(), ids.size() * sizeof(int32_t));
  const auto decoded = tokenizer->decode(ids);
  if (!decoded.ok()) return refusal(decoded.status());
  return {{"text", *decoded}};
}

Json judge(std::span<const std::byte> bytes) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view rest = file.substr(file.empty() ? 0 : 1);
  if (file.starts_with('T')) return open(rest);
  if (file.starts_with('C')) {
    config = rest;
    return Json::object();
  }
  if (tokenizer == nullptr) return {{"refused", "no tokenizer"}};
  return file.starts_with('d') ? decode(rest) : encode(rest, file.starts_with('E'));
}

}  // namespace

int main() { return differential::judge_all(judge); }
