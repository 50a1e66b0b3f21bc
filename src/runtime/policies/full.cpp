// full: every token is kept.
#include "runtime/policies/kv_policy.hpp"

namespace brisk::runtime {

namespace {

Result<std::unique_ptr<KvPolicy>> create(const Model&, const KvPolicyOptions& options) {
  if (options.budget != 0 || options.block != 0) {
    return usage_error({"KV policy full", "no budget and no block: every token is kept", "one",
                        "leaving it out, or another policy"});
  }
  return std::unique_ptr<KvPolicy>();
}

}  // namespace

KvPolicyKind kv_policy_full() { return {"full", "keeps every token", create}; }

}  // namespace brisk::runtime
