// Speed of a tokenizer.json on one thread: encoding, and of it the cutting into words alone.
//
// Usage: bench_tokenizer TOKENIZER.json TEXTS [RUNS]
// TEXTS holds documents, each ended by a zero byte. Prints JSON: bytes, ids, words, and the seconds of each
// run (of the thread, so that other programs do not count).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "support.hpp"
#include "text/tokenizer.hpp"
#include "text/tokenizer_json.hpp"

namespace {

using namespace brisk;

std::string read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "error: %s: cannot be read\n", path);
    std::exit(4);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string_view> documents(std::string_view texts) {
  std::vector<std::string_view> list;
  while (!texts.empty()) {
    const size_t end = std::min(texts.find('\0'), texts.size());
    list.push_back(texts.substr(0, end));
    texts.remove_prefix(std::min(end + 1, texts.size()));
  }
  return list;
}

template <typename T>
T value_or_exit(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  std::fprintf(stderr, "error: %s\n", result.status().message().c_str());
  std::exit(result.status().exit_code());
}

// "[0.1, 0.2]": the seconds of each run of `body`.
template <typename Body>
std::string seconds_of(int runs, Body&& body) {
  std::string list;
  for (int run = 0; run < runs; ++run) {
    const double begin = bench::thread_seconds();
    body();
    list += (list.empty() ? "" : ", ") + std::to_string(bench::thread_seconds() - begin);
  }
  return "[" + list + "]";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_tokenizer TOKENIZER.json TEXTS [RUNS]\n");
    return 2;
  }
  const std::string json = read(argv[1]), texts = read(argv[2]);
  const int runs = argc > 3 ? std::atoi(argv[3]) : 3;
  const auto list = documents(texts);
  text::TokenizerSpec spec = value_or_exit(text::read_tokenizer_json(json, "", argv[1]));
  const text::PreTokenizer pre_tokenizer = spec.pre_tokenizer;
  const auto tokenizer = value_or_exit(text::create_tokenizer(std::move(spec)));

  size_t ids = 0;
  const std::string encode = seconds_of(runs, [&] {
    ids = 0;
    for (const auto document : list)
      ids += value_or_exit(tokenizer->encode(document, {.add_special = false})).size();
  });
  size_t words = 0;
  text::Words room;
  const std::string split = seconds_of(runs, [&] {
    words = 0;
    for (const auto document : list) {
      if (!pre_tokenizer.split(document, true, room).ok()) std::exit(3);
      words += room.spans.size();
    }
  });
  std::printf("{\"bytes\": %zu, \"ids\": %zu, \"words\": %zu, \"encode\": %s, \"split\": %s}\n",
              texts.size() - list.size(), ids, words, encode.c_str(), split.c_str());
  return 0;
}
