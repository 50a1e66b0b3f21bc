// Speed of attention on one thread, beside the machine's limits measured in the same process: prompts
// (arithmetic) against the f32 peak, one row over many keys (memory) against a plain read of the same pages
// in the same order. "quarter" is a bit mask that leaves every fourth block of 256 keys: only what it leaves
// is counted. "probe" is the second look that policies ask for. Times are the thread's own CPU time, so that
// other work on the machine counts only through shared memory.
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

enum class Look { kAll, kQuarter, kProbe };
struct Case {
  int64_t heads, kv_heads, dim, rows, keys;  // the last `rows` of `keys` tokens ask
  DType kv;
  Look look = Look::kAll;
};
constexpr Case kCases[] = {{9, 3, 64, 512, 512, DType::kF16},
                           {9, 3, 64, 512, 2560, DType::kF16},
                           {9, 3, 64, 512, 512, DType::kF32},
                           {9, 3, 64, 512, 512, DType::kBF16},
                           {9, 3, 64, 512, 512, DType::kQ8_0},
                           {9, 3, 64, 512, 512, DType::kQ4_0},
                           {32, 8, 128, 128, 1152, DType::kF16},
                           {32, 32, 128, 64, 1088, DType::kF16},
                           {9, 3, 64, 512, 2560, DType::kF16, Look::kQuarter},
                           {9, 3, 64, 512, 2560, DType::kF16, Look::kProbe},
                           {9, 3, 64, 1, 128, DType::kF16},
                           {9, 3, 64, 1, 512, DType::kF16},
                           {9, 3, 64, 1, 4096, DType::kF16},
                           {9, 3, 64, 1, 4096, DType::kF32},
                           {9, 3, 64, 1, 4096, DType::kBF16},
                           {9, 3, 64, 1, 4096, DType::kQ8_0},
                           {9, 3, 64, 1, 4096, DType::kQ4_0},
                           {9, 3, 64, 1, 4096, DType::kF16, Look::kProbe},
                           {9, 3, 64, 1, 98304, DType::kF16},
                           {9, 3, 64, 1, 98304, DType::kF16, Look::kQuarter},
                           {9, 3, 64, 1, 98304, DType::kQ8_0},
                           {9, 3, 64, 1, 49152, DType::kF32},
                           {32, 8, 128, 1, 32768, DType::kF16}};

/// Random keys and values in pages that are out of order, and the rows that ask.
struct Workload {
  explicit Workload(const Case& c, Isa isa)
      : geometry{c.kv_heads, c.dim, c.dim, c.kv}, table(static_cast<size_t>(c.keys / kPageTokens)),
        pages(allocate(static_cast<int64_t>(table.size()) * geometry.slab_bytes())),
        scratch(allocate(4 * attention_scratch_floats(c.heads, c.kv_heads, geometry))),
        q(static_cast<size_t>(c.rows * c.heads * c.dim)), out(q.size()) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < std::ssize(table); ++i) table[i] = static_cast<int32_t>(i * c.kv_heads);
    std::shuffle(table.begin(), table.end(), random);
    for (float& x : q) x = normal(random);
    for (int64_t h = 0; h < c.kv_heads; ++h) {
      heads.push_back(KvLayer{&geometry, pages.data(), table.data(), nullptr, nullptr}.head(h));
    }
    std::vector<float> token(static_cast<size_t>(c.kv_heads * c.dim));
    for (float& x : token) x = normal(random);
    for (int64_t t = 0; t < c.keys; ++t) {
      token[static_cast<size_t>(t) % token.size()] = normal(random);
      find_attention(c.kv, isa)->store({&geometry, heads.data(), t, token.data(), token.data()});
    }
    for (int64_t word = 0; word < c.keys / 64; ++word) {
      quarter.push_back(word * 64 / kAttentionBlock % 4 == 0 ? ~uint64_t{0} : 0);
    }
    for (int64_t r = 0; r < c.rows; ++r) {
      rows.push_back(
          {heads.data(), 0, c.keys - c.rows + r + 1, c.look == Look::kQuarter ? quarter.data() : nullptr});
    }
  }

  KvGeometry geometry;
  std::vector<int32_t> table;
  AlignedBuffer pages, scratch;
  std::vector<float> q, out, key_scores;
  std::vector<KvHead> heads;
  std::vector<AttentionRow> rows;
  std::vector<uint64_t> quarter;
};

/// Bytes per second of reading every page in the table's order.
double read_limit(const Workload& work, Isa isa) {
  uint64_t sum = 0;
  const double seconds = best_of(5, [&] {
    for (const int32_t page : work.table) {
      sum += find_probe(isa).read(work.pages.data() + page * work.geometry.page_bytes(),
                                  work.geometry.slab_bytes());
    }
  });
  if (sum == 1) std::printf(" ");  // the sum is used
  return static_cast<double>(work.table.size()) * static_cast<double>(work.geometry.slab_bytes()) / seconds;
}

/// One look of all rows at their keys.
void look(const Case& c, Workload& work, const AttentionVariant& kernel) {
  const int64_t q_width = c.heads * c.dim;
  if (c.look != Look::kProbe) {
    kernel.run({&work.geometry, work.q.data(), q_width, work.rows.data(), c.rows, c.heads, 0.125F,
                work.out.data(), q_width, 0, attention_items(c.rows, c.kv_heads), work.scratch.as<float>()});
    return;
  }
  work.key_scores.resize(static_cast<size_t>(c.kv_heads * c.keys));
  for (int64_t h = 0; h < c.kv_heads; ++h) {
    kernel.probe({&work.geometry, work.q.data(), q_width, work.rows.data(), c.rows, c.heads, 0.125F,
                  work.out.data(), KeyScore::kSum, work.key_scores.data(), c.keys, h,
                  work.scratch.as<float>()});
  }
}

void run_case(const Case& c, Isa isa, double peak) {
  Workload work(c, isa);
  const AttentionVariant& kernel = *find_attention(c.kv, isa);
  const int repeats = c.rows * c.keys < 10'000 ? 50 : 1;  // short looks are timed together
  const double together = best_of(20, [&] {
    for (int i = 0; i < repeats; ++i) look(c, work, kernel);
  });
  const double seconds = together / repeats;
  const char* kind = c.look == Look::kQuarter ? "quarter" : c.look == Look::kProbe ? "probe" : "";
  std::printf("%2ld/%-2ld heads %3ld dims %4ld rows %6ld keys %-4s %-7s %9.4f ms  ", c.heads, c.kv_heads,
              c.dim, c.rows, c.keys, std::string(dtype_name(c.kv)).c_str(), kind, seconds * 1e3);
  const double seen = c.look == Look::kQuarter ? 0.25 : 1;
  if (c.rows == 1) {
    const double bytes =
        seen * static_cast<double>(work.table.size()) * static_cast<double>(work.geometry.slab_bytes());
    const double limit = read_limit(work, isa);
    std::printf("%6.1f GB/s     (%3.0f %% of %.1f)\n", bytes / seconds * 1e-9, bytes / seconds / limit * 100,
                limit * 1e-9);
  } else {
    double operations = 0;
    for (const AttentionRow& row : work.rows) {
      operations +=
          4.0 * seen * static_cast<double>(c.heads * c.dim) * static_cast<double>(row.last - row.first);
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
