// Attention, readable: one row and head after the other, as the row law in attention.hpp says. The oracle of
// the vector levels, which have its bits and share no code with it.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/attention/pages.hpp"
#include "kernels/attention/variants.hpp"
#include "quant/half.hpp"

namespace brisk::kernels::ref {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

/// exp by the steps and constants of simd/common.inl, so that the levels can be compared by bits.
float exp_of_law(float x) {
  constexpr float kRounder = 0x1.8p23F;  // added, it leaves no room for a fraction
  if (std::isnan(x)) return x;
  x = std::clamp(x, -104.0F, 89.0F);
  const float n = std::fma(x, 1.44269504F, kRounder) - kRounder;
  const float r = std::fma(-n, -1.90465430e-9F, std::fma(-n, 0.693147182F, x));
  float p = 0.008312501013278961F;
  for (const float c : {0.041890330612659454F, 0.16667115688323975F, 0.499992311000824F, 1.0F, 1.0F}) {
    p = std::fma(p, r, c);
  }
  return std::ldexp(p, static_cast<int>(n));
}

template <typename T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}
float load_f16(const std::byte* at) { return quant::f16_to_f32(load<uint16_t>(at)); }

// One dimension of a key, in a tile of 16 keys, and of a value, in its row: a struct for each stored type.
struct F32 {
  static float key(const std::byte* tile, int64_t lane, int64_t d) { return value(tile, d * 16 + lane); }
  static float value(const std::byte* row, int64_t d) { return load<float>(row + d * 4); }
};
struct F16 {
  static float key(const std::byte* tile, int64_t lane, int64_t d) { return value(tile, d * 16 + lane); }
  static float value(const std::byte* row, int64_t d) { return load_f16(row + d * 2); }
};
struct Bf16 {
  static float key(const std::byte* tile, int64_t lane, int64_t d) { return value(tile, d * 16 + lane); }
  static float value(const std::byte* row, int64_t d) {
    return quant::bf16_to_f32(load<uint16_t>(row + d * 2));
  }
};
struct Q8 {
  static float key(const std::byte* tile, int64_t lane, int64_t d) {
    const std::byte* block = tile + d / 32 * 16 * 34;
    return load_f16(block + lane * 2) * load<int8_t>(block + 32 + d % 32 * 16 + lane);
  }
  static float value(const std::byte* row, int64_t d) {
    const std::byte* block = row + d / 32 * 34;
    return load_f16(block) * load<int8_t>(block + 2 + d % 32);
  }
};
struct Q4 {
  static float code(const std::byte* at, int64_t d) {  // of two in one byte: the low half first
    return static_cast<float>((std::to_integer<int>(*at) >> (d % 32 < 16 ? 0 : 4) & 15) - 8);
  }
  static float key(const std::byte* tile, int64_t lane, int64_t d) {
    const std::byte* block = tile + d / 32 * 16 * 18;
    return load_f16(block + lane * 2) * code(block + 32 + d % 16 * 16 + lane, d);
  }
  static float value(const std::byte* row, int64_t d) {
    const std::byte* block = row + d / 32 * 18;
    return load_f16(block) * code(block + 2 + d % 16, d);
  }
};

/// What one row sees of one key-value head, in entries.
struct Sight {
  const KvGeometry& geometry;
  const KvHead& head;
  const uint64_t* mask;
  int64_t first, last;

  Sight(const KvGeometry& g, const AttentionRow& row, int64_t kv_head)
      : geometry(g), head(row.heads[kv_head]), mask(row.mask),
        first(std::max<int64_t>(row.first + head.shift, 0)), last(row.last + head.shift) {}
  bool sees(int64_t j) const { return mask == nullptr || (mask[j / 64] >> (j % 64) & 1) != 0; }
  int64_t first_block() const { return first / kAttentionBlock * kAttentionBlock; }
};

/// The softmax of one row and head so far.
struct Softmax {
  float peak = kNothing, total = 0;

  float shift() const { return peak == kNothing ? 0.0F : peak; }
  float log_sum() const { return peak + std::log(total); }
  /// Turns the scores of a block into probabilities; returns what earlier sums must be scaled by.
  float add(float (&p)[kAttentionBlock]) {
    const float old_peak = peak;
    peak = std::max(peak, *std::max_element(p, p + kAttentionBlock));
    float part[16] = {};
    for (int64_t j = 0; j < kAttentionBlock; ++j) part[j % 16] += p[j] = exp_of_law(p[j] - shift());
    for (int apart = 8; apart >= 1; apart /= 2) {
      for (int i = 0; i < apart; ++i) part[i] += part[i + apart];
    }
    const float factor = exp_of_law(old_peak - shift());
    total = total * factor + part[0];
    return factor;
  }
};

