// Reads the text form of a graph (graph/text.hpp). The text is outside data: everything is bounded and
// checked, and an op's own rule judges each node before the next line is read.
#include <limits>
#include <set>
#include <unordered_map>

#include "graph/text.hpp"
#include "graph/text_cursor.hpp"
#include "quant/weight_form.hpp"

namespace brisk::graph {

namespace {

constexpr size_t kMostText = 64U << 20;
constexpr size_t kMostValues = 1U << 20;
constexpr size_t kMostRank = 8;
constexpr size_t kMostPerNode = 64;  // inputs, outputs, attributes, terms of a dimension
constexpr int64_t kMostDim = int64_t{1} << 40;

class Reader {
 public:
  Reader(std::string_view text, std::string_view where, const WeightLookup& weights)
      : in_(text, where), weights_(weights) {}

  Result<Graph> run() {
    BRISK_TRY(in_.expect("brisk graph 1"));
    BRISK_TRY(in_.expect_line_end());
    in_.skip_empty_lines();
    BRISK_TRY(read_symbols());
    for (in_.skip_empty_lines(); !in_.at_end(); in_.skip_empty_lines()) {
      if (graph_.values().size() > kMostValues) return in_.wrong("at most 2^20 values", "more");
      BRISK_TRY(read_line());
      BRISK_TRY(in_.expect_line_end());
    }
    if (Status status = verify(graph_); !status.ok()) return in_.refused(status);
    return std::move(graph_);
  }

 private:
  Status read_symbols() {
    BRISK_TRY(in_.expect("symbols"));
    std::vector<std::string> names;
    do {
      BRISK_ASSIGN(std::string name, in_.identifier());
      const auto id = static_cast<SymbolId>(names.size());
      if (names.size() >= kMostPerNode || name == "after" || !symbols_.emplace(name, id).second) {
        return in_.wrong("at most 64 symbols, each once and none called 'after'", name);
      }
      names.push_back(std::move(name));
    } while (in_.accept(","));
    const std::vector<std::string>& first = graph_.symbols();
    if (names.size() < first.size() || !std::equal(first.begin(), first.end(), names.begin())) {
      return in_.wrong("tokens and outputs as the first symbols", "others");
    }
    for (size_t i = first.size(); i < names.size(); ++i) graph_.add_symbol(names[i]);
    return in_.expect_line_end();
  }

  Status read_line() {
    if (in_.peek() == '%') return read_node();
    BRISK_ASSIGN(const std::string word, in_.identifier());
    if (word == "input") return read_input();
    if (word == "weight") return read_weight();
    if (word == "segment") return read_segment();
    if (word == "output") {
      BRISK_ASSIGN(const ValueId id, read_reference());
      graph_.mark_output(id);
      return {};
    }
    return in_.wrong("input, weight, segment, output or a node", "'" + word + "'");
  }

  // input %0 : i32[tokens]  # tokens
  Status read_input() {
    BRISK_ASSIGN(const int64_t label, read_label());
    BRISK_TRY(in_.expect(":"));
    BRISK_ASSIGN(ops::ValueType type, read_type());
    if (type.form == ops::ValueForm::kQ8Rows) return in_.wrong("a tensor or a state as input", "q8_rows");
    BRISK_ASSIGN(std::string name, read_node_name());
    if (!input_names_.insert(name).second) return in_.wrong("a name of its own", "'" + name + "' again");
    return define(label, graph_.add_input(std::move(name), std::move(type)));
  }

  // weight @name : q4_1[576, 576]
  Status read_weight() {
    BRISK_TRY(in_.expect("@"));
    Weight weight;
    BRISK_ASSIGN(weight.name, in_.name());
    if (graph_.has_weight(weight.name)) return in_.wrong("a weight once", "'" + weight.name + "' again");
    BRISK_TRY(in_.expect(":"));
    BRISK_TRY(read_form(weight));
    if (!weights_) {
      graph_.add_weight(std::move(weight));
      return {};
    }
    const Weight* found = weights_(weight.name);
    if (found == nullptr) return in_.wrong("a weight that the file has", "'" + weight.name + "'");
    if (const std::string kept = weight_text(*found);
        kept != weight_text(weight) || found->name != weight.name) {
      return in_.wrong("the file's " + found->name + " : " + kept, weight_text(weight));
    }
    graph_.add_weight(*found);
    return {};
  }

