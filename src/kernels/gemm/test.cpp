// Every matrix product against the reference, bit for bit, and the reference against double precision.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "base/memory.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/native.hpp"
#include "quant/half.hpp"
#include "quant/weight_form.hpp"
#include "support/guarded_buffer.hpp"

namespace brisk::kernels {
namespace {

using test::GuardedBuffer;
using enum ActivationForm;

constexpr DType kPlainTypes[] = {DType::kF32, DType::kF16, DType::kBF16};
constexpr DType kQuantisedTypes[] = {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1,
                                     DType::kQ8_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};
constexpr float kCanary = 12345.5f;  // in outputs that must stay untouched
constexpr int64_t kGap = 3;          // floats between rows of y

/// Takes BRISK_TEST_SEED, else a fixed seed; printed, so that a failure can be repeated.
uint32_t seed() {
  static const uint32_t value = [] {
    const char* text = std::getenv("BRISK_TEST_SEED");
    const auto s = static_cast<uint32_t>(text != nullptr ? std::strtoul(text, nullptr, 10) : 20261122);
    std::printf("BRISK_TEST_SEED=%u\n", s);
    return s;
  }();
  return value;
}

struct Pair {
  DType weight;
  ActivationForm form;
};
std::vector<Pair> all_pairs() {
  std::vector<Pair> pairs;
  for (const DType type : kPlainTypes) pairs.push_back({type, kF32});
  for (const DType type : kQuantisedTypes) {
    pairs.push_back({type, kF32});
    pairs.push_back({type, kQ8});
  }
  return pairs;
}
std::string pair_name(const testing::TestParamInfo<Pair>& info) {
  return std::string(dtype_name(info.param.weight)) + (info.param.form == kQ8 ? "_q8" : "_f32");
}

const quant::WeightForm& weight_form(DType type) { return *quant::find_form(type); }
const GemmVariant& reference(Pair pair) { return *find_gemm(weight_form(pair.weight), pair.form, Isa::kRef); }

/// The variants that this machine can run beside the reference: those of the form, then, for f32
/// activations, those of any form.
std::vector<const GemmVariant*> other_variants(Pair pair) {
  std::vector<const GemmVariant*> list;
  for (const GemmVariant& v : gemm_variants()) {
    const bool serves = v.form == nullptr || std::string_view(v.form) == weight_form(pair.weight).name;
    const bool runs = v.isa <= cpu_info().best && &v != &reference(pair);
    if (runs && serves && v.activations == pair.form) list.push_back(&v);
  }
  return list;
}
size_t count_of_other_variants(Pair pair) {
  const auto fast_levels = static_cast<size_t>(cpu_info().best);
  return pair.form == kQ8 ? fast_levels : 2 * fast_levels + 1;
}

/// Offsets of the f16 scales in a native block; the rest of a block may hold any bits.
std::vector<int> scale_offsets(DType type) {
  switch (type) {
    case DType::kQ4_0:
    case DType::kQ5_0:
    case DType::kQ8_0: return {0};
    case DType::kQ6_K: return {208};
    default: return {0, 2};
  }
}

/// A random problem whose every buffer ends at an unmapped page (or `slack` bytes before it).
class Problem {
 public:
  Problem(Pair pair, int64_t rows, int64_t columns, int64_t width, size_t slack = 0)
      : form(pair.form), m(rows), n(columns), k(width), y_stride(columns + kGap),
        rng_(seed() + static_cast<uint32_t>(rows * 7 + columns * 31 + width)),
        native(*dtype_bytes(pair.weight, columns * width)),
        weight(quant::block_weight("w", pair.weight, {columns, width}, {native.data(), native.size()})),
        scratch(form == kF32 ? kGemmColumns * width : 0),
        x_f32(form == kF32 ? rows * (width + 1) - 1 : 0, slack * 4),
        values(form == kQ8 ? rows * q8_value_stride(width) : 0, slack),
        scales(form == kQ8 ? rows * width / 32 : 0, slack * 4),
        sums(form == kQ8 ? rows * width / 16 : 0, slack * 4), y_slack_(slack * 4) {
    fill_weights(pair.weight);
    fill_activations();
  }

