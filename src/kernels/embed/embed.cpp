// Token embedding: see embed.hpp.
#include "kernels/embed/embed.hpp"

#include "base/check.hpp"
#include "quant/weight_form.hpp"

namespace brisk::kernels {

void embed(const EmbedArgs& args) noexcept {
  const Weight& table = *args.table;
  for (int64_t row = 0; row < args.rows; ++row) {
    const int64_t token = args.tokens[row];
    BRISK_ASSERT(token >= 0 && token < table.shape[0], "tokens are inside the vocabulary");
    table.form->decode_rows(table, token, 1, args.out + row * args.out_stride);
  }
}

}  // namespace brisk::kernels
