// plain: the model's own logits are the scores.
#include "runtime/decoding/decoding.hpp"

namespace brisk::runtime {

DecodingMethod decoding_plain() {
  return {"plain", "the model's own prediction", "",
          [](const Model&, const DecodingOptions&) -> Result<std::unique_ptr<Decoding>> {
            return std::unique_ptr<Decoding>();
          }};
}

}  // namespace brisk::runtime
