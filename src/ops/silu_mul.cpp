// silu_mul: gate, up f32 [rows, width] -> silu(gate) * up.
#include "ops/pointwise.hpp"

namespace brisk::ops {

Op op_silu_mul() { return pointwise_op<&kernels::ActivationVariant::silu_mul>("silu_mul"); }

}  // namespace brisk::ops