  Status read_form(Weight& weight) {
    BRISK_ASSIGN(const std::string name, in_.identifier());
    weight.form = quant::find_form(name);
    if (weight.form == nullptr) return in_.wrong("a weight form", "'" + name + "'");
    BRISK_ASSIGN(weight.shape, read_shape());
    if (weight.form->blocks) {
      weight.components = {{"blocks", weight.form->blocks->dtype, weight.shape, {}}};
      return check_component(weight.components[0]);
    }
    if (in_.accept("{")) BRISK_TRY(read_settings(weight));
    BRISK_TRY(in_.expect("("));
    do {
      BRISK_ASSIGN(std::string component, in_.name());
      BRISK_TRY(in_.expect(":"));
      BRISK_ASSIGN(const DType dtype, read_dtype());
      BRISK_ASSIGN(Shape shape, read_shape());
      weight.components.push_back({std::move(component), dtype, std::move(shape), {}});
      BRISK_TRY(check_component(weight.components.back()));
      if (weight.components.size() > kMostPerNode) return in_.wrong("at most 64 components", "more");
    } while (in_.accept(","));
    return in_.expect(")");
  }

  Status read_settings(Weight& weight) {
    do {
      BRISK_ASSIGN(std::string key, in_.identifier());
      BRISK_TRY(in_.expect("="));
      BRISK_ASSIGN(const int64_t value, in_.number<int64_t>("an integer"));
      weight.settings.emplace_back(std::move(key), value);
      if (weight.settings.size() > kMostPerNode) return in_.wrong("at most 64 settings", "more");
    } while (in_.accept(","));
    return in_.expect("}");
  }

  Status check_component(const WeightComponent& component) const {
    const auto count = element_count(component.shape);
    const bool blocks =
        !component.shape.empty() && component.shape.back() % dtype_info(component.dtype).block_values == 0;
    if (count && blocks && dtype_bytes(component.dtype, *count)) return {};
    return in_.wrong("rows of whole blocks and a size that can be counted", to_string(component.shape));
  }

  // segment layer.0 stream=%4
  Status read_segment() {
    BRISK_ASSIGN(std::string name, in_.name());
    ValueId stream = -1;
    if (in_.accept("stream")) {
      BRISK_TRY(in_.expect("="));
      BRISK_ASSIGN(stream, read_reference());
    }
    if (graph_.segments().size() >= kMostValues) return in_.wrong("at most 2^20 segments", "more");
    graph_.begin_segment(std::move(name), stream);
    return {};
  }

  // %13, %14 = attention(%12, %9) {layer=0, scale=0.125} : f32[tokens, 576], u8[tokens, 56]  # name
  Status read_node() {
    if (graph_.segments().empty()) return in_.wrong("a segment before the first node");
    std::vector<int64_t> labels;
    do {
      BRISK_ASSIGN(const int64_t label, read_label());
      labels.push_back(label);
      if (labels.size() > kMostPerNode) return in_.wrong("at most 64 outputs", "more");
    } while (in_.accept(","));
    BRISK_TRY(in_.expect("="));
    BRISK_ASSIGN(const std::string op, in_.identifier());
    if (ops::find_op(op) == nullptr) return in_.wrong("an op that Brisk has", "'" + op + "'");
    BRISK_ASSIGN(std::vector<ValueId> inputs, read_inputs());
    BRISK_ASSIGN(ops::Attributes attributes, read_attributes());
    BRISK_TRY(in_.expect(":"));
    std::vector<ops::ValueType> types;
    do {
      BRISK_ASSIGN(ops::ValueType type, read_type());
      types.push_back(std::move(type));
      if (types.size() > kMostPerNode) return in_.wrong("at most 64 outputs", "more");
    } while (in_.accept(","));
    BRISK_ASSIGN(std::string name, read_node_name());
    const auto made = graph_.add_node(std::move(name), op, std::move(inputs), std::move(attributes));
    if (!made.ok()) return in_.refused(made.status());
    return define_outputs(labels, types, *made);
  }

