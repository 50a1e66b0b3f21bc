// The list of KV policies, written by the build from the files of this folder, and the choice of one.
#include <array>

#include "runtime/policies/kv_policy.hpp"

namespace brisk::runtime {

#define BRISK_ITEM(name) KvPolicyKind name();
#include "kv_policies.inc"
#undef BRISK_ITEM

std::span<const KvPolicyKind> all_kv_policies() {
  static const std::array kinds = {
#define BRISK_ITEM(name) name(),
#include "kv_policies.inc"
#undef BRISK_ITEM
  };
  return kinds;
}

Result<std::unique_ptr<KvPolicy>> create_kv_policy(const Model& model, const KvPolicyOptions& options) {
  std::string known;
  for (const KvPolicyKind& kind : all_kv_policies()) {
    if (options.policy == kind.name) return kind.create(model, options);
    known += (known.empty() ? "" : ", ") + std::string(kind.name);
  }
  return usage_error({"KV policy", "one of " + known, "'" + options.policy + "'"});
}

}  // namespace brisk::runtime
