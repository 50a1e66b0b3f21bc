// What this CPU can do, detected once, and the instruction-set level that kernels are chosen for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"

namespace brisk {

/// Levels that kernels are written for, each including those before it.
enum class Isa {
  kRef,     ///< plain C++ for any machine
  kAvx2,    ///< x86-64-v3: AVX2, FMA, F16C
  kAvx512,  ///< x86-64-v4 and VNNI: AVX-512 F BW CD DQ VL, VNNI
};
inline constexpr Isa kAllIsas[] = {Isa::kRef, Isa::kAvx2, Isa::kAvx512};
std::string_view isa_name(Isa isa);  ///< "ref", "avx2", "avx512"

struct CpuFeature {
  std::string_view name;  ///< as in /proc/cpuinfo
  bool present;           ///< and its registers are saved by the operating system
};

struct CpuInfo {
  std::string model;                 ///< brand string
  std::vector<CpuFeature> features;  ///< those that Brisk asks about
  Isa best = Isa::kRef;              ///< the highest level whose every feature is present
  std::string why;                   ///< why not a higher level; empty at the top
};

const CpuInfo& cpu_info();
/// The level in use: the best one, capped by the environment variable BRISK_ISA. An unknown or
/// unsupported value is a usage error naming the known ones.
Result<Isa> active_isa();

}  // namespace brisk
