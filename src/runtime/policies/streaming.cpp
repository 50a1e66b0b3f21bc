// streaming: keeps the first few tokens (the sinks, which later tokens put much weight on whatever they say) and
// the most recent ones (StreamingLLM, Xiao et al. 2024). Once a sequence holds more than budget + block entries
// in a layer, the middle goes until `budget` are left.
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
  int64_t most_rows() const override { return block_; }

  Status after_step(KvStore& store, SequenceId sequence) override {
    for (const GroupId id : store.groups(sequence)) {
      const KvGroup& group = store.group(id);
      if (group.kind != KvKind::kFull) continue;
      for (const int32_t layer : group.layers) {
        const int64_t entries = store.entries(sequence, layer, 0);
        if (entries - block_ <= budget_) continue;
        choose(entries, group.geometry.kv_heads);
        BRISK_TRY(store.evict(sequence, layer, keep_));
      }
    }
    return {};
  }

 private:
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

Result<std::unique_ptr<KvPolicy>> create(const Model& model, const KvPolicyOptions& options) {
  const std::string where = "KV policy streaming";
  if (options.sinks < 0) {
    return usage_error({where + ", sinks", "0 or more", std::to_string(options.sinks), "4"});
  }
  if (options.budget <= options.sinks) {
    return usage_error({where + ", budget", "more than the " + std::to_string(options.sinks) + " sinks",
                        std::to_string(options.budget), "some hundreds of tokens"});
  }
  if (options.block < 0) {
    return usage_error({where + ", block", "1 or more, or 0 for " + std::to_string(kDefaultBlock),
                        std::to_string(options.block)});
  }
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