  Status define_outputs(const std::vector<int64_t>& labels, const std::vector<ops::ValueType>& types,
                        const std::vector<ValueId>& made) {
    if (labels.size() != made.size() || types.size() != made.size()) {
      return in_.wrong(std::to_string(made.size()) + " outputs",
                       std::to_string(labels.size()) + " of " + std::to_string(types.size()) + " types");
    }
    for (size_t i = 0; i < made.size(); ++i) {
      const ops::ValueType& rule = graph_.value(made[i]).type;
      if (!(rule == types[i])) {
        return in_.wrong("the type that the op's rule gives, " + type_text(rule, graph_.symbols()),
                         type_text(types[i], graph_.symbols()));
      }
      BRISK_TRY(define(labels[i], made[i]));
    }
    return {};
  }

  Result<std::vector<ValueId>> read_inputs() {
    std::vector<ValueId> inputs;
    BRISK_TRY(in_.expect("("));
    if (in_.accept(")")) return inputs;
    do {
      BRISK_ASSIGN(const ValueId id, read_reference());
      inputs.push_back(id);
      if (inputs.size() > kMostPerNode) return in_.wrong("at most 64 inputs", "more");
    } while (in_.accept(","));
    BRISK_TRY(in_.expect(")"));
    return inputs;
  }

  Result<ops::Attributes> read_attributes() {
    ops::Attributes attributes;
    if (!in_.accept("{")) return attributes;
    do {
      BRISK_ASSIGN(std::string key, in_.identifier());
      BRISK_TRY(in_.expect("="));
      BRISK_ASSIGN(ops::Attribute value, read_attribute());
      attributes.entries.emplace_back(std::move(key), std::move(value));
      if (attributes.entries.size() > kMostPerNode) return in_.wrong("at most 64 attributes", "more");
    } while (in_.accept(","));
    BRISK_TRY(in_.expect("}"));
    return attributes;
  }

  Result<ops::Attribute> read_attribute() {
    if (in_.accept("[")) return read_list();
    in_.skip_spaces();
    if (in_.at_real()) {
      BRISK_ASSIGN(const double real, in_.number<double>("a number"));
      return ops::Attribute(real);
    }
    BRISK_ASSIGN(const int64_t integer, in_.number<int64_t>("an integer, a real number or a list"));
    return ops::Attribute(integer);
  }

  Result<ops::Attribute> read_list() {
    std::vector<float> list;
    if (!in_.accept("]")) {
      do {
        BRISK_ASSIGN(const float real, in_.number<float>("a number"));
        list.push_back(real);
      } while (in_.accept(","));
      BRISK_TRY(in_.expect("]"));
    }
    return ops::Attribute(std::make_shared<const std::vector<float>>(std::move(list)));
  }

  // # name
  Result<std::string> read_node_name() {
    BRISK_TRY(in_.expect("#"));
    return in_.name();
  }

  // %12
  Result<int64_t> read_label() {
    BRISK_TRY(in_.expect("%"));
    return in_.number<int64_t>("a value's number");
  }

  Status define(int64_t label, ValueId id) {
    if (values_.emplace(label, id).second) return {};
    return in_.wrong("every value made once", "%" + std::to_string(label) + " again");
  }

  // %12 or @weight
  Result<ValueId> read_reference() {
    if (in_.accept("@")) {
      BRISK_ASSIGN(const std::string name, in_.name());
      const ValueId id = graph_.find_weight(name);
      if (id < 0) return in_.wrong("a weight that stands above", "'" + name + "'");
      return id;
    }
    BRISK_ASSIGN(const int64_t label, read_label());
    const auto found = values_.find(label);
    if (found == values_.end()) return in_.wrong("a value that is made above", "%" + std::to_string(label));
    return found->second;
  }

  Result<DType> read_dtype() {
    BRISK_ASSIGN(const std::string name, in_.identifier());
    if (const auto dtype = dtype_from_name(name)) return *dtype;
    return in_.wrong("a data type", "'" + name + "'");
  }

