// The state of all sequences: keys and values of attention layers, and the state of recurrent ones.
//
// Layers form *groups*, each with its geometry and its own pool of memory. In a group, an *entry* of the pool
// is the slabs of all its layers for the same 32 tokens, side by side, so that a short sequence touches one
// huge page instead of one per layer (zeroing those took 30 ms before a first token, 2026-11).
//
//   uniform   a sequence has one table of entries per group; entries are counted, so that forks share them
//   and
//             the first that writes into a shared entry gets its own copy
//   ragged    once a policy evicts from a layer, each of its heads has its own list of pages and its own
//             length; every kept token keeps its true position
//   recurrent one block of bytes per sequence and layer, shared by forks until one of them runs on. A step
//   that
//             fails has spoilt it: who may give a step up forks before it
//
// Files: kv_pool.* memory and who holds it; kv_share.* what a sequence holds of a group, kv_ragged.* the same
// after an eviction; kv_snapshot.* a sequence in a file. docs/design/kv.md tells the life of an entry.
//
// Kernels see one thing in both modes: kernels::KvLayer and KvHead.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/memory.hpp"
#include "base/status.hpp"
#include "kernels/attention/attention.hpp"

namespace brisk::runtime {

class KvPool;

using SequenceId = int32_t;
using GroupId = int32_t;

enum class KvKind : uint8_t {
  kFull,       ///< every token is kept
  kWindow,     ///< tokens further back than the window are never looked at again; their memory is given back
  kRecurrent,  ///< a state of fixed size
};

/// Layers that are kept alike.
struct KvGroup {
  std::string name;             ///< "full", "window", "prunecd.amateur"
  std::vector<int32_t> layers;  ///< of the model, ascending
  KvKind kind = KvKind::kFull;
  kernels::KvGeometry geometry = {};  ///< of each layer; for kRecurrent unused
  int64_t window = 0;                 ///< kWindow: a token at position p sees (p - window, p]
  int64_t state_bytes = 0;            ///< kRecurrent: of one layer of one sequence
  int64_t states = 1;                 ///< kRecurrent: room for so many (a fork needs one when it runs on)

  /// Pages of each head that lie wholly behind what a token at position `length` sees.
  int64_t pages_behind(int64_t length) const;
};

class KvStore {
 public:
  /// Room for `capacity` tokens in every group of a model of `layers` layers; no sequence grows beyond
  /// `longest_sequence`. Memory is reserved zeroed and touched as it is used. A layer may stand in one of
  /// these groups at most.
  static Result<std::unique_ptr<KvStore>> create(int64_t layers, std::vector<KvGroup> groups,
                                                 int64_t capacity, int64_t longest_sequence);
  /// A further group, of another name, that only sequences which ask for it use (a policy's own stream of
  /// some layers).
  Result<GroupId> add_group(KvGroup group, int64_t capacity);
  /// Gives the group's memory back; no sequence may use it any more.
  void remove_group(GroupId group);

  /// A new, empty sequence in these groups; none given: those of create().
  Result<SequenceId> create_sequence(std::span<const GroupId> groups = {});
  void free_sequence(SequenceId id);
  bool valid(SequenceId id) const;

  /// A sequence that holds what `id` holds; memory is shared until one of them writes.
  Result<SequenceId> fork(SequenceId id);

  /// A sequence in these groups that has seen `length` tokens, whose entries the caller writes at once (it
  /// restores a snapshot). kept[group][slot of the layer][head] are the positions that a ragged layer keeps;
  /// a uniform layer's list of heads is empty.
  using KeptPositions = std::vector<std::vector<std::vector<int32_t>>>;
  Result<SequenceId> create_filled(std::span<const GroupId> groups, int64_t length,
                                   std::span<const KeptPositions> kept);

  /// Tokens that the sequence has seen: the position of the next one, whatever was evicted.
  int64_t length(SequenceId id) const;
  /// Makes room for `count` more tokens, own copies of shared entries that they fall into included, or says
  /// how many are free. Does not change the length; on an error the sequence is as before.
  Status reserve(SequenceId id, int64_t count);
  /// Adds `count` stored tokens to the length (after a step) ...
  void advance(SequenceId id, int64_t count);
  /// ... or forgets all tokens at positions from `length` on, and room reserved beyond. `length` is 0, or at
  /// least shortest(id) and at most length(id).
  void truncate(SequenceId id, int64_t length);
  /// The shortest length that the sequence can be cut back to: 0, unless a window moved on or recurrent state
  /// ran on. (What was evicted does not come back.)
  int64_t shortest(SequenceId id) const;

  /// Keeps only these entries of one layer, [kv_heads] lists of ascending entry numbers; the rest is
  /// forgotten and memory given back. The layer is ragged from then on. Usage error for layers that are not
  /// kFull, and for numbers that do not exist. Nothing may be reserved beyond the length.
  Status evict(SequenceId id, int64_t layer, std::span<const std::vector<int32_t>> keep);
  bool ragged(SequenceId id, int64_t layer) const;
  /// Entries of a head (all tokens of a uniform layer), and the true position of each, ascending.
  int64_t entries(SequenceId id, int64_t layer, int64_t head) const;
  void positions(SequenceId id, int64_t layer, int64_t head, std::vector<int32_t>& out) const;

  /// What a step is given: [layers], valid until the sequence is changed by any call above.
  const kernels::KvLayer* layers(SequenceId id) const;
  /// State of a recurrent layer, this sequence's own copy after reserve(); zeroed at the beginning.
  std::byte* state(SequenceId id, int64_t layer) const;

  /// Groups, and those of one sequence.
  const KvGroup& group(GroupId id) const;
  /// -1 when there is none of that name.
  GroupId find_group(const std::string& name) const;
  std::span<const GroupId> groups(SequenceId id) const;

  int64_t free_tokens() const;    ///< whole entries in the fullest group of create(), in tokens
  uint64_t bytes() const;         ///< of all pools
  uint64_t bytes_in_use() const;  ///< of entries that some sequence holds
  /// Bytes of a store; the largest number when they exceed 64 bits.
  static uint64_t bytes_needed(std::span<const KvGroup> groups, int64_t capacity);

  /// How pages are laid out, by data: what another process needs to read a snapshot's bytes.
  static Json layout_record(const KvGroup& group);

  ~KvStore();
  KvStore(const KvStore&) = delete;
  KvStore& operator=(const KvStore&) = delete;

 private:
  struct Sequence;

  KvStore();
  Status check_group(const KvGroup& group) const;
  Status check_groups(std::span<const GroupId> groups) const;
  Result<GroupId> add_pool(KvGroup group, int64_t capacity);
  Result<std::unique_ptr<Sequence>> make_sequence(std::span<const GroupId> groups) const;
  Status check_length(int64_t length) const;
  Sequence& at(SequenceId id) const;

  int64_t layers_ = 0, longest_sequence_ = 0;
  std::vector<GroupId> default_groups_;               // those of create()
  std::vector<std::unique_ptr<KvPool>> pools_;        // by group; null: removed
  std::vector<std::unique_ptr<Sequence>> sequences_;  // by id; null: free
};

}  // namespace brisk::runtime
