// add: a, b f32 [rows, width] -> a + b.
#include "ops/pointwise.hpp"

namespace brisk::ops {

Op op_add() { return pointwise_op<&kernels::ActivationVariant::add>("add"); }

}  // namespace brisk::ops
