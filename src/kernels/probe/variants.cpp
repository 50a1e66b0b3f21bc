// Probes by ISA level. The bf16 peak needs a feature that the level does not promise.
#include "kernels/probe/variants.hpp"

namespace brisk::kernels {
namespace {

bool has_feature(std::string_view name) {
  for (const CpuFeature& feature : cpu_info().features) {
    if (feature.name == name) return feature.present;
  }
  return false;
}

}  // namespace

const ProbeVariant& find_probe(Isa isa) {
  static const ProbeVariant avx512 = {"probe__avx512",
                                      Isa::kAvx512,
                                      avx512::probe_read,
                                      avx512::probe_f32,
                                      has_feature("avx512_bf16") ? avx512::probe_bf16 : nullptr,
                                      avx512::probe_int8};
  static const ProbeVariant avx2 = {"probe__avx2",   Isa::kAvx2, avx2::probe_read,
                                    avx2::probe_f32, nullptr,    avx2::probe_int8};
  static const ProbeVariant ref = {"probe__ref",   Isa::kRef, ref::probe_read,
                                   ref::probe_f32, nullptr,   ref::probe_int8};
  return isa >= Isa::kAvx512 ? avx512 : isa >= Isa::kAvx2 ? avx2 : ref;
}

}  // namespace brisk::kernels
