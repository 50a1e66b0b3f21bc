// Policies over stored keys and values: between steps they decide what is kept. One file per policy in this
// folder; <name>.cpp defines kv_policy_<name>(), and the build lists them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "runtime/kv_store.hpp"
#include "runtime/model.hpp"

namespace brisk::runtime {

class KvPolicy {
 public:
  virtual ~KvPolicy() = default;
  virtual std::string_view name() const = 0;
  /// Rows of one sequence that a step may append before the policy must be asked.
  virtual int64_t most_rows() const = 0;
  /// Called after the rows of a step were appended to the sequence.
  virtual Status after_step(KvStore& store, SequenceId sequence) = 0;
};

struct KvPolicyOptions {
  std::string policy = "full";
  int64_t budget = 0;  ///< entries per layer and head that are kept
  int64_t block = 0;   ///< rows between evictions; 0: the policy's default
  int64_t sinks = 4;   ///< first tokens that are never evicted
};

struct KvPolicyKind {
  const char* name;  ///< "streaming"
  const char* summary;
  Result<std::unique_ptr<KvPolicy>> (*create)(const Model& model, const KvPolicyOptions& options);
};

std::span<const KvPolicyKind> all_kv_policies();
/// Null for "full". An unknown policy is a usage error that lists those that are known.
Result<std::unique_ptr<KvPolicy>> create_kv_policy(const Model& model, const KvPolicyOptions& options);

}  // namespace brisk::runtime
