// Speed of the int8 products on one thread, beside the machine's limits measured in between, in the same
// process: weights from memory (more than any cache holds) for few rows, operations per second for many.
// Times are the thread's own CPU time, so that other work on the machine counts only through shared memory.
//
// Usage: bench_gemm [ref|avx2|avx512]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/checked.hpp"
#include "base/memory.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/probe/probe.hpp"
#include "kernels/quantize/quantize.hpp"
#include "quant/weight_form.hpp"
#include "support.hpp"

namespace {

using namespace brisk;
using namespace brisk::bench;
using namespace brisk::kernels;

constexpr int64_t kWidth = 2048;             // n = k
constexpr int64_t kWeightBytes = 256 << 20;  // at least, so that nothing is served from a cache
constexpr int64_t kRowCounts[] = {1, 8, 64, 512};

struct Limits {
  double read;  // bytes per second
  double int8;  // operations per second
};

class Bench {
 public:
  explicit Bench(Isa isa) : isa_(isa), scratch_(allocate(kWeightBytes)) {
    std::memset(scratch_.data(), 1, scratch_.size());
    make_activations();
  }

  Limits limits() const {
    const ProbeVariant& probe = find_probe(isa_);
    volatile uint64_t sink = 0;
    const double read = best_of(4, [&] { sink = sink + probe.read(scratch_.data(), kWeightBytes); });
    int64_t operations = 0;
    const double int8 = best_of(4, [&] { operations = probe.int8(2'000'000); });
    return {static_cast<double>(kWeightBytes) / read, static_cast<double>(operations) / int8};
  }

  void run(DType type) {
    const std::vector<std::byte> blocks = random_blocks(type);
    const Weight weight = quant::block_weight("weight", type, {kWidth, kWidth}, blocks);
    const GemmVariant& variant = *find_gemm(*weight.form, ActivationForm::kQ8, isa_);
    const int64_t native = weight.bytes();
    const int64_t packed = round_up(variant.pack != nullptr ? variant.packed_bytes(weight) : native, 64);
    const int64_t count = (kWeightBytes + native - 1) / native;
    AlignedBuffer weights = allocate(packed * count);
    const double pack_rate = pack_all(variant, weight, packed, count, weights);
    const std::vector<Matrix> matrices = views(variant, weight, packed, count, weights);
    for (const int64_t m : kRowCounts) {
      const int64_t used = m <= 8 ? count : std::max<int64_t>(2, count / m);
      const Limits before = limits();
      const double seconds = best_of(m == 1 ? 6 : 4, [&] {
        for (int64_t i = 0; i < used; ++i) product(variant, matrices[static_cast<size_t>(i)], m);
      });
      const Limits after = limits();
      print(variant, m, static_cast<double>(native * used) / seconds,
            2.0 * static_cast<double>(used * m * kWidth * kWidth) / seconds,
            {std::max(before.read, after.read), std::max(before.int8, after.int8)});
    }
    if (variant.pack != nullptr) std::printf("  packing %.1f GB/s\n", pack_rate / 1e9);
    std::fflush(stdout);
  }

 private:
  void make_activations() {
    constexpr int64_t kRows = 512;
    std::mt19937 rng(1);
    std::normal_distribution<float> normal;
    std::vector<float> x(kRows * kWidth);
    for (float& v : x) v = normal(rng);
    values_.resize(kRows * q8_value_stride(kWidth));
    scales_.resize(kRows * kWidth / 32);
    sums_.resize(kRows * kWidth / 16);
    y_.resize(kRows * kWidth);
    const QuantizeArgs args = {x.data(), kWidth, kRows, kWidth, values_.data(), scales_.data(), sums_.data()};
    find_quantize(isa_).run(args);
    const double seconds = best_of(20, [&] { find_quantize(isa_).run(args); });
    std::printf("quantising a row of %lld: %.0f ns\n", static_cast<long long>(kWidth), seconds / kRows * 1e9);
  }

  /// One of many equal weights: for the reference, which packs nothing, a copy of the native blocks.
  struct Matrix {
    Weight weight;
    const std::byte* packed;
  };

  static std::vector<std::byte> random_blocks(DType type) {
    std::vector<std::byte> blocks(*dtype_bytes(type, kWidth * kWidth));
    std::mt19937 rng(2);
    for (std::byte& b : blocks) b = static_cast<std::byte>(rng() & 0x3b);  // f16 scales stay finite
    return blocks;
  }

  /// Fills every matrix; returns the bytes of native blocks packed per second.
  static double pack_all(const GemmVariant& variant, const Weight& weight, int64_t packed, int64_t count,
                         AlignedBuffer& weights) {
    const auto fill = [&](int64_t i) {
      std::byte* out = weights.data() + i * packed;
      if (variant.pack == nullptr) {
        std::memcpy(out, weight.only().data.data(), weight.only().data.size());
      } else {
        variant.pack(weight, 0, kWidth, out);
      }
    };
    for (int64_t i = 0; i < count; ++i) fill(i);
    return static_cast<double>(weight.bytes()) / best_of(8, [&] { fill(0); });
  }

  static std::vector<Matrix> views(const GemmVariant& variant, const Weight& weight, int64_t packed,
                                   int64_t count, const AlignedBuffer& weights) {
    std::vector<Matrix> matrices;
    for (int64_t i = 0; i < count; ++i) {
      const std::byte* at = weights.data() + i * packed;
      matrices.push_back({weight, at});
      if (variant.pack == nullptr) {
        matrices.back() = {quant::block_weight(weight.name, weight.dtype(), weight.shape,
                                               {at, static_cast<size_t>(weight.bytes())}),
                           nullptr};
      }
    }
    return matrices;
  }

  void product(const GemmVariant& variant, const Matrix& matrix, int64_t m) {
    const Q8Rows x = {values_.data(), scales_.data(), sums_.data(), q8_value_stride(kWidth)};
    variant.run(
        {&matrix.weight, matrix.packed, kWidth, kWidth, m, nullptr, 0, x, y_.data(), kWidth, 0, kWidth});
  }

  static void print(const GemmVariant& variant, int64_t m, double bytes, double operations, Limits limits) {
    std::printf("%-40s m=%-4lld %6.1f GB/s (%3.0f %% of %.1f)  %7.0f GOP/s (%3.0f %% of %.0f)\n",
                variant.name, static_cast<long long>(m), bytes / 1e9, 100 * bytes / limits.read,
                limits.read / 1e9, operations / 1e9, 100 * operations / limits.int8, limits.int8 / 1e9);
    std::fflush(stdout);
  }

  Isa isa_;
  AlignedBuffer scratch_;
  std::vector<int8_t> values_;
  std::vector<float> scales_;
  std::vector<int32_t> sums_;
  std::vector<float> y_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) setenv("BRISK_ISA", argv[1], 1);
  const Result<Isa> isa = active_isa();
  if (!isa.ok()) {
    std::fprintf(stderr, "%s\n", isa.status().message().c_str());
    return isa.status().exit_code();
  }
  std::printf("%s, %s, one thread\n", cpu_info().model.c_str(), std::string(isa_name(*isa)).c_str());
  Bench bench(*isa);
  for (const DType type : {DType::kQ4_0, DType::kQ4_1, DType::kQ8_0, DType::kQ4_K, DType::kQ6_K})
    bench.run(type);
  return 0;
}
