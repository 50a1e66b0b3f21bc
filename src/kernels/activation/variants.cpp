// Which element-wise kernels serve which level.
#include "kernels/activation/variants.hpp"

namespace brisk::kernels {

const ActivationVariant& find_activation(Isa isa) {
  switch (isa) {
    case Isa::kAvx512: return avx512::activation;
    case Isa::kAvx2: return avx2::activation;
    case Isa::kRef: break;
  }
  return ref::activation;
}

}  // namespace brisk::kernels
