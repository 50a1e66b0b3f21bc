// Choosing files by their names.
#include "hub/select.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "hub/listing.hpp"

namespace brisk::hub {
namespace {

constexpr std::string_view kGguf = ".gguf";
constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::string_view kIndex = ".safetensors.index.json";
constexpr size_t kMostParts = 9999;

std::string_view file_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// "-00002-of-00003" at the end of a stem.
struct Part {
  size_t number = 1, count = 1;
  size_t suffix_length = 0;  // 0: no part of several
};

Part part_of(std::string_view stem) {
  constexpr std::string_view kPattern = "-00001-of-00003";
  if (stem.size() <= kPattern.size()) return {};
  const std::string_view suffix = stem.substr(stem.size() - kPattern.size());
  if (suffix[0] != '-' || suffix.substr(6, 4) != "-of-") return {};
  const auto read = [&](size_t at, size_t& value) {
    const auto [end, error] = std::from_chars(suffix.data() + at, suffix.data() + at + 5, value);
    return error == std::errc() && end == suffix.data() + at + 5;
  };
  Part part{.suffix_length = kPattern.size()};
  const bool right = read(1, part.number) && read(10, part.count) && part.number >= 1 &&
                     part.number <= part.count && part.count <= kMostParts;
  return right ? part : Part{};
}

/// Whether a word, in lower case, begins as names of weight types do.
bool is_type_word(std::string_view word) {
  for (const std::string_view whole : {"f16", "f32", "bf16", "fp16", "fp32"}) {
    if (word == whole) return true;
  }
  for (const std::string_view start : {"q", "iq", "tq", "mxfp", "nvfp"}) {
    if (word.starts_with(start) && word.size() > start.size() && word[start.size()] >= '1' &&
        word[start.size()] <= '9') {
      return true;
    }
  }
  return false;
}

bool is_beside_a_model(std::string_view path) {
  const std::string file = lower_case(file_part(path));
  return file.starts_with("mmproj") || file.find("imatrix") != file.npos;
}

std::string text_of(const GgufChoice& choice) {
  return choice.label.empty() ? choice.files.front() : choice.label;
}

std::vector<std::string> texts_of(const std::vector<GgufChoice>& choices) {
  std::vector<std::string> out;
  for (const GgufChoice& choice : choices) out.push_back(text_of(choice));
  return out;
}

Result<std::vector<std::string>> whole(const RepoName& name, const GgufChoice& choice) {
  if (choice.files.size() == choice.parts) return choice.files;
  return bad_input({name.text(), std::to_string(choice.parts) + " parts of " + choice.name,
                    std::to_string(choice.files.size()) + " of them",
                    "'brisk pull " + name.text() + "', or another file of the repository"});
}

/// Whether a name ends in the quant as a word of its own. Underscores part words only in names without a
/// label: "K_M" is no word of "model-Q4_K_M".
bool has_quant(const GgufChoice& choice, std::string_view quant) {
  const std::string wanted = lower_case(quant);
  const std::string stem = lower_case(file_part(choice.name));
  if (lower_case(choice.label) == wanted || stem == wanted) return true;
  if (stem.size() <= wanted.size() || !stem.ends_with(wanted)) return false;
  const std::string_view separators = choice.label.empty() ? "-._" : "-.";
  return separators.find(stem[stem.size() - wanted.size() - 1]) != separators.npos;
}

std::vector<GgufChoice> with_quant(const std::vector<GgufChoice>& choices, std::string_view quant) {
  std::vector<GgufChoice> exact, near;
  for (const GgufChoice& choice : choices) {
    if (lower_case(choice.label) == lower_case(quant)) exact.push_back(choice);
    if (has_quant(choice, quant)) near.push_back(choice);
  }
  return exact.empty() ? near : exact;
}

Status ambiguous(const RepoName& name, const std::vector<GgufChoice>& choices) {
  std::vector<std::string> files;
  for (const GgufChoice& choice : choices) files.push_back(choice.files.front());
  return environment_error({name.text(), "a name that means one file",
                            std::to_string(files.size()) + " files: " + near_names(name.quant, files),
                            "naming it, as in hf:" + name.repo + "/" + files.front()});
}

Result<std::vector<std::string>> select_gguf(const RepoName& name, const std::vector<GgufChoice>& choices) {
  const std::vector<std::string> preferred = {"Q4_K_M", "Q4_0", "Q8_0"};
  for (const std::string& quant : name.quant.empty() ? preferred : std::vector{name.quant}) {
    const std::vector<GgufChoice> found = with_quant(choices, quant);
    if (found.size() > 1) return ambiguous(name, found);
    if (found.size() == 1) return whole(name, found.front());
  }
  if (name.quant.empty() && choices.size() == 1) return whole(name, choices.front());
  const std::string near = near_names(name.quant, texts_of(choices));
  if (name.quant.empty()) {
    return environment_error({name.text(), "a quant behind ':'", "none, and there are " + near,
                              "'" + name.text() + ":" + text_of(choices.front()) + "'"});
  }
  return environment_error(
      {name.text(), "a GGUF with the quant " + name.quant, "none; there are " + near, "one of these"});
}

/// Pickled weights run code of their maker when they are read.
bool is_pickle(std::string_view file) {
  const std::string small = lower_case(file);
  const auto ends = [&](std::string_view suffix) { return small.ends_with(suffix); };
  return ends(".bin") || ends(".pt") || ends(".pth") || ends(".ckpt") || ends(".pkl") || ends(".pickle");
}

/// The files beside the weights that a safetensors model needs.
bool is_wanted_beside(std::string_view file) {
  constexpr std::array<std::string_view, 14> kNames = {"config.json",
                                                       "generation_config.json",
                                                       "special_tokens_map.json",
                                                       "added_tokens.json",
                                                       "merges.txt",
                                                       "vocab.json",
                                                       "vocab.txt",
                                                       "chat_template.jinja",
                                                       "chat_template.json",
                                                       "preprocessor_config.json",
                                                       "quantize_config.json",
                                                       "quant_config.json",
                                                       "spiece.model",
                                                       "sentencepiece.bpe.model"};
  return std::ranges::find(kNames, file) != kNames.end() || file.starts_with("tokenizer") ||
         file.ends_with(kIndex);
}

std::vector<std::string> select_safetensors(const std::vector<std::string>& files) {
  std::vector<std::string> weights, others;
  // Some repositories hold the weights twice: consolidated.safetensors in the maker's own layout.
  const bool has_model = std::ranges::any_of(
      files, [](const auto& file) { return file.starts_with("model") && file.ends_with(kSafetensors); });
  for (const std::string& file : files) {
    const bool twice = has_model && file.starts_with("consolidated");
    if (file.find('/') != file.npos || twice || is_pickle(file)) continue;
    if (file.ends_with(kSafetensors)) weights.push_back(file);
    if (is_wanted_beside(file)) others.push_back(file);
  }
  if (weights.empty()) return {};
  // The weights last: where they are, all is there.
  others.insert(others.end(), weights.begin(), weights.end());
  return others;
}

Result<std::vector<std::string>> select_named(const RepoName& name, const std::vector<GgufChoice>& choices,
                                              const std::vector<std::string>& files) {
  if (is_pickle(name.file)) {
    return environment_error({name.text(), "a GGUF or safetensors file", "a pickle, which can run code",
                              "a repository of the same model in one of these forms"});
  }
  for (const GgufChoice& choice : choices) {
    const bool is_part = std::ranges::find(choice.files, name.file) != choice.files.end();
    if (is_part || choice.name == name.file) return whole(name, choice);
  }
  if (std::ranges::find(files, name.file) != files.end()) return std::vector{name.file};
  return environment_error({name.text(), "a file of the repository", "no such file",
                            files.empty() ? "" : near_names(name.file, files)});
}

}  // namespace

std::string quant_label(std::string_view name) {
  std::string_view stem = file_part(name);
  const size_t cut = stem.find_last_of("-.");
  const std::string_view word = cut == stem.npos ? stem : stem.substr(cut + 1);
  if (!is_type_word(lower_case(word))) return {};
  std::string label = upper_case(word);
  if (cut != stem.npos && lower_case(stem.substr(0, cut)).ends_with("-ud")) label = "UD-" + label;
  return label;
}

std::vector<GgufChoice> gguf_choices(const std::vector<std::string>& files) {
  std::map<std::pair<std::string, size_t>, std::vector<std::string>> groups;  // by name and count of parts
  for (const std::string& file : files) {
    if (!file.ends_with(kGguf) || is_beside_a_model(file)) continue;
    const std::string stem = file.substr(0, file.size() - kGguf.size());
    const Part part = part_of(stem);
    groups[{stem.substr(0, stem.size() - part.suffix_length), part.count}].push_back(file);
  }
  std::vector<GgufChoice> choices;
  for (auto& [key, group] : groups) {
    std::ranges::sort(group);
    GgufChoice choice{quant_label(key.first), key.first, std::move(group), key.second};
    if (const size_t slash = key.first.rfind('/'); choice.label.empty() && slash != std::string::npos) {
      choice.label = quant_label(std::string_view(key.first).substr(0, slash));
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

Result<std::vector<std::string>> select_files(const RepoName& name, const std::vector<std::string>& files) {
  const std::vector<GgufChoice> choices = gguf_choices(files);
  if (!name.file.empty()) return select_named(name, choices, files);
  if (!choices.empty()) return select_gguf(name, choices);
  std::vector<std::string> folder = select_safetensors(files);
  if (folder.empty()) {
    return environment_error({name.text(), "a repository with GGUF or safetensors files",
                              files.empty() ? "no files" : near_names(".safetensors", files),
                              "a repository of the same model in one of these forms"});
  }
  if (name.quant.empty()) return folder;
  return environment_error({name.text(), "a GGUF with the quant " + name.quant, "safetensors files only",
                            "'hf:" + name.repo + "', or a repository with GGUF files"});
}

}  // namespace brisk::hub