  GemmArgs args(const GuardedBuffer<std::byte>* packed, float* y) const {
    return {&weight,
            packed != nullptr ? packed->data() : nullptr,
            n,
            k,
            m,
            x_f32.data(),
            k + 1,
            {values.data(), scales.data(), sums.data(), q8_value_stride(k)},
            y,
            y_stride,
            0,
            n,
            scratch.data()};
  }
  size_t y_size() const { return static_cast<size_t>((m - 1) * y_stride + n); }

  /// Packs (in ranges of 128 columns, from the end) and runs with canaries in place of all outputs.
  std::unique_ptr<GuardedBuffer<float>> run(const GemmVariant& variant) const {
    auto y = std::make_unique<GuardedBuffer<float>>(y_size(), y_slack_);
    std::fill(y->begin(), y->end(), kCanary);
    const auto packed = pack(variant);
    variant.run(args(packed.get(), y->data()));
    return y;
  }
  std::unique_ptr<GuardedBuffer<std::byte>> pack(const GemmVariant& variant) const {
    if (variant.pack == nullptr) return nullptr;
    const auto bytes = static_cast<size_t>(variant.packed_bytes(weight));
    // The allocator's padding may be read, as in real use; nothing behind it.
    auto packed = std::make_unique<GuardedBuffer<std::byte>>(bytes + kOverreadBytes);
    for (int64_t first = (n - 1) / 128 * 128; first >= 0; first -= 128) {
      variant.pack(weight, first, std::min(first + 128, n), packed->data());
    }
    for (size_t i = 0; i < kOverreadBytes; ++i)
      EXPECT_EQ((*packed)[bytes + i], std::byte{0}) << "pack overran";
    return packed;
  }

  const ActivationForm form;
  const int64_t m, n, k, y_stride;

 private:
  float uniform(float low, float high) { return std::uniform_real_distribution<float>(low, high)(rng_); }

  void fill_weights(DType type) {
    if (type == DType::kF32) {
      for (size_t i = 0; i < native.size(); i += 4) {
        const float w = uniform(-1, 1);
        std::memcpy(&native[i], &w, 4);
      }
    } else if (type == DType::kF16 || type == DType::kBF16) {
      for (size_t i = 0; i < native.size(); i += 2) {
        put_half(
            i, type == DType::kF16 ? quant::f32_to_f16(uniform(-1, 1)) : quant::f32_to_bf16(uniform(-1, 1)));
      }
    } else {
      for (std::byte& b : native) b = static_cast<std::byte>(rng_() & 255);
      const auto block = static_cast<size_t>(dtype_info(type).block_bytes);
      for (size_t i = 0; i < native.size(); i += block) {
        for (const int offset : scale_offsets(type))
          put_half(i + static_cast<size_t>(offset), quant::f32_to_f16(uniform(-0.1f, 0.1f)));
      }
    }
  }
  void fill_activations() {
    for (float& x : x_f32) x = uniform(-2, 2);
    for (int8_t& v : values) v = static_cast<int8_t>(static_cast<int>(rng_() % 255) - 127);
    for (float& s : scales) s = uniform(0, 0.05f);
    update_sums();
  }

 public:
  void put_half(size_t at, uint16_t bits) { std::memcpy(&native[at], &bits, 2); }
  void update_sums() {
    for (int64_t i = 0; i < static_cast<int64_t>(sums.size()); ++i) {
      const int8_t* v = values.data() + i / (k / 16) * q8_value_stride(k) + i % (k / 16) * 16;
      sums[static_cast<size_t>(i)] = std::accumulate(v, v + 16, 0);
    }
  }

 private:
  std::mt19937 rng_;

 public:
  GuardedBuffer<std::byte> native;
  Weight weight;  // a view of `native`
  mutable GuardedBuffer<float> scratch;
  GuardedBuffer<float> x_f32;  // [m, k + 1], the last row without its gap
  GuardedBuffer<int8_t> values;
  GuardedBuffer<float> scales;
  GuardedBuffer<int32_t> sums;

