#include "runtime/streams.hpp"

#include <algorithm>
#include <string>

namespace brisk::runtime {

Result<int32_t> layer_segment(const Model& model, int64_t layer) {
  const int64_t layers = model.config().layers;
  if (layer < 0 || layer >= layers) {
    return usage_error({model.info().name + ", layers", "0 to " + std::to_string(layers - 1),
                        std::to_string(layer), "`brisk show` for the number of layers"});
  }
  const std::string name = "layer." + std::to_string(layer);
  const int32_t segment = model.plan().find_segment(name);
  if (segment >= 0) return segment;
  return usage_error(
      {model.info().name + ", plan", "a segment " + name, "none", "a model whose layers can be passed by"});
}

Result<Stream> pruned_stream(const Model& model, std::span<const int64_t> pruned) {
  BRISK_ASSERT(!pruned.empty() && std::ranges::is_sorted(pruned), "some layers, ascending");
  Stream stream;
  stream.skip.assign(model.plan().segments().size(), 0);
  for (const int64_t layer : pruned) {
    BRISK_ASSIGN(const int32_t segment, layer_segment(model, layer));
    stream.skip[static_cast<size_t>(segment)] = 1;
  }
  BRISK_ASSIGN(stream.from, layer_segment(model, pruned.front()));
  stream.every_token = true;
  return stream;
}

Result<Stream> early_exit_stream(const Model& model, int64_t layer) {
  Stream stream;
  stream.skip.assign(model.plan().segments().size(), 0);
  BRISK_ASSIGN(stream.from, layer_segment(model, layer));
  for (int64_t later = layer; later < model.config().layers; ++later) {
    BRISK_ASSIGN(const int32_t segment, layer_segment(model, later));
    stream.skip[static_cast<size_t>(segment)] = 1;
  }
  return stream;
}

}  // namespace brisk::runtime
