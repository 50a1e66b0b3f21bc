#include "cli/kernel_table.hpp"

#include <vector>

#include "cli/output.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/norm/norm.hpp"
#include "kernels/quantize/quantize.hpp"
#include "kernels/rope/rope.hpp"
#include "quant/weight_form.hpp"

namespace brisk::cli {
namespace {

struct Row {
  std::string op;
  std::string weight;  ///< type of the weight, or of the keys and values; "" when there is none
  std::string input;   ///< form of the activations
  std::string kernel;
  Isa isa;
  std::string remark;  ///< why no better kernel; empty when this is the best level of the machine
};

/// `kernel` serves at level `active`; `better` is what the machine's best level would take.
std::string remark_on(Isa serving, Isa active, const std::string& kernel, const std::string& better) {
  if (kernel != better) return "BRISK_ISA; else " + better;
  if (serving < active) return "no " + std::string(isa_name(active)) + " kernel";
  return "";
}

template <typename Variant>
Row row_of(std::string op, std::string weight, std::string input, Isa active, const Variant& variant,
           const Variant& best) {
  return {std::move(op), std::move(weight), std::move(input),
          variant.name,  variant.isa,       remark_on(variant.isa, active, variant.name, best.name)};
}

void add_products(std::vector<Row>& rows, Isa active, Isa best) {
  using kernels::ActivationForm;
  const auto add = [&](const quant::WeightForm& form, const std::string& weight) {
    for (const ActivationForm input : {ActivationForm::kQ8, ActivationForm::kF32}) {
      const kernels::GemmVariant* variant = kernels::find_gemm(form, input, active);
      const kernels::GemmVariant* better = kernels::find_gemm(form, input, best);
      if (variant == nullptr || better == nullptr) continue;
      rows.push_back(row_of("linear", weight, input == ActivationForm::kQ8 ? "int8 pairs" : "f32 (exact)",
                            active, *variant, *better));
    }
  };
  for (const quant::WeightForm& form : quant::all_forms()) {
    add(form, form.blocks ? std::string(dtype_name(form.blocks->dtype)) : form.name);
  }
  quant::WeightForm any{};
  any.name = "any other";
  add(any, any.name);
}

void add_attention(std::vector<Row>& rows, Isa active, Isa best) {
  for (const DType kv : {DType::kF16, DType::kF32}) {
    const kernels::AttentionVariant* variant = kernels::find_attention(kv, active);
    const kernels::AttentionVariant* better = kernels::find_attention(kv, best);
    if (variant == nullptr || better == nullptr) continue;
    rows.push_back(row_of("attention", std::string(dtype_name(kv)), "f32", active, *variant, *better));
  }
}

std::vector<Row> table(Isa active) {
  const Isa best = cpu_info().best;
  std::vector<Row> rows;
  add_products(rows, active, best);
  add_attention(rows, active, best);
  rows.push_back(row_of("quantize rows", "", "f32", active, kernels::find_quantize(active),
                        kernels::find_quantize(best)));
  rows.push_back(
      row_of("rms norm", "F32", "f32", active, kernels::find_rms_norm(active), kernels::find_rms_norm(best)));
  rows.push_back(row_of("rope", "", "f32", active, kernels::find_rope(active), kernels::find_rope(best)));
  rows.push_back(row_of("silu, add", "", "f32", active, kernels::find_activation(active),
                        kernels::find_activation(best)));
  return rows;
}

}  // namespace

std::string kernel_table_text(Isa isa) {
  Table out({{"OPERATION"}, {"WEIGHT"}, {"INPUT"}, {"KERNEL"}, {"ISA"}, {"WHY NO BETTER"}});
  for (const Row& row : table(isa)) {
    out.add({row.op, row.weight, row.input, row.kernel, std::string(isa_name(row.isa)), row.remark});
  }
  return out.text();
}

Json kernel_table_json(Isa isa) {
  Json list = Json::array();
  for (const Row& row : table(isa)) {
    list.push_back({{"op", row.op},
                    {"weight", row.weight},
                    {"input", row.input},
                    {"kernel", row.kernel},
                    {"isa", isa_name(row.isa)},
                    {"why_no_better", row.remark}});
  }
  return list;
}

}  // namespace brisk::cli
