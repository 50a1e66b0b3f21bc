// The variants of the element-wise kernels that are compiled in; each is defined in the file of its level.
#pragma once

#include "kernels/activation/activation.hpp"

namespace brisk::kernels {

namespace ref {
extern const ActivationVariant activation;
}
namespace avx2 {
extern const ActivationVariant activation;
}
namespace avx512 {
extern const ActivationVariant activation;
}

}  // namespace brisk::kernels
