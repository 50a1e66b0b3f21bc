// What operators and subscripts do, with Python's meanings; integers are 64 bits wide and overflow is an
// error.
#pragma once

#include "text/template/ast.hpp"
#include "text/template/runtime.hpp"

namespace brisk::text::tmpl {

Result<Value> binary(Runtime& rt, BinaryOp op, const Value& a, const Value& b);
Result<Value> negate(const Value& value);
Result<Value> positive(const Value& value);
/// The operator ~: str(a) + str(b) + ... With `escapes`, HTML as soon as one part is.
Result<Value> concatenate(Runtime& rt, std::span<const Value> parts, bool escapes);

Result<bool> compare(Runtime& rt, Comparison comparison, const Value& a, const Value& b);
Result<bool> less(Runtime& rt, const Value& a, const Value& b);
/// Charges for the walk, then compares.
Result<bool> equal_charged(Runtime& rt, const Value& a, const Value& b);
Result<bool> contains(Runtime& rt, const Value& container, const Value& item);

/// value.name: a method or attribute, else an item; undefined when there is none.
Result<Value> get_attribute(Runtime& rt, const Value& value, std::string_view name);
/// value[key]: an item, else a method or attribute; undefined when there is none.
Result<Value> get_item(Runtime& rt, const Value& value, const Value& key);
/// A dotted path of names and numbers, as filters take for `attribute`.
/// `fallback`, unless none or missing, takes the place of what is undefined on the way.
Result<Value> get_path(Runtime& rt, Value value, const Value& path, const Value& fallback = {});
/// value[begin:end:step]; none stands for what was left out.
Result<Value> get_slice(Runtime& rt, const Value& value, const Value& begin, const Value& end,
                        const Value& step);

/// The elements that iterating gives (keys of a dictionary, characters of a string). The span stays
/// valid until the rendering ends.
Result<std::span<const Value>> elements(Runtime& rt, const Value& value);
/// The same as a sequence that has not been walked over yet.
Result<Sequence*> sequence_of(Runtime& rt, const Value& value);
/// len().
Result<int64_t> length_of(Runtime& rt, const Value& value);
/// str.replace; `count` < 0 replaces all.
Result<Value> replace_text(Runtime& rt, const Value& text, std::string_view from, std::string_view to,
                           int64_t count);
/// The error of using an undefined value, saying why it is.
Status undefined_error(const Value& value);

}  // namespace brisk::text::tmpl
