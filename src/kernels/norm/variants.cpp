// Which RMS normalisation serves which level.
#include "kernels/norm/variants.hpp"

namespace brisk::kernels {

const RmsNormVariant& find_rms_norm(Isa isa) {
  switch (isa) {
    case Isa::kAvx512: return avx512::rms_norm;
    case Isa::kAvx2: return avx2::rms_norm;
    case Isa::kRef: break;
  }
  return ref::rms_norm;
}

}  // namespace brisk::kernels
