// The public face of the template interpreter (src/text/template): parse once, render often.
#include "text/chat_template.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "text/template/ast.hpp"
#include "text/template/interpreter.hpp"
#include "text/template/lexer.hpp"
#include "text/template/parser.hpp"
#include "text/template/symbols.hpp"
#include "text/template/unicode.hpp"

namespace brisk::text {

namespace tmpl {

Status locate(const Program& program, uint32_t offset, const Status& status) {
  if (!status.parts().where.empty()) return status;
  const std::string_view source = program.source;
  const std::string_view before = source.substr(0, offset);
  const size_t newline = before.rfind('\n');
  const size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  std::string_view line = source.substr(begin, source.find('\n', begin) - begin);
  constexpr size_t kMostShown = 160;
  if (line.size() > kMostShown) {  // the part around the place
    const size_t at = offset - begin;
    const size_t from = utf8_floor(line, at > kMostShown / 2 ? at - kMostShown / 2 : 0);
    line = line.substr(from, utf8_floor(line.substr(from), kMostShown));
  }
  ErrorParts parts = status.parts();
  const auto row = 1 + std::count(before.begin(), before.end(), '\n');
  parts.where = program.where + ":" + std::to_string(row) + ":" +
                std::to_string(1 + tmpl::count_characters(before.substr(begin))) + ", in `" +
                std::string(tmpl::strip(line, tmpl::Side::kBoth)) + "`";
  return {status.code(), std::move(parts)};
}

}  // namespace tmpl

struct ChatTemplate::Program {
  tmpl::Program tree;
};

ChatTemplate::ChatTemplate(std::unique_ptr<Program> program) : program_(std::move(program)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::parse(std::string_view source, std::string_view where,
                                         TemplateLimits limits) {
  if (source.size() > std::min<uint64_t>(limits.source_bytes, UINT32_MAX / 2)) {
    return bad_input({std::string(where),
                      "a template of at most " + std::to_string(limits.source_bytes) + " bytes",
                      std::to_string(source.size()) + " bytes", ""});
  }
  if (!utf8_valid(source))
    return bad_input({std::string(where), "a template in UTF-8", "ill-formed bytes", ""});
  auto program = std::make_unique<Program>();
  tmpl::Program& tree = program->tree;
  tree.where = where;
  tree.source = tmpl::normalize_newlines(source);
  tree.limits = limits;
  std::vector<tmpl::Token> tokens;
  tmpl::SyntaxError error;
  bool parsed = tmpl::tokenize(tree.source, tokens, tree.strings, error);
  if (parsed) {
    tmpl::Parser parser(tree, tokens);
    parsed = parser.run();
    error = parser.error();
  }
  if (parsed) {
    tmpl::SymbolTable symbols(tree);
    parsed = symbols.run();
    error = symbols.error();
  }
  if (parsed) return ChatTemplate(std::move(program));
  return tmpl::locate(tree, error.offset, tmpl::fail(std::move(error.expected), std::move(error.got)));
}

Result<std::string> ChatTemplate::render(const Json& variables) const {
  if (!variables.is_object()) {
    return bad_input(
        {program_->tree.where, "variables as an object", std::string(variables.type_name()), ""});
  }
  tmpl::Interpreter interpreter(program_->tree);
  Result<std::string> result = interpreter.run(variables);
  if (!result.ok()) return tmpl::locate(program_->tree, 0, result.status());
  return result;
}

}  // namespace brisk::text
