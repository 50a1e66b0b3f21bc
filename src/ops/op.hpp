// What an operator is: a shape rule with argument checks, and a binding that chooses the kernel. One file
// per operator in this folder; ops/<name>.cpp defines op_<name>(), and the build lists them.
//
// Life of a node: infer() when it is built and again by the verifier; bind() once, when the plan is made:
// it chooses the kernel and resolves the buffers; then run() for every step, which allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/cpu.hpp"
#include "base/status.hpp"
#include "base/thread_pool.hpp"
#include "kernels/attention/attention.hpp"
#include "tensor/dim.hpp"
#include "tensor/dtype.hpp"
#include "tensor/weight.hpp"

namespace brisk::ops {

/// How a value is held.
enum class ValueForm : uint8_t {
  kTensor,  ///< dense, row-major
  kQ8Rows,  ///< two rows of int8 with scales for each row (kernels/quantize): the row, then what that
            ///< leaves over; shape [rows, k]
  kState,   ///< a token that orders the ops which touch state; has no bytes
};

struct ValueType {
  ValueForm form = ValueForm::kTensor;
  DType dtype = DType::kF32;
  std::vector<Dim> shape = {};
  friend bool operator==(const ValueType&, const ValueType&) = default;
};

/// Named settings of a node, fixed when the graph is built. The list is shared, not held: copying a variant
/// of libstdc++ 12 that holds a vector is undefined when memory runs out (it takes such a variant for one
/// that can never be empty).
using Attribute = std::variant<int64_t, double, std::shared_ptr<const std::vector<float>>>;
struct Attributes {
  std::vector<std::pair<std::string, Attribute>> entries = {};

  /// The attribute, which the op requires: a missing one is the builder's mistake.
  int64_t integer(std::string_view name) const { return std::get<int64_t>(find(name)); }
  double real(std::string_view name) const { return std::get<double>(find(name)); }
  const std::vector<float>& reals(std::string_view name) const {
    return *std::get<std::shared_ptr<const std::vector<float>>>(find(name));
  }
  /// An attribute that the op does not require.
  int64_t integer_or(std::string_view name, int64_t otherwise) const;
  friend bool operator==(const Attributes&, const Attributes&) = default;

 private:
  const Attribute& find(std::string_view name) const;
};

enum class AttributeKind : uint8_t { kInteger, kReal, kReals };  // in the order of Attribute's alternatives

/// What an op says of an attribute that it reads. Graphs are also read from text, so an attribute that is
/// missing, of another kind, out of range or not finite is an error and never reaches infer().
struct AttributeRule {
  const char* name;
  AttributeKind kind = AttributeKind::kInteger;
  int64_t least = 0, most = 1 << 20;  ///< of an integer, or of the length of a list
  bool required = true;
};

/// A node as its op sees it. Weights stand in the same list as activations: weights[i] is null for those.
struct NodeView {
  std::string_view name;
  std::span<const ValueType> inputs;
  std::span<const Weight* const> weights;
  const Attributes& attributes;
};

/// Where one row of a step keeps its state and what it sees of it.
struct KvRow {
  const kernels::KvLayer* layers =
      nullptr;                     ///< [layers] of the row's sequence; null: the row passes them all by
  int32_t position = 0;            ///< in the sequence: where its keys and values are stored
  int32_t first = 0, last = 0;     ///< positions that it sees: [first, last)
  const uint64_t* mask = nullptr;  ///< bit j: whether it sees position j; null: all of [first, last)
};

/// A policy's request for what some rows look at (kernels::AttentionProbeArgs), in every layer that they run.
struct AttentionProbe {
  int64_t row_begin = 0, row_count = 0;  ///< rows of the step, all of one sequence
  int32_t last = 0;                      ///< the probabilities are over positions [0, last)
  kernels::KeyScore score = kernels::KeyScore::kMaximum;
  float* log_sums = nullptr;    ///< [layers, row_count, heads]
  float* key_scores = nullptr;  ///< [layers, kv_heads, key_stride]; null: not wanted
  int64_t key_stride = 0;
};

/// The state that a step reads and appends to.
struct KvState {
  const KvRow* rows = nullptr;            ///< [rows]
  const AttentionProbe* probe = nullptr;  ///< null: none
};

/// What a step hands to every op.
struct StepContext {
  std::byte* arena = nullptr;
  std::span<const int64_t> symbols;  ///< values of the graph's symbols in this step
  ThreadPool* pool = nullptr;
  std::byte* scratch = nullptr;  ///< lane i owns [i * scratch_stride, (i + 1) * scratch_stride)
  int64_t scratch_stride = 0;
  KvState kv;
  std::span<int64_t> run_time_sizes = {};  ///< by SizeId: dimensions that a node of this step has found

