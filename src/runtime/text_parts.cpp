#include "runtime/text_parts.hpp"

#include <sys/stat.h>

#include <utility>

#include "base/json.hpp"
#include "base/memory.hpp"
#include "formats/gguf/split.hpp"
#include "runtime/vocabulary.hpp"
#include "text/tokenizer_json.hpp"

namespace brisk::runtime {

namespace {

constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kTokenizerConfig = "tokenizer_config.json";
constexpr const char* kConfig = "config.json";
constexpr const char* kGenerationConfig = "generation_config.json";
constexpr const char* kTemplateFile = "chat_template.jinja";
constexpr uint64_t kMostTokenizerBytes = 256U << 20;
constexpr uint64_t kMostConfigBytes = 16U << 20;
constexpr uint64_t kMostTemplateBytes = 1U << 20;

std::string path_of(const Folder& folder, const char* name) { return folder.path() + "/" + name; }

// The text of a file that need not be there.
Result<std::string> read_optional(const Folder& folder, const char* name, uint64_t limit) {
  if (!folder.has_entry(name)) return std::string();
  return folder.read(name, limit);
}

// A file that need not be there, as an object.
Result<Json> read_optional_object(const Folder& folder, const char* name) {
  BRISK_ASSIGN(const std::string text, read_optional(folder, name, kMostConfigBytes));
  if (text.empty()) return Json(Json::object());
  BRISK_ASSIGN(Json value, parse_json(text, path_of(folder, name)));
  if (value.is_object()) return value;
  return bad_input({path_of(folder, name), "an object", value.type_name(), "the model's own file"});
}

// The ids of "eos_token_id": a number or a list of numbers. Without a generation_config.json they are those
// of config.json, as transformers has it.
Status read_end_ids(const Folder& folder, size_t tokens, std::vector<int32_t>& ends) {
  const char* name = folder.has_entry(kGenerationConfig) ? kGenerationConfig : kConfig;
  BRISK_ASSIGN(const Json config, read_optional_object(folder, name));
  const auto found = config.find("eos_token_id");
  if (found == config.end() || found->is_null()) return {};
  const Json list = found->is_array() ? *found : Json::array({*found});
  for (const Json& id : list) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= tokens) {
      return bad_input({path_of(folder, name) + ": eos_token_id", "token ids below " + std::to_string(tokens),
                        to_json_text(id).substr(0, 80),
                        "the " + std::string(name) + " that belongs to this model"});
    }
    ends.push_back(static_cast<int32_t>(id.get<uint64_t>()));
  }
  return {};
}

Status no_tokenizer(const Folder& folder) {
  const char* got = folder.has("tokenizer.model") ? "tokenizer.model only"
                    : folder.has("vocab.json")    ? "vocab.json and merges.txt only"
                    : folder.has("vocab.txt")     ? "vocab.txt only"
                                                  : "none";
  return environment_error(
      {folder.path(), "tokenizer.json", got,
       "AutoTokenizer.from_pretrained(folder).save_pretrained(folder) of transformers, which "
       "writes one"});
}

Result<std::unique_ptr<text::Tokenizer>> folder_tokenizer(const Folder& folder) {
  if (!folder.has_entry(kTokenizer)) return no_tokenizer(folder);
  BRISK_ASSIGN(const std::string json, folder.read(kTokenizer, kMostTokenizerBytes));
  BRISK_ASSIGN(const std::string config, read_optional(folder, kTokenizerConfig, kMostConfigBytes));
  BRISK_ASSIGN(text::TokenizerSpec spec,
               text::read_tokenizer_json(json, config, path_of(folder, kTokenizer)));
  BRISK_TRY(read_end_ids(folder, spec.tokens.size(), spec.ends));
  return text::create_tokenizer(std::move(spec));
}

// tokenizer_config.json has one template, or a list of {"name", "template"}.
Result<std::string> folder_template(const Folder& folder) {
  BRISK_ASSIGN(std::string file, read_optional(folder, kTemplateFile, kMostTemplateBytes));
  if (!file.empty()) return file;
  BRISK_ASSIGN(const Json config, read_optional_object(folder, kTokenizerConfig));
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return std::string();
  if (found->is_string()) return found->get<std::string>();
  if (found->is_array()) {
    for (const Json& entry : *found) {
      if (entry.is_object() && entry.value("name", Json()) == "default" && entry.contains("template") &&
          entry["template"].is_string()) {
        return entry["template"].get<std::string>();
      }
    }
  }
  return bad_input({path_of(folder, kTokenizerConfig) + ": chat_template",
                    "a text, or a list with a template called default", found->type_name(),
                    "--chat-template-file"});
}

Result<std::string> gguf_template(const formats::GgufFile& file) {
  constexpr std::string_view kKey = "tokenizer.chat_template";
  if (file.metadata().find(kKey) == nullptr) return std::string();
  BRISK_ASSIGN(const std::string_view source, file.metadata().get_string(kKey));
  return std::string(source);
}

bool is_folder(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Result<std::unique_ptr<text::Tokenizer>> load_tokenizer(const models::ModelSource& source) {
  if (source.folder() != nullptr) return folder_tokenizer(*source.folder());
  return load_tokenizer(*source.gguf_files().front());
}

Result<std::string> chat_template_source(const models::ModelSource& source) {
  if (source.folder() != nullptr) return folder_template(*source.folder());
  return gguf_template(*source.gguf_files().front());
}

Result<TextParts> open_text_parts(const std::string& path) {
  TextParts parts;
  parts.where = path;
  BRISK_TRY(catch_out_of_memory(path.c_str(), [&]() -> Status {
    if (is_folder(path)) {
      BRISK_ASSIGN(const Folder folder, Folder::open(path));
      BRISK_ASSIGN(parts.tokenizer, folder_tokenizer(folder));
      BRISK_ASSIGN(parts.chat_template, folder_template(folder));
      return {};
    }
    BRISK_ASSIGN(parts.file, formats::open_first_gguf_part(path));
    BRISK_ASSIGN(parts.tokenizer, load_tokenizer(*parts.file));
    BRISK_ASSIGN(parts.chat_template, gguf_template(*parts.file));
    return {};
  }));
  return parts;
}

}  // namespace brisk::runtime
