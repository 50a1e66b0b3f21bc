// Speed of attention on one thread, beside the machine's limits measured in the same process: prompts
// (arithmetic) against the f32 peak, one row over many keys (memory) against a plain read of the same slabs
// in the same order. Times are the thread's own CPU time, so that other work on the machine counts only
// through shared memory.
//
// Usage: bench_attention [ref|avx2|avx512]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/memory.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/probe/probe.hpp"
#include "support.hpp"

namespace {

using namespace brisk;
using namespace brisk::bench;
using namespace brisk::kernels;

struct Case {
  int64_t heads, kv_heads, dim, rows, keys;  // the last `rows` of `keys` tokens ask
  DType kv;
};
constexpr Case kCases[] = {{9, 3, 64, 512, 512, DType::kF16},    {9, 3, 64, 512, 2560, DType::kF16},
                           {9, 3, 64, 512, 512, DType::kF32},    {32, 8, 128, 128, 1152, DType::kF16},
                           {32, 32, 128, 64, 1088, DType::kF16}, {9, 3, 64, 1, 98304, DType::kF16},
                           {9, 3, 64, 1, 49152, DType::kF32},    {32, 8, 128, 1, 32768, DType::kF16}};

/// Random keys and values in slabs that are out of order, and the rows that ask.
struct Workload {
  explicit Workload(const Case& c, Isa isa)
      : geometry{c.kv_heads, c.dim, c.dim, c.kv}, table(static_cast<size_t>(c.keys / kSlabTokens)),
        slabs(allocate(static_cast<int64_t>(table.size()) * geometry.slab_bytes())),
        scratch(allocate(4 * attention_scratch_floats(c.heads, c.kv_heads, geometry))),
        q(static_cast<size_t>(c.rows * c.heads * c.dim)), out(q.size()) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::iota(table.begin(), table.end(), 0);
    std::shuffle(table.begin(), table.end(), random);
    for (float& x : q) x = normal(random);
    const KvView view = {slabs.data(), table.data(), &geometry};
    std::vector<float> token(static_cast<size_t>(c.kv_heads * c.dim));
    for (float& x : token) x = normal(random);
    for (int64_t t = 0; t < c.keys; ++t) {
      token[static_cast<size_t>(t) % token.size()] = normal(random);
      find_attention(c.kv, isa)->store({view, t, token.data(), token.data()});
    }
    for (int64_t r = 0; r < c.rows; ++r) rows.push_back({view, 0, c.keys - c.rows + r + 1});
  }

  KvGeometry geometry;
  std::vector<int32_t> table;
  AlignedBuffer slabs, scratch;
  std::vector<float> q, out;
  std::vector<AttentionRow> rows;
};

/// Bytes per second of reading every slab in the table's order.
double read_limit(const Workload& work, Isa isa) {
  uint64_t sum = 0;
  const double seconds = best_of(5, [&] {
    for (const int32_t slab : work.table) {
      const int64_t bytes = work.geometry.slab_bytes();
      sum += find_probe(isa).read(work.slabs.data() + slab * bytes, bytes);
    }
  });
  if (sum == 1) std::printf(" ");  // the sum is used
  return static_cast<double>(work.table.size()) * static_cast<double>(work.geometry.slab_bytes()) / seconds;
}

void run_case(const Case& c, Isa isa, double peak) {
  Workload work(c, isa);
  const AttentionArgs args = {work.q.data(),
                              c.heads * c.dim,
                              work.rows.data(),
                              c.rows,
                              c.heads,
                              0.125F,
                              work.out.data(),
                              c.heads * c.dim,
                              0,
                              attention_items(c.rows, c.kv_heads),
                              work.scratch.as<float>()};
  const double seconds = best_of(10, [&] { find_attention(c.kv, isa)->run(args); });
  std::printf("%2ld/%-2ld heads %3ld dims %4ld rows %6ld keys %s  %8.3f ms  ", c.heads, c.kv_heads, c.dim,
              c.rows, c.keys, std::string(dtype_name(c.kv)).c_str(), seconds * 1e3);
  if (c.rows == 1) {
    const double bytes =
        static_cast<double>(work.table.size()) * static_cast<double>(work.geometry.slab_bytes());
    const double limit = read_limit(work, isa);
    std::printf("%6.1f GB/s     (%3.0f %% of %.1f)\n", bytes / seconds * 1e-9, bytes / seconds / limit * 100,
                limit * 1e-9);
  } else {
    double operations = 0;
    for (const AttentionRow& row : work.rows) {
      operations += 4.0 * static_cast<double>(c.heads * c.dim) * static_cast<double>(row.last - row.first);
    }
    std::printf("%6.1f GFLOP/s  (%3.0f %% of %.1f)\n", operations / seconds * 1e-9,
                operations / seconds / peak * 100, peak * 1e-9);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Isa isa = cpu_info().best;
  for (const Isa known : kAllIsas) {
    if (argc > 1 && isa_name(known) == argv[1]) isa = known;
  }
  std::printf("attention at %s\n", std::string(isa_name(isa)).c_str());
  double peak = 0;
  for (int i = 0; i < 5; ++i) {
    const double start = thread_seconds();
    const int64_t operations = find_probe(isa).f32(1'000'000);
    peak = std::max(peak, static_cast<double>(operations) / (thread_seconds() - start));
  }
  for (const Case& c : kCases) run_case(c, isa, peak);
  return 0;
}
