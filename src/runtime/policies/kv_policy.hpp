// Policies over stored keys and values: between steps they decide what is kept. One file per policy in this
// folder; <name>.cpp defines kv_policy_<name>(), and the build lists them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.hpp"
#include "runtime/engine.hpp"
#include "runtime/model.hpp"

namespace brisk::runtime {

class KvPolicy {
 public:
  virtual ~KvPolicy() = default;
  virtual std::string_view name() const = 0;
  /// Rows, at least 1, that may be appended to the sequence before the policy must be asked. It follows from
  /// what the sequence holds, so that a policy acts at the same tokens however a text is cut into steps.
  virtual int64_t most_rows(const KvStore& store, SequenceId sequence) const = 0;
  /// Called after the rows of a step were appended to the sequence. The policy may evict, and may run steps
  /// of its own (rows that are not stored, with a probe) to learn what is worth keeping.
  virtual Status after_step(Engine& engine, SequenceId sequence) = 0;
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