  template <typename T>
  T* at(int64_t offset) const {
    return reinterpret_cast<T*>(arena + offset);
  }
  int64_t size(const Dim& dim) const {
    return dim.is_known() ? dim.evaluate(symbols) : run_time_sizes[static_cast<size_t>(dim.size_id())];
  }
  /// Number of values of a tensor of this shape.
  int64_t count(std::span<const Dim> shape) const {
    int64_t values = 1;
    for (const Dim& dim : shape) values *= size(dim);
    return values;
  }
  /// What the op that finds a size says when it has run.
  void set_size(SizeId id, int64_t size) const { run_time_sizes[static_cast<size_t>(id)] = size; }
};

/// Run-time sizes that a graph may have.
inline constexpr int64_t kMostRunTimeSizes = 4096;

/// Work of one call, for traces and benchmarks.
struct OpCost {
  int64_t bytes = 0;       ///< read and written, weights included
  int64_t operations = 0;  ///< a multiply-add is two
};

/// A node with its kernel chosen and its buffers resolved.
class BoundOp {
 public:
  virtual ~BoundOp() = default;
  virtual void run(const StepContext& context) const noexcept = 0;
  virtual const char* kernel() const = 0;
  virtual OpCost cost(const StepContext& context) const = 0;

  /// Bytes of repacked weight that the op wants, and the packing of its share of [0, 1) by lanes.
  virtual int64_t packed_bytes() const { return 0; }
  virtual void pack(std::byte* /*storage*/, ThreadPool& /*pool*/) {}
  virtual int64_t scratch_bytes() const { return 0; }  ///< per lane
};

/// What bind() is given beside the node.
struct BindContext {
  Isa isa = Isa::kRef;
  DType kv_type = DType::kF16;                  ///< of the stored keys and values
  std::span<const int64_t> most = {};           ///< largest value of each symbol
  std::span<const int64_t> input_offsets = {};  ///< arena offsets; -1 for weights and states
  std::span<const int64_t> output_offsets = {};
  std::span<const ValueType> outputs = {};

  /// The largest size of a dimension; the memory plan has checked that there is one.
  int64_t most_size(const Dim& dim) const { return dim.most(most).value(); }
};

struct Op {
  const char* name;
  /// The types of the outputs, or why the node is wrong (Internal: graphs are built by our code, and
  /// what comes from a file was checked before).
  Result<std::vector<ValueType>> (*infer)(const NodeView& node);
  Result<std::unique_ptr<BoundOp>> (*bind)(const NodeView& node, const BindContext& context);
  /// Whether output 0 may lie in the buffer of input 0 when that is its last use.
  bool in_place = false;
  /// Every attribute that it reads.
  std::span<const AttributeRule> attributes = {};
};

std::span<const Op> all_ops();
const Op* find_op(std::string_view name);

/// Arena bytes of a value at the given largest values of the symbols (a multiple of 64); states have none.
/// Nothing when a dimension has no bound or the bytes exceed 2^60.
std::optional<int64_t> value_bytes(const ValueType& type, std::span<const int64_t> most);

/// The types of the node's outputs: its attributes checked against the op's rules, then infer().
Result<std::vector<ValueType>> infer_outputs(const Op& op, const NodeView& node);

/// "node NAME: expected X, got Y", for infer().
Status node_error(const NodeView& node, std::string expected, std::string got);
/// Checks the number of inputs.
Status expect_inputs(const NodeView& node, size_t count);
/// Checks that input `index` is a dense f32 activation of rank 2, [rows, width]; width -1: any constant. The
/// number of rows must be that of input 0 when `same_rows` says so.
Status expect_rows(const NodeView& node, size_t index, int64_t width, bool same_rows = false);
/// Checks that input `index` is an i32 activation of rank 1: a number per row. `rows`, when given, is how
/// many.
Status expect_row_numbers(const NodeView& node, size_t index, const Dim* rows = nullptr);
/// Checks that input `index` is a weight of this shape (and type, when given).
Status expect_weight(const NodeView& node, size_t index, const Shape& shape, const DType* dtype = nullptr);

}  // namespace brisk::ops
