// Attention, readable: one row and head after the other, as the row law in attention.hpp says. The oracle of
// the vector levels, which share no code with it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/attention/variants.hpp"
#include "quant/half.hpp"

namespace brisk::kernels::ref {
namespace {

float to_f32(float value) { return value; }
float to_f32(uint16_t value) { return quant::f16_to_f32(value); }
void convert(float value, float* to) { *to = value; }
void convert(float value, uint16_t* to) { *to = quant::f32_to_f16(value); }

/// Where dimension d of a token's key and value of one head lie.
template <typename E>
struct Slots {
  E* key;    // element d at key[16 * d]
  E* value;  // element d at value[d]
};

template <typename E>
Slots<E> find_slots(const KvView& view, int64_t token, int64_t head) {
  const KvGeometry& g = *view.geometry;
  std::byte* slab = view.slabs + view.table[token / kSlabTokens] * g.slab_bytes();
  const int64_t in_slab = token % kSlabTokens;
  E* keys = reinterpret_cast<E*>(slab);
  E* values = reinterpret_cast<E*>(slab + g.value_offset());
  return {keys + ((head * (kSlabTokens / 16) + in_slab / 16) * g.k_dim) * 16 + in_slab % 16,
          values + (head * kSlabTokens + in_slab) * g.v_dim};
}

template <typename E>
void store(const KvStoreArgs& args) noexcept {
  const KvGeometry& g = *args.view.geometry;
  for (int64_t head = 0; head < g.kv_heads; ++head) {
    const Slots<E> slots = find_slots<E>(args.view, args.position, head);
    for (int64_t d = 0; d < g.k_dim; ++d) convert(args.k[head * g.k_dim + d], &slots.key[16 * d]);
    for (int64_t d = 0; d < g.v_dim; ++d) convert(args.v[head * g.v_dim + d], &slots.value[d]);
  }
}

/// One query head over one row's keys; out holds v_dim values.
template <typename E>
void attend(const AttentionRow& row, int64_t kv_head, const float* q, float scale, float* out) {
  const KvGeometry& g = *row.view.geometry;
  constexpr float kNothing = -std::numeric_limits<float>::infinity();
  float peak = kNothing, total = 0;
  std::fill_n(out, g.v_dim, 0.0F);
  for (int64_t block = row.first / kAttentionBlock * kAttentionBlock; block < row.last;
       block += kAttentionBlock) {
    const int64_t begin = std::max(block, row.first), end = std::min(block + kAttentionBlock, row.last);
    float p[kAttentionBlock] = {};
    float new_peak = peak;
    for (int64_t j = begin; j < end; ++j) {
      const E* key = find_slots<E>(row.view, j, kv_head).key;
      float score = 0;
      for (int64_t d = 0; d < g.k_dim; ++d) score = std::fma(q[d], to_f32(key[16 * d]), score);
      p[j - block] = score * scale;
      if (p[j - block] > new_peak) new_peak = p[j - block];
    }
    const float shift = new_peak == kNothing ? 0.0F : new_peak;
    const float factor = std::exp(peak - shift);
    peak = new_peak;
    for (int64_t d = 0; d < g.v_dim; ++d) out[d] *= factor;

    float part[16] = {};
    for (int64_t j = begin; j < end; ++j) {
      float& weight = p[j - block];
      weight = std::exp(weight - shift);
      part[j % 16] += weight;
      const E* value = find_slots<E>(row.view, j, kv_head).value;
      for (int64_t d = 0; d < g.v_dim; ++d) out[d] = std::fma(weight, to_f32(value[d]), out[d]);
    }
    for (int apart = 8; apart >= 1; apart /= 2) {
      for (int i = 0; i < apart; ++i) part[i] += part[i + apart];
    }
    total = total * factor + part[0];
  }
  for (int64_t d = 0; d < g.v_dim; ++d) out[d] /= total;
}

template <typename E>
void run(const AttentionArgs& args) noexcept {
  if (args.row_count == 0) return;
  const KvGeometry& g = *args.rows[0].view.geometry;
  const int64_t group = args.heads / g.kv_heads;
  for (int64_t item = args.item_begin; item < args.item_end; ++item) {
    const AttentionItem work = attention_item(item, args.row_count);
    for (int64_t row = work.row_begin; row < work.row_end; ++row) {
      for (int64_t head = work.kv_head * group; head < (work.kv_head + 1) * group; ++head) {
        attend<E>(args.rows[row], work.kv_head, args.q + row * args.q_stride + head * g.k_dim, args.scale,
                  args.out + row * args.out_stride + head * g.v_dim);
      }
    }
  }
}

}  // namespace

const AttentionVariant attention_f32 = {"attention_f32_kvf32__ref", Isa::kRef, DType::kF32, store<float>,
                                        run<float>};
const AttentionVariant attention_f16 = {"attention_f32_kvf16__ref", Isa::kRef, DType::kF16, store<uint16_t>,
                                        run<uint16_t>};

}  // namespace brisk::kernels::ref
