// streaming: keeps the first few tokens (the sinks, which later tokens put much weight on whatever they say)
// and the most recent ones (StreamingLLM, Xiao et al. 2024). Once a sequence holds budget + block entries in
// a layer, the middle goes until `budget` are left.
//
// Kept entries keep their true positions, as everywhere in this store; the paper counts positions anew within
// what is kept.
#include <algorithm>
#include <numeric>

#include "runtime/policies/kv_policy.hpp"

namespace brisk::runtime {

namespace {

constexpr int64_t kDefaultBlock = 64;

class Streaming final : public KvPolicy {
 public:
  Streaming(int64_t budget, int64_t block, int64_t sinks) : budget_(budget), block_(block), sinks_(sinks) {}

  std::string_view name() const override { return "streaming"; }
  int64_t most_rows(const KvStore& store, SequenceId sequence) const override {
    int64_t rows = block_;
    const auto least = [&](int32_t layer, int64_t) -> Status {
      rows = std::min(rows, budget_ + block_ - store.entries(sequence, layer, 0));
      return {};
    };
    const Status looked = for_each_full_layer(store, sequence, least);
    BRISK_ASSERT(looked.ok(), "looking cannot fail");
    return std::max<int64_t>(rows, 1);
  }

  Status after_step(Engine& engine, SequenceId sequence) override {
    KvStore& store = engine.kv();
    return for_each_full_layer(store, sequence, [&](int32_t layer, int64_t heads) -> Status {
      const int64_t entries = store.entries(sequence, layer, 0);
      if (entries < budget_ + block_) return {};
      choose(entries, heads);
      return store.evict(sequence, layer, keep_);
    });
  }

 private:
  template <typename Visit>
  static Status for_each_full_layer(const KvStore& store, SequenceId sequence, Visit&& visit) {
    for (const GroupId id : store.groups(sequence)) {
      const KvGroup& group = store.group(id);
      if (group.kind != KvKind::kFull) continue;
      for (const int32_t layer : group.layers) BRISK_TRY(visit(layer, group.geometry.kv_heads));
    }
    return {};
  }

  // The sinks and the most recent of `entries`, the same for all heads.
  void choose(int64_t entries, int64_t heads) {
    keep_.resize(static_cast<size_t>(heads));
    for (std::vector<int32_t>& list : keep_) {
      list.resize(static_cast<size_t>(budget_));
      const auto recent = list.begin() + sinks_;
      std::iota(list.begin(), recent, 0);
      std::iota(recent, list.end(), static_cast<int32_t>(entries - (budget_ - sinks_)));
    }
  }

  int64_t budget_, block_, sinks_;
  std::vector<std::vector<int32_t>> keep_;  // [kv_heads][budget]
};

// Far above any context, and sums of a few stay small.
constexpr int64_t kMost = int64_t{1} << 30;

Status check_range(const std::string& where, int64_t value, int64_t least) {
  if (value >= least && value <= kMost) return {};
  return usage_error({where, std::to_string(least) + " to " + std::to_string(kMost), std::to_string(value)});
}

Result<std::unique_ptr<KvPolicy>> create(const Model& model, const KvPolicyOptions& options) {
  const std::string where = "KV policy streaming";
  BRISK_TRY(check_range(where + ", sinks", options.sinks, 0));
  BRISK_TRY(check_range(where + ", block", options.block, 0));
  BRISK_TRY(check_range(where + ", budget, beside " + std::to_string(options.sinks) + " sinks",
                        options.budget, options.sinks + 1));
  for (const KvGroup& group : model.kv_groups()) {
    if (group.kind != KvKind::kWindow) continue;
    return usage_error({where, "a model without layers that see only a window",
                        model.info().name + ", whose layers of group '" + group.name + "' do",
                        "KV policy full"});
  }
  const int64_t block = options.block == 0 ? kDefaultBlock : options.block;
  return std::unique_ptr<KvPolicy>(std::make_unique<Streaming>(options.budget, block, options.sinks));
}

}  // namespace

KvPolicyKind kv_policy_streaming() {
  return {"streaming", "keeps the first tokens and the most recent ones", create};
}

}  // namespace brisk::runtime
