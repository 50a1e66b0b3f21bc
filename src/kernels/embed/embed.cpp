// Token embedding: see embed.hpp.
#include "kernels/embed/embed.hpp"

#include "base/check.hpp"
#include "quant/block_format.hpp"

namespace brisk::kernels {

void embed(const EmbedArgs& args) noexcept {
  const quant::BlockFormat* format = quant::find_format(args.dtype);
  const auto row_bytes = dtype_bytes(args.dtype, args.width);
  BRISK_ASSERT(format != nullptr && row_bytes, "the weight has a format and whole blocks");
  for (int64_t row = 0; row < args.rows; ++row) {
    const int64_t token = args.tokens[row];
    BRISK_ASSERT(token >= 0 && token < args.vocab, "tokens are inside the vocabulary");
    format->decode(args.weight + token * static_cast<int64_t>(*row_bytes), args.width,
                   args.out + row * args.out_stride);
  }
}

}  // namespace brisk::kernels
