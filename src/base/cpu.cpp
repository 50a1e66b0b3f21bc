// CPU detection: cpuid for what the processor can do, xgetbv for which registers the operating system saves.
// A feature counts as present only with both (Intel SDM volume 1, sections 14.3 and 15.2).
#include "base/cpu.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace brisk {
namespace {

struct Registers {
  uint32_t value[4];  // eax, ebx, ecx, edx
};
constexpr int kEax = 0, kEbx = 1, kEcx = 2, kEdx = 3;  // of Registers::value

#if defined(__x86_64__)
Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r = {};
  __get_cpuid_count(leaf, subleaf, &r.value[kEax], &r.value[kEbx], &r.value[kEcx], &r.value[kEdx]);
  return r;
}

/// Bits of XCR0: which register state the operating system saves. Zero without xgetbv.
uint64_t saved_state() {
  constexpr uint32_t kOsxsave = 1U << 27;
  if ((cpuid(1, 0).value[kEcx] & kOsxsave) == 0) return 0;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}
#else
Registers cpuid(uint32_t, uint32_t) { return {}; }
uint64_t saved_state() { return 0; }
#endif

constexpr uint64_t kSse = 1 << 1;
constexpr uint64_t kAvx = kSse | 1 << 2;
constexpr uint64_t kAvx512 = kAvx | 7 << 5;  // mask registers, upper halves, upper sixteen
constexpr uint64_t kTile = 3 << 17;          // tile configuration and data

/// Where a feature stands in cpuid, what state it needs, and the level that requires it.
struct Entry {
  std::string_view name;
  uint32_t leaf, subleaf;
  int reg;
  int bit;
  uint64_t state;
  Isa level;  // kRef: no level requires it
};

constexpr Entry kEntries[] = {
    {"avx", 1, 0, kEcx, 28, kAvx, Isa::kAvx2},
    {"avx2", 7, 0, kEbx, 5, kAvx, Isa::kAvx2},
    {"fma", 1, 0, kEcx, 12, kAvx, Isa::kAvx2},
    {"f16c", 1, 0, kEcx, 29, kAvx, Isa::kAvx2},
    {"bmi1", 7, 0, kEbx, 3, 0, Isa::kAvx2},
    {"bmi2", 7, 0, kEbx, 8, 0, Isa::kAvx2},
    {"movbe", 1, 0, kEcx, 22, 0, Isa::kAvx2},
    {"abm", 0x80000001, 0, kEcx, 5, 0, Isa::kAvx2},
    {"avx512f", 7, 0, kEbx, 16, kAvx512, Isa::kAvx512},
    {"avx512bw", 7, 0, kEbx, 30, kAvx512, Isa::kAvx512},
    {"avx512cd", 7, 0, kEbx, 28, kAvx512, Isa::kAvx512},
    {"avx512dq", 7, 0, kEbx, 17, kAvx512, Isa::kAvx512},
    {"avx512vl", 7, 0, kEbx, 31, kAvx512, Isa::kAvx512},
    {"avx512_vnni", 7, 0, kEcx, 11, kAvx512, Isa::kAvx512},
    {"avx512_bf16", 7, 1, kEax, 5, kAvx512, Isa::kRef},
    {"avx512_fp16", 7, 0, kEdx, 23, kAvx512, Isa::kRef},
    {"avx_vnni", 7, 1, kEax, 4, kAvx, Isa::kRef},
    {"amx_tile", 7, 0, kEdx, 24, kTile, Isa::kRef},
    {"amx_int8", 7, 0, kEdx, 25, kTile, Isa::kRef},
    {"amx_bf16", 7, 0, kEdx, 22, kTile, Isa::kRef},
};

std::string brand_string() {
  char text[49] = {};
  for (uint32_t i = 0; i < 3; ++i) {
    const Registers r = cpuid(0x80000002 + i, 0);
    std::memcpy(text + 16 * i, r.value, 16);
  }
  std::string_view brand = text;
  const size_t first = brand.find_first_not_of(' ');
  if (first == std::string_view::npos) return "unknown";
  return std::string(brand.substr(first, brand.find_last_not_of(' ') - first + 1));
}

/// Why the level is out of reach: the features that it misses. Empty when none.
std::string missing_for(Isa level, const std::vector<CpuFeature>& features) {
  std::string lacking;
  for (size_t i = 0; i < std::size(kEntries); ++i) {
    if (kEntries[i].level != level || features[i].present) continue;
    lacking += (lacking.empty() ? "" : ", ") + std::string(kEntries[i].name);
  }
  return lacking;
}

CpuInfo detect() {
  CpuInfo info;
  info.model = brand_string();
  const uint64_t saved = saved_state();
  for (const Entry& entry : kEntries) {
    const bool has = (cpuid(entry.leaf, entry.subleaf).value[entry.reg] >> entry.bit & 1) != 0;
    info.features.push_back({entry.name, has && (saved & entry.state) == entry.state});
  }
  for (const Isa level : {Isa::kAvx2, Isa::kAvx512}) {
    const std::string lacking = missing_for(level, info.features);
    if (!lacking.empty()) {
      info.why = std::string(isa_name(level)) + " needs " + lacking + ", which this machine or system lacks";
      break;
    }
    info.best = level;
  }
  return info;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string known_levels(Isa highest) {
  std::string list;
  for (const Isa isa : kAllIsas) {
    if (isa <= highest) list += (list.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  return list;
}

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::kRef: return "ref";
    case Isa::kAvx2: return "avx2";
    case Isa::kAvx512: return "avx512";
  }
  return "unknown";
}

const CpuInfo& cpu_info() {
  static const CpuInfo info = detect();
  return info;
}

Result<Isa> active_isa() {
  const CpuInfo& info = cpu_info();
  const char* wanted = std::getenv("BRISK_ISA");
  if (wanted == nullptr || *wanted == '\0') return info.best;
  for (const Isa isa : kAllIsas) {
    if (!equal_ignoring_case(wanted, isa_name(isa))) continue;
    if (isa <= info.best) return isa;
    return usage_error({"BRISK_ISA", "a level that this machine has (" + known_levels(info.best) + ")",
                        wanted, "unset BRISK_ISA: " + info.why});
  }
  return usage_error({"BRISK_ISA", "one of " + known_levels(Isa::kAvx512), wanted,
                      "this machine has " + known_levels(info.best)});
}

}  // namespace brisk
