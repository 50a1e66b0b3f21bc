#include <algorithm>
#include <cctype>
#include <charconv>

#include "graph/text.hpp"
#include "graph/text_names.hpp"
#include "quant/weight_form.hpp"

namespace brisk::graph {

std::string quoted_name(std::string_view name) {
  if (!name.empty() && std::ranges::all_of(name, is_bare_name_letter)) return std::string(name);
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + "\"";
}

namespace {

template <typename T>
std::string shortest(T number) {
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof(digits), number).ptr};
}

std::string lower(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

template <typename List, typename Write>
std::string joined(const List& list, Write&& write) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : ", ") + write(item);
  return out;
}

std::string attribute_text(const ops::Attribute& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) {
    const std::string digits = shortest(*real);
    return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
  }
  return "[" + joined(*std::get<2>(value), shortest<float>) + "]";
}

class Dumper {
 public:
  explicit Dumper(const Graph& graph) : graph_(graph), numbers_(graph.values().size(), -1) {}

  std::string run() {
    number_values();
    text_ =
        "brisk graph 1\nsymbols " + joined(graph_.symbols(), [](const auto& name) { return name; }) + "\n";
    for (size_t i = 0; i < graph_.values().size(); ++i) {
      if (graph_.values()[i].kind == ValueKind::kInput) dump_input(static_cast<ValueId>(i));
    }
    for (const Value& value : graph_.values()) {
      if (value.kind == ValueKind::kWeight)
        text_ += "weight @" + quoted_name(value.name) + " : " + weight_text(*value.weight) + "\n";
    }
    size_t segments = 0;
    for (const Node& node : graph_.nodes()) {
      dump_segments(segments, static_cast<size_t>(node.segment) + 1);
      dump_node(node);
    }
    dump_segments(segments, graph_.segments().size());
    for (const ValueId id : graph_.outputs()) text_ += "output " + reference(id) + "\n";
    return std::move(text_);
  }

 private:
  void number_values() {
    int64_t next = 0;
    for (size_t i = 0; i < graph_.values().size(); ++i) {
      if (graph_.values()[i].kind == ValueKind::kInput) numbers_[i] = next++;
    }
    for (const Node& node : graph_.nodes()) {
      for (const ValueId id : node.outputs) numbers_[static_cast<size_t>(id)] = next++;
    }
  }

  std::string reference(ValueId id) const {
    const Value& value = graph_.value(id);
    if (value.kind == ValueKind::kWeight) return "@" + quoted_name(value.name);
    return "%" + std::to_string(numbers_[static_cast<size_t>(id)]);
  }

  std::string type_of(ValueId id) const { return type_text(graph_.value(id).type, graph_.symbols()); }

  void dump_input(ValueId id) {
    text_ +=
        "input " + reference(id) + " : " + type_of(id) + "  # " + quoted_name(graph_.value(id).name) + "\n";
  }

  void dump_segments(size_t& done, size_t end) {
    for (; done < end; ++done) {
      const Segment& segment = graph_.segments()[done];
      text_ += "segment " + quoted_name(segment.name);
      if (segment.stream >= 0) text_ += " stream=" + reference(segment.stream);
      text_ += "\n";
    }
  }

  void dump_node(const Node& node) {
    const auto refer = [this](ValueId id) { return reference(id); };
    text_ +=
        "  " + joined(node.outputs, refer) + " = " + node.op->name + "(" + joined(node.inputs, refer) + ")";
    if (!node.attributes.entries.empty()) {
      text_ += " {" +
               joined(node.attributes.entries,
                      [](const auto& entry) { return entry.first + "=" + attribute_text(entry.second); }) +
               "}";
    }
    text_ += " : " + joined(node.outputs, [this](ValueId id) { return type_of(id); });
    text_ += "  # " + quoted_name(node.name) + "\n";
  }

  const Graph& graph_;
  std::vector<int64_t> numbers_;  // per value, as the text counts them
  std::string text_;
};

}  // namespace

std::string weight_text(const Weight& weight) {
  const auto dims = [](const Shape& shape) {
    return "[" + joined(shape, [](int64_t dim) { return std::to_string(dim); }) + "]";
  };
  std::string out = weight.form->name + dims(weight.shape);
  if (weight.form->blocks) return out;
  if (!weight.settings.empty()) {
    out += " {" +
           joined(weight.settings,
                  [](const auto& setting) { return setting.first + "=" + std::to_string(setting.second); }) +
           "}";
  }
  return out + " (" +
         joined(weight.components,
                [&](const WeightComponent& component) {
                  return quoted_name(component.name) + ": " + lower(dtype_name(component.dtype)) +
                         dims(component.shape);
                }) +
         ")";
}

std::string type_text(const ops::ValueType& type, const std::vector<std::string>& symbols) {
  if (type.form == ops::ValueForm::kState) return "state";
  const std::string form = type.form == ops::ValueForm::kQ8Rows ? "q8_rows" : lower(dtype_name(type.dtype));
  return form + "[" + joined(type.shape, [&symbols](const Dim& dim) { return dim.to_string(symbols); }) + "]";
}

std::string dump(const Graph& graph) { return Dumper(graph).run(); }

}  // namespace brisk::graph
