// Token embedding: rows equal the format's own decode, for every format.
#include "kernels/embed/embed.hpp"

#include "quant/weight_form.hpp"
#include "support/block_formats.hpp"
#include "support/guarded_buffer.hpp"
#include "support/kernel_test.hpp"

namespace brisk::kernels {
namespace {

TEST(Embed, RowsOfEveryFormat) {
  std::mt19937 random(test::kernel_seed());
  constexpr int64_t kVocab = 7, kWidth = 512, kStride = 517;
  int formats = 0;
  for (const quant::BlockFormat& format : test::block_formats()) {
    SCOPED_TRACE(dtype_name(format.dtype));
    std::vector<float> values(kVocab * kWidth), decoded(values.size());
    test::fill_normal(random, values.data(), kVocab * kWidth);
    const auto bytes = dtype_bytes(format.dtype, kVocab * kWidth);
    ASSERT_TRUE(bytes.has_value());
    test::GuardedBuffer<std::byte> weight(static_cast<size_t>(*bytes));
    format.encode(values.data(), kVocab * kWidth, weight.data());
    format.decode(weight.data(), kVocab * kWidth, decoded.data());
    const Weight table =
        quant::block_weight("table", format.dtype, {kVocab, kWidth}, {weight.data(), weight.size()});
    const std::vector<int32_t> tokens = {6, 0, 3, 3, 6};
    std::vector<float> out(tokens.size() * kStride, -7.0F);
    embed({&table, tokens.data(), 5, out.data(), kStride});
    for (size_t row = 0; row < tokens.size(); ++row) {
      for (int64_t i = 0; i < kStride; ++i) {
        const float want = i < kWidth ? decoded[tokens[row] * kWidth + i] : -7.0F;
        ASSERT_EQ(out[row * kStride + i], want);
      }
    }
    ++formats;
  }
  EXPECT_GE(formats, 11);
}

}  // namespace
}  // namespace brisk::kernels
