#include "python/src/tokenizer.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include "python/src/errors.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace brisk::python {

namespace {

std::unique_ptr<TokenizerOfFile> open_tokenizer(const std::string& path) {
  return std::make_unique<TokenizerOfFile>(unwrap(runtime::open_text_parts(path)));
}

}  // namespace

std::vector<int32_t> encode(const text::Tokenizer& tokenizer, std::string_view text, bool add_special,
                            bool parse_special) {
  const auto ids = [&] {
    const nb::gil_scoped_release released;
    return tokenizer.encode(text, {add_special, parse_special});
  }();
  return unwrap(ids);
}

std::string decode(const text::Tokenizer& tokenizer, const std::vector<int32_t>& ids, bool special) {
  return unwrap(tokenizer.decode(ids, special));
}

void bind_tokenizer(nb::module_& module) {
  nb::class_<TokenizerOfFile>(module, "Tokenizer",
                              "The tokenizer of a model file or folder; no weights are read.")
      .def("__len__", [](const TokenizerOfFile& self) { return self.tokenizer->size(); })
      .def(
          "encode",
          [](const TokenizerOfFile& self, std::string_view text, bool add_special, bool parse_special) {
            return encode(*self.tokenizer, text, add_special, parse_special);
          },
          "text"_a, "add_special"_a = true, "parse_special"_a = true,
          "Token ids of a text. `parse_special`: recognise special tokens written in it (not for text of "
          "users).")
      .def(
          "decode",
          [](const TokenizerOfFile& self, const std::vector<int32_t>& ids, bool special) {
            return decode(*self.tokenizer, ids, special);
          },
          "ids"_a, "special"_a = true, "The text of token ids; ill-formed parts become U+FFFD.")
      .def_prop_ro(
          "bos", [](const TokenizerOfFile& self) { return self.tokenizer->bos(); }, "-1: none.")
      .def_prop_ro("eos", [](const TokenizerOfFile& self) { return self.tokenizer->eos(); }, "-1: none.");
  module.def("tokenizer", &open_tokenizer, "path"_a, "Opens the tokenizer of a model file or folder.");
}

}  // namespace brisk::python
