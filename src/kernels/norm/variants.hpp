// The variants of RMS normalisation that are compiled in; each is defined in the file of its level.
#pragma once

#include "kernels/norm/norm.hpp"

namespace brisk::kernels {

namespace ref {
extern const RmsNormVariant rms_norm;
}
namespace avx2 {
extern const RmsNormVariant rms_norm;
}
namespace avx512 {
extern const RmsNormVariant rms_norm;
}

}  // namespace brisk::kernels