/// The scores of the block that begins at `block`; -inf where nothing is seen.
template <typename E>
void score_block(const Sight& sight, int64_t block, const float* q, float scale,
                 float (&scores)[kAttentionBlock]) {
  std::fill_n(scores, kAttentionBlock, kNothing);
  for (int64_t j = std::max(block, sight.first); j < std::min(block + kAttentionBlock, sight.last); ++j) {
    if (!sight.sees(j)) continue;
    const EntryPlace at = find_entry(sight.geometry, sight.head, j);
    float score = 0;
    for (int64_t d = 0; d < sight.geometry.k_dim; ++d) {
      score = std::fma(q[d], E::key(at.tile, at.lane, d), score);
    }
    scores[j - block] = score * scale;
  }
}

/// One query head over one row's entries; out holds v_dim values.
template <typename E>
void attend(const Sight& sight, const float* q, float scale, float* out) {
  const int64_t v_dim = sight.geometry.v_dim;
  Softmax softmax;
  std::fill_n(out, v_dim, 0.0F);
  for (int64_t block = sight.first_block(); block < sight.last; block += kAttentionBlock) {
    float p[kAttentionBlock];
    score_block<E>(sight, block, q, scale, p);
    const float factor = softmax.add(p);
    for (int64_t d = 0; d < v_dim; ++d) out[d] *= factor;
    for (int64_t j = std::max(block, sight.first); j < std::min(block + kAttentionBlock, sight.last); ++j) {
      if (!sight.sees(j)) continue;
      const std::byte* value = find_entry(sight.geometry, sight.head, j).value;
      for (int64_t d = 0; d < v_dim; ++d) out[d] = std::fma(p[j - block], E::value(value, d), out[d]);
    }
  }
  for (int64_t d = 0; d < v_dim; ++d) out[d] /= softmax.total;
}

template <typename E>
void run(const AttentionArgs& args) noexcept {
  const KvGeometry& g = *args.geometry;
  const int64_t group = args.heads / g.kv_heads;
  for (int64_t item = args.item_begin; item < args.item_end; ++item) {
    const AttentionItem work = attention_item(item, args.row_count);
    for (int64_t row = work.row_begin; row < work.row_end; ++row) {
      const Sight sight(g, args.rows[row], work.kv_head);
      for (int64_t head = work.kv_head * group; head < (work.kv_head + 1) * group; ++head) {
        attend<E>(sight, args.q + row * args.q_stride + head * g.k_dim, args.scale,
                  args.out + row * args.out_stride + head * g.v_dim);
      }
    }
  }
}

/// The probabilities of one row and head, added to the entries' numbers.
template <typename E>
void merge(const Sight& sight, const float* q, float log_sum, const AttentionProbeArgs& args,
           float* key_scores) {
  const float shift = log_sum == kNothing ? 0.0F : log_sum;
  for (int64_t block = sight.first_block(); block < sight.last; block += kAttentionBlock) {
    float scores[kAttentionBlock];
    score_block<E>(sight, block, q, args.scale, scores);
    for (int64_t j = std::max(block, sight.first); j < std::min(block + kAttentionBlock, sight.last); ++j) {
      const float p = exp_of_law(scores[j - block] - shift);
      key_scores[j] = args.score == KeyScore::kSum ? key_scores[j] + p : std::max(key_scores[j], p);
    }
  }
}

template <typename E>
void probe(const AttentionProbeArgs& args) noexcept {
  const KvGeometry& g = *args.geometry;
  const int64_t group = args.heads / g.kv_heads;
  float* key_scores = args.key_scores == nullptr ? nullptr : args.key_scores + args.kv_head * args.key_stride;
  if (key_scores != nullptr) std::fill_n(key_scores, args.key_stride, 0.0F);
  for (int64_t row = 0; row < args.row_count; ++row) {
    const Sight sight(g, args.rows[row], args.kv_head);
    for (int64_t head = args.kv_head * group; head < (args.kv_head + 1) * group; ++head) {
      const float* q = args.q + row * args.q_stride + head * g.k_dim;
      Softmax softmax;
      for (int64_t block = sight.first_block(); block < sight.last; block += kAttentionBlock) {
        float p[kAttentionBlock];
        score_block<E>(sight, block, q, args.scale, p);
        softmax.add(p);
      }
      float& log_sum = args.log_sums[row * args.heads + head];
      log_sum = softmax.log_sum();
      if (key_scores != nullptr) merge<E>(sight, q, log_sum, args, key_scores);
    }
  }
}

}  // namespace

const AttentionVariant attention[kStoredTypes] = {
    {"attention_f32_kvf32__ref", Isa::kRef, DType::kF32, store_entry, run<F32>, probe<F32>},
    {"attention_f32_kvf16__ref", Isa::kRef, DType::kF16, store_entry, run<F16>, probe<F16>},
    {"attention_f32_kvbf16__ref", Isa::kRef, DType::kBF16, store_entry, run<Bf16>, probe<Bf16>},
    {"attention_f32_kvq8_0__ref", Isa::kRef, DType::kQ8_0, store_entry, run<Q8>, probe<Q8>},
    {"attention_f32_kvq4_0__ref", Isa::kRef, DType::kQ4_0, store_entry, run<Q4>, probe<Q4>},
};

}  // namespace brisk::kernels::ref
