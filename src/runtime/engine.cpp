#include "runtime/engine.hpp"

#include <bit>

namespace brisk::runtime {

namespace {

// Whether every value is finite: the largest magnitude as an integer stays below infinity's.
bool all_finite(std::span<const float> values) {
  uint32_t largest = 0;
  for (const float value : values) {
    const uint32_t magnitude = std::bit_cast<uint32_t>(value) & 0x7FFFFFFFU;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest < 0x7F800000U;
}

// Calls `visit(sequence, first row, count)` for each run of neighbouring rows of one sequence.
template <typename Visit>
Status for_each_run(std::span<const Row> rows, Visit&& visit) {
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin + 1;
    while (end < rows.size() && rows[end].sequence == rows[begin].sequence) ++end;
    BRISK_TRY(visit(rows[begin].sequence, begin, end - begin));
    begin = end;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                               int64_t capacity) {
  std::unique_ptr<Engine> engine(new Engine());
  const models::LlmConfig& config = model->config();
  BRISK_ASSIGN(engine->kv_, KvStore::create(config.layers, model->kv_geometry(), capacity, model->context()));
  BRISK_ASSIGN(engine->executor_, graph::Executor::create(model->plan(), pool));
  const auto most = static_cast<size_t>(model->plan().most_tokens());
  engine->tokens_.reserve(most);
  engine->positions_.reserve(most);
  engine->logit_rows_.reserve(most);
  engine->tables_.reserve(most);
  engine->model_ = std::move(model);
  return engine;
}

Status Engine::check_rows(std::span<const Row> rows) const {
  const int64_t most = model_->plan().most_tokens();
  if (rows.empty() || static_cast<int64_t>(rows.size()) > most) {
    return usage_error({"step", "1 to " + std::to_string(most) + " rows", std::to_string(rows.size())});
  }
  const int64_t vocabulary = model_->config().vocabulary;
  int64_t outputs = 0;
  for (const Row& row : rows) {
    outputs += row.logits ? 1 : 0;
    if (row.token < 0 || row.token >= vocabulary) {
      return bad_input(
          {"step", "token ids from 0 to " + std::to_string(vocabulary - 1), std::to_string(row.token)});
    }
    if (!kv_->valid(row.sequence)) {
      return usage_error({"step", "a sequence that exists", std::to_string(row.sequence)});
    }
  }
  if (outputs > model_->plan().most_outputs()) {
    return usage_error({"step",
                        "at most " + std::to_string(model_->plan().most_outputs()) + " rows with logits",
                        std::to_string(outputs)});
  }
  return for_each_run(rows, [rows](SequenceId sequence, size_t begin, size_t) -> Status {
    for (size_t i = 0; i < begin; ++i) {
      if (rows[i].sequence != sequence) continue;
      return usage_error({"step", "the rows of a sequence side by side",
                          "sequence " + std::to_string(sequence) + " in two places"});
    }
    return {};
  });
}

Status Engine::describe_rows(std::span<const Row> rows) {
  tokens_.clear();
  positions_.clear();
  logit_rows_.clear();
  tables_.clear();
  return for_each_run(rows, [&](SequenceId sequence, size_t begin, size_t count) -> Status {
    const int64_t length = kv_->length(sequence);
    BRISK_TRY(kv_->reserve(sequence, static_cast<int64_t>(count)));
    for (size_t i = begin; i < begin + count; ++i) {
      tokens_.push_back(rows[i].token);
      positions_.push_back(static_cast<int32_t>(length) + static_cast<int32_t>(i - begin));
      tables_.push_back(kv_->table(sequence));
      if (rows[i].logits) logit_rows_.push_back(static_cast<int32_t>(i));
    }
    return {};
  });
}

void Engine::give_back(std::span<const Row> rows) {
  for (const Row& row : rows) kv_->truncate(row.sequence, kv_->length(row.sequence));
}

Result<std::span<const float>> Engine::step(std::span<const Row> rows, const std::atomic<bool>* cancel) {
  BRISK_TRY(check_rows(rows));
  if (Status status = describe_rows(rows); !status.ok()) {
    give_back(rows);
    return status;
  }
  const graph::StepInput input{tokens_,
                               positions_,
                               logit_rows_,
                               {&kv_->geometry(), kv_->layer(0), kv_->layer_bytes(), tables_.data()}};
  Result<std::span<const float>> logits = executor_->run(input, trace_, cancel);
  Status status = logits.status();
  if (status.ok() && model_->file_damaged()) status = model_->check_file();
  if (status.ok() && !all_finite(*logits)) {
    const std::string segment = executor_->find_bad_segment(input);
    status = model_->check_file();
    if (status.ok()) {
      status = bad_input({model_->info().name + ", " + (segment.empty() ? "head" : segment), "finite numbers",
                          "not-a-number or infinity", "a file whose weights are intact, or --exact"});
    }
  }
  if (!status.ok()) {
    give_back(rows);
    return status;
  }
  BRISK_TRY(for_each_run(rows, [&](SequenceId sequence, size_t, size_t count) -> Status {
    kv_->advance(sequence, static_cast<int64_t>(count));
    return {};
  }));
  return logits;
}

}  // namespace brisk::runtime
