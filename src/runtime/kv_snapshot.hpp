// A sequence in a file: what it holds is written once and read back in another process without computing it
// again. The file is a safetensors file, so other tools can open it:
//   __metadata__  "brisk.kv" = JSON {version, fingerprint, tokens (number), length, layout (one record per
//                 group, KvStore::layout_record), checksum}
//   tokens        I32 [n]
//   layer.N.pages U8 [pages, page_bytes]   the pages of the layer, head by head; what was never stored is
//   zero;
//                 of a window, the pages that the next token can see
//   layer.N.positions I32 [entries of all heads], layer.N.entries I32 [kv_heads]    for ragged layers
//   layer.N.state U8 [bytes]               for recurrent layers
// The checksum (runtime/checksum.hpp) is that of the JSON without it, then name and bytes of each tensor in
// the order of the data. A sequence without tokens has no states.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/kv_store.hpp"

namespace brisk::runtime {

/// Writes the sequence beside `path` and renames; what stood at `path` is replaced. `fingerprint` names the
/// model (Model::fingerprint), and `tokens` are the sequence's [length].
Status save_snapshot(const KvStore& store, SequenceId id, const std::string& fingerprint,
                     std::span<const int32_t> tokens, const std::string& path);

struct RestoredSequence {
  SequenceId id;
  std::vector<int32_t> tokens;  ///< as they were given; whoever runs the model looks at their range
};

/// Reads a sequence back into the store's groups of the same names. Everything is verified before it is used:
/// another model's file, another layout, a cut or altered file, or one that does not fit the free memory is
/// an error, and the store is as before.
Result<RestoredSequence> load_snapshot(KvStore& store, const std::string& fingerprint,
                                       const std::string& path);

}  // namespace brisk::runtime