 private:
  size_t y_slack_;
};

/// Equal bits; any not-a-number equals any other.
bool same(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

void expect_same(const GuardedBuffer<float>& got, const GuardedBuffer<float>& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  size_t wrong = 0, first = 0;
  float difference = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (same(got[i], want[i])) continue;
    if (wrong++ == 0) first = i;
    difference = std::max(difference, std::abs(got[i] - want[i]));
  }
  EXPECT_EQ(wrong, 0U) << what << ": " << wrong << " of " << got.size() << " differ, the first at " << first
                       << " (" << got[first] << " for " << want[first] << "), by at most " << difference;
}

class Gemm : public testing::TestWithParam<Pair> {
 protected:
  /// Compares all variants with the reference on one problem.
  void check(const Problem& problem) {
    const auto want = problem.run(reference(GetParam()));
    for (const GemmVariant* variant : other_variants(GetParam())) {
      expect_same(*problem.run(*variant), *want,
                  std::string(variant->name) + " m=" + std::to_string(problem.m) +
                      " n=" + std::to_string(problem.n) + " k=" + std::to_string(problem.k));
    }
  }
  void require_variants() {
    if (cpu_info().best == Isa::kRef) GTEST_SKIP() << "no vector level on this machine: " << cpu_info().why;
    ASSERT_EQ(other_variants(GetParam()).size(), count_of_other_variants(GetParam()))
        << "a variant is missing";
  }
  int64_t block() const { return dtype_info(GetParam().weight).block_values; }
};

INSTANTIATE_TEST_SUITE_P(AllPairs, Gemm, testing::ValuesIn(all_pairs()), pair_name);

TEST_P(Gemm, EqualsReferenceOverShapes) {
  ASSERT_NO_FATAL_FAILURE(require_variants());
  if (IsSkipped()) return;
  constexpr int64_t kColumns[] = {1, 15, 16, 17, 48, 63, 64, 65, 130};
  size_t turn = 0;
  for (const int64_t k : {32, 64, 96, 256, 576, 1536, 2048}) {
    if (k % block() != 0) continue;
    for (const int64_t m : {1, 2, 3, 5, 8, 11, 12, 13, 16, 17, 33}) {
      const int64_t n = kColumns[turn % std::size(kColumns)];
      check(Problem(GetParam(), m, n, k, turn % 2));
      if (HasFailure()) return;
      ++turn;
    }
  }
}

TEST_P(Gemm, EqualsReferenceBeyondOnePassAlongK) {
  ASSERT_NO_FATAL_FAILURE(require_variants());
  if (IsSkipped()) return;
  for (const int64_t m : {1, 13}) check(Problem(GetParam(), m, 65, 8192 + 256));
}

TEST_P(Gemm, SpecialValuesReachTheOutput) {
  ASSERT_NO_FATAL_FAILURE(require_variants());
  if (IsSkipped()) return;
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const Pair pair = GetParam();
  Problem problem(pair, 5, 33, 512);
  const float specials[] = {std::numeric_limits<float>::quiet_NaN(), kInf, -kInf, -0.0f, 0x1p-140f};
  for (size_t r = 0; r < 5; ++r) {
    if (pair.form == kF32) problem.x_f32[r * 513 + 77 * r] = specials[r];
    if (pair.form == kQ8) problem.scales[r * 16 + 3 * r] = specials[r];
  }
  // The first column of weights has an infinite scale (or value), the second one a zero, the third a NaN.
  const size_t row = problem.native.size() / 33;
  const bool f32 = pair.weight == DType::kF32, bf16 = pair.weight == DType::kBF16;
  const size_t at = f32 ? 2 : pair.weight == DType::kQ6_K ? 208 : 0;  // upper half of the f32
  problem.put_half(at, f32 || bf16 ? 0x7f80 : 0x7c00);
  problem.put_half(row + at, 0);
  problem.put_half(2 * row + at, f32 || bf16 ? 0x7fc0 : 0x7e00);
  check(problem);
  const auto y = problem.run(reference(pair));
  EXPECT_TRUE(std::isnan((*y)[10])) << "a NaN in the activations vanished";
  EXPECT_TRUE(std::isnan((*y)[2])) << "a NaN in the weights vanished";
  EXPECT_FALSE(std::isfinite((*y)[static_cast<size_t>(problem.y_stride) + 10])) << "an infinity vanished";
}

TEST_P(Gemm, TheRowLaw) {
  // A row alone, in any company and in any range of columns gives the same bits, in every variant.
  const Pair pair = GetParam();
  std::vector<const GemmVariant*> variants = other_variants(pair);
  variants.push_back(&reference(pair));
  const Problem problem(pair, 33, 150, 768);
  for (const GemmVariant* variant : variants) {
    const auto packed = problem.pack(*variant);
    const auto whole = problem.run(*variant);
    GuardedBuffer<float> pieces(problem.y_size());
    std::fill(pieces.begin(), pieces.end(), kCanary);
    const GemmArgs all = problem.args(packed.get(), pieces.data());
    int64_t row = 0;
    const int64_t cut = variant->columns < kGemmColumns ? 3 * variant->columns : kGemmColumns;
    for (const int64_t rows : {1, 2, 3, 8, 12, 7}) {
      for (const auto& [begin, end] : {std::pair{cut, 2 * cut}, {2 * cut, int64_t{150}}, {int64_t{0}, cut}}) {
        GemmArgs part = all;
        part.m = rows;
        part.n_begin = begin;
        part.n_end = end;
        if (pair.form == kF32) part.x_f32 += row * part.x_stride;
        part.x_q8.values += pair.form == kQ8 ? row * part.x_q8.value_stride : 0;
        part.x_q8.scales += pair.form == kQ8 ? row * (part.k / 32) : 0;
        part.x_q8.sums += pair.form == kQ8 ? row * (part.k / 16) : 0;
        part.y += row * part.y_stride;
        variant->run(part);
      }
      row += rows;
    }
    ASSERT_EQ(row, problem.m);
    expect_same(pieces, *whole, variant->name);
  }
}

TEST_P(Gemm, TouchesOnlyItsColumns) {
  const Pair pair = GetParam();
  std::vector<const GemmVariant*> variants = other_variants(pair);
  variants.push_back(&reference(pair));
  const Problem problem(pair, 7, 200, 256);
  for (const GemmVariant* variant : variants) {
    const auto packed = problem.pack(*variant);
    GuardedBuffer<float> y(problem.y_size());
    std::fill(y.begin(), y.end(), kCanary);
    GemmArgs args = problem.args(packed.get(), y.data());
    args.n_begin = 64;
    args.n_end = 149;
    variant->run(args);
    for (size_t i = 0; i < y.size(); ++i) {
      const int64_t column = static_cast<int64_t>(i) % problem.y_stride;
      EXPECT_EQ(y[i] == kCanary, column < 64 || column >= 149) << variant->name << " at " << i;
      if (HasFailure()) return;
    }
  }
}

/// Magnitude of the terms that make up value i of a native row: |scale * (code - offset)| + |min|.
template <DType kType>
double term_magnitude(const std::byte* row, int64_t i) {
  constexpr R16Layout kLayout = r16_layout(kType);
  const DTypeInfo& info = dtype_info(kType);
  NativeSub sub;
  read_sub<kType>(row + i / info.block_values * info.block_bytes,
                  static_cast<int>(i % info.block_values / 32), sub);
  double scale = quant::f16_to_f32(sub.d), min = kLayout.has_min ? quant::f16_to_f32(sub.m) : 0.0f;
  if (kLayout.super()) {
    scale *= sub.scale[i % 32 / 16];
    min *= kLayout.has_min ? sub.min : 0;
  }
  return std::abs(scale * (sub.code[i % 32] - kLayout.offset)) + std::abs(min);
}
double magnitude(DType type, const std::byte* row, int64_t i, double value) {
  switch (type) {
    case DType::kQ4_1: return term_magnitude<DType::kQ4_1>(row, i);
    case DType::kQ5_1: return term_magnitude<DType::kQ5_1>(row, i);
    case DType::kQ4_K: return term_magnitude<DType::kQ4_K>(row, i);
    case DType::kQ5_K: return term_magnitude<DType::kQ5_K>(row, i);
    default: return std::abs(value);
  }
}

TEST_P(Gemm, ReferenceIsWithinItsBoundOfDoublePrecision) {
  // With u = 2^-24: each term of the sum is off by at most 3 u (its product, its scales, the decode), each
  // addition by u, so |error| <= (steps + 4) u sum |terms|, steps = additions in the chain.
  const Pair pair = GetParam();
  const Problem problem(pair, 3, 20, 1536);
  const auto y = problem.run(reference(pair));
  const double steps = pair.form == kF32 ? 1536 : 1536 / 32 * 2;
  const size_t row_bytes = problem.native.size() / 20;
  std::vector<float> w(1536);
  double worst = 0;
  for (int64_t n = 0; n < problem.n; ++n) {
    const std::byte* row = problem.native.data() + static_cast<size_t>(n) * row_bytes;
    quant::find_format(pair.weight)->decode(row, 1536, w.data());
    for (int64_t r = 0; r < problem.m; ++r) {
      double sum = 0, terms = 0;
      for (int64_t i = 0; i < 1536; ++i) {
        const double x = pair.form == kF32
                             ? problem.x_f32[static_cast<size_t>(r * 1537 + i)]
                             : static_cast<double>(problem.scales[static_cast<size_t>(r * 48 + i / 32)]) *
                                   problem.values[static_cast<size_t>(r * q8_value_stride(1536) + i)];
        sum += w[static_cast<size_t>(i)] * x;
        terms += magnitude(pair.weight, row, i, w[static_cast<size_t>(i)]) * std::abs(x);
      }
      const double bound = (steps + 4) * 0x1p-24 * terms;
      const double error = std::abs(sum - (*y)[static_cast<size_t>(r * problem.y_stride + n)]);
      worst = std::max(worst, error / bound);
      EXPECT_LE(error, bound) << "row " << r << " column " << n;
    }
  }
  EXPECT_GT(worst, 0) << "nothing was compared";
  RecordProperty("largest_share_of_bound", std::to_string(worst));
}

TEST(GemmRegistry, EveryPairAtEveryLevel) {
  for (const Isa isa : kAllIsas) {
    for (const Pair pair : all_pairs()) {
      const GemmVariant* variant = find_gemm(weight_form(pair.weight), pair.form, isa);
      ASSERT_NE(variant, nullptr) << dtype_name(pair.weight);
      EXPECT_EQ(variant->isa, isa) << variant->name;
      EXPECT_TRUE(std::string_view(variant->name).ends_with("__" + std::string(isa_name(isa))))
          << variant->name;
    }
    for (const DType type : kPlainTypes) EXPECT_EQ(find_gemm(weight_form(type), kQ8, isa), nullptr);
  }
}

TEST(GemmRegistry, EveryNamedFormExists) {
  for (const GemmVariant& variant : gemm_variants()) {
    if (variant.form == nullptr) continue;
    EXPECT_NE(quant::find_form(variant.form), nullptr) << variant.name << " serves " << variant.form;
  }
}

TEST(GemmRegistry, AFormWithoutKernelsIsDecodedAtEveryLevel) {
  quant::WeightForm unknown = weight_form(DType::kQ4_0);
  unknown.name = "a form that no kernel names";
  for (const Isa isa : kAllIsas) {
    const GemmVariant* variant = find_gemm(unknown, kF32, isa);
    ASSERT_NE(variant, nullptr);
    EXPECT_EQ(variant->isa, isa);
    EXPECT_NE(std::string_view(variant->name).find("decoded"), std::string_view::npos) << variant->name;
    EXPECT_EQ(find_gemm(unknown, kQ8, isa), nullptr);
  }
}

}  // namespace
}  // namespace brisk::kernels