  // f32[tokens, 576], q8_rows[tokens, 576] or state
  Result<ops::ValueType> read_type() {
    if (in_.accept("state")) return ops::ValueType{ops::ValueForm::kState, DType::kU8, {}};
    ops::ValueType type;
    if (in_.accept("q8_rows")) {
      type = {ops::ValueForm::kQ8Rows, DType::kI8, {}};
    } else {
      BRISK_ASSIGN(type.dtype, read_dtype());
    }
    BRISK_TRY(in_.expect("["));
    if (in_.accept("]")) return type;
    do {
      BRISK_ASSIGN(Dim dim, read_dim());
      type.shape.push_back(std::move(dim));
      if (type.shape.size() > kMostRank) return in_.wrong("at most 8 dimensions", "more");
    } while (in_.accept(","));
    BRISK_TRY(in_.expect("]"));
    return type;
  }

  // [49152, 576]
  Result<Shape> read_shape() {
    Shape shape;
    BRISK_TRY(in_.expect("["));
    do {
      BRISK_ASSIGN(const int64_t dim, in_.number<int64_t>("a dimension"));
      if (dim < 1 || dim > kMostDim) return in_.wrong("a dimension from 1 to 2^40", std::to_string(dim));
      shape.push_back(dim);
      if (shape.size() > kMostRank) return in_.wrong("at most 8 dimensions", "more");
    } while (in_.accept(","));
    BRISK_TRY(in_.expect("]"));
    return shape;
  }

  // after(0)<=8*tokens, after(0) or affine
  Result<Dim> read_dim() {
    if (!in_.accept("after(")) return read_affine();
    BRISK_ASSIGN(const int64_t size, in_.number<int64_t>("the number of a size"));
    if (size < 0 || size >= ops::kMostRunTimeSizes) {
      return in_.wrong("a size below " + std::to_string(ops::kMostRunTimeSizes), std::to_string(size));
    }
    BRISK_TRY(in_.expect(")"));
    if (!in_.accept("<=")) return Dim::known_after(static_cast<SizeId>(size));
    BRISK_ASSIGN(Dim bound, read_affine());
    return Dim::known_after(static_cast<SizeId>(size), std::move(bound));
  }

  // 2*tokens+outputs-1
  Result<Dim> read_affine() {
    Dim sum(0);
    for (size_t terms = 0;; ++terms) {
      if (terms > kMostPerNode) return in_.wrong("at most 64 terms", "more");
      const bool minus = in_.accept("-");
      if (terms > 0 && !minus && !in_.accept("+")) break;
      BRISK_ASSIGN(const Dim term, read_term());
      sum = sum + (minus ? -1 : 1) * term;
    }
    if (in_bounds(sum)) return sum;
    return in_.wrong("numbers up to 2^40 in a dimension", sum.to_string(graph_.symbols()));
  }

  // 2*tokens, tokens, 5
  Result<Dim> read_term() {
    in_.skip_spaces();
    int64_t factor = 1;
    if (in_.peek() >= '0' && in_.peek() <= '9') {
      BRISK_ASSIGN(factor, in_.number<int64_t>("a dimension"));
      if (factor > kMostDim) {
        return in_.wrong("numbers up to 2^40 in a dimension", std::to_string(factor));
      }
      if (!in_.accept("*")) return Dim(factor);
    }
    BRISK_ASSIGN(const std::string name, in_.identifier());
    const auto symbol = symbols_.find(name);
    if (symbol == symbols_.end()) return in_.wrong("a symbol that stands above", "'" + name + "'");
    return Dim::symbol(symbol->second, factor);
  }

  static bool in_bounds(const Dim& dim) {
    const auto fits = [](int64_t number) { return number >= -kMostDim && number <= kMostDim; };
    return fits(dim.constant()) &&
           std::ranges::all_of(dim.terms(), [&fits](const auto& term) { return fits(term.second); });
  }

  TextCursor in_;
  const WeightLookup& weights_;
  Graph graph_;
  std::unordered_map<std::string, SymbolId> symbols_;
  std::unordered_map<int64_t, ValueId> values_;  // by label
  std::set<std::string> input_names_;
};

}  // namespace

Result<Graph> read_graph(std::string_view text, std::string_view where, const WeightLookup& weights) {
  if (text.size() > kMostText) {
    return bad_input({std::string(where), "at most 64 MiB of text", std::to_string(text.size()) + " bytes",
                      "a smaller graph"});
  }
  return Reader(text, where, weights).run();
}

}  // namespace brisk::graph
