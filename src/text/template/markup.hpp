// Strings that are marked as safe HTML: their methods escape what is put in and give marked strings again.
#pragma once

#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

/// A method of str called on a marked string.
Result<Value> call_markup_method(Runtime& rt, const Builtin& method, const Value& self,
                                 const Arguments& arguments);
/// The methods that only marked strings have.
std::span<const Builtin> markup_methods();

/// Without tags and comments, white space collapsed, entities resolved.
Result<Value> strip_tags(Runtime& rt, std::string_view text);

}  // namespace brisk::text::tmpl
