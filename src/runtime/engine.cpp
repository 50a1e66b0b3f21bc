#include "runtime/engine.hpp"

#include <algorithm>
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
  BRISK_ASSIGN(engine->kv_,
               KvStore::create(model->config().layers, model->kv_groups(), capacity, model->context()));
  BRISK_ASSIGN(engine->executor_, graph::Executor::create(model->plan(), pool));
  const auto most = static_cast<size_t>(model->plan().most_tokens());
  engine->tokens_.reserve(most);
  engine->positions_.reserve(most);
  engine->logit_rows_.reserve(most);
  engine->places_.reserve(most);
  engine->paths_.reserve(most);
  engine->embeddings_.reserve(most);
  engine->model_ = std::move(model);
  return engine;
}

Status Engine::check_rows(std::span<const Row> rows) const {
  const int64_t most = model_->plan().most_tokens();
  if (rows.empty() || static_cast<int64_t>(rows.size()) > most) {
    return usage_error({"step", "1 to " + std::to_string(most) + " rows", std::to_string(rows.size())});
  }
  int64_t outputs = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    outputs += rows[i].logits ? 1 : 0;
    BRISK_TRY(check_row(rows, i));
  }
  if (outputs > model_->plan().most_outputs()) {
    return usage_error({"step",
                        "at most " + std::to_string(model_->plan().most_outputs()) + " rows with logits",
                        std::to_string(outputs)});
  }
  return for_each_run(rows, [&](SequenceId sequence, size_t begin, size_t count) -> Status {
    if (sequence == Row::kNoSequence) return {};
    for (size_t i = 0; i < begin; ++i) {
      if (rows[i].sequence != sequence) continue;
      return usage_error({"step", "the rows of a sequence side by side",
                          "sequence " + std::to_string(sequence) + " in two places"});
    }
    for (size_t i = begin + 1; i < begin + count; ++i) {
      if (!rows[i].store || rows[i - 1].store) continue;
      return usage_error({"step", "rows that are not stored behind those of their sequence that are",
                          "a stored row behind one that is not"});
    }
    return {};
  });
}

Status Engine::check_row(std::span<const Row> rows, size_t index) const {
  const Row& row = rows[index];
  const std::string where = "step, row " + std::to_string(index);
  const int64_t vocabulary = model_->config().vocabulary;
  if (row.token < 0 || row.token >= vocabulary) {
    return bad_input(
        {where, "token ids from 0 to " + std::to_string(vocabulary - 1), std::to_string(row.token)});
  }
  if (row.adapter >= 0) {
    return usage_error({where, "no adapter: the model has none", std::to_string(row.adapter)});
  }
  if (row.noise_key != 0) {
    return usage_error({where, "no router noise: the model has no router", std::to_string(row.noise_key)});
  }
  const auto last_segment = static_cast<int32_t>(model_->plan().segments().size()) - 1;
  const graph::RowPath path{row.source, row.from, row.until, row.skip, row.seen};
  if (row.source >= static_cast<int32_t>(index) || (row.source < 0 && row.from != 0)) {
    return usage_error(
        {where, "an earlier row as the source of a row that splits off", std::to_string(row.source)});
  }
  if (row.source >= 0) {
    const Row& source = rows[static_cast<size_t>(row.source)];
    if (source.from > row.from || source.until <= row.from) {
      return usage_error({where, "a source that is on its way at segment " + std::to_string(row.from),
                          "row " + std::to_string(row.source) + ", which is not"});
    }
  }
  if (row.source >= 0 && (row.from < 1 || row.from > last_segment)) {
    return usage_error({where, "a segment from 1 to " + std::to_string(last_segment) + " to split off at",
                        std::to_string(row.from)});
  }
  if (row.logits && !path.runs(last_segment)) {
    return usage_error({where, "a row with logits to run the last segment", "one that is dropped before"});
  }
  if (row.sequence == Row::kNoSequence) {
    for (int32_t s = 1; s < last_segment; ++s) {
      if (!path.runs(s)) continue;
      return usage_error({where, "a sequence for a row that runs layers",
                          "none, and segment " + model_->plan().segments()[static_cast<size_t>(s)].name});
    }
    return {};
  }
  if (!kv_->valid(row.sequence)) {
    return usage_error({where, "a sequence that exists", std::to_string(row.sequence)});
  }
  return check_layers(row, path, where);
}

Status Engine::check_layers(const Row& row, const graph::RowPath& path, const std::string& where) const {
  const kernels::KvLayer* layers = kv_->layers(row.sequence);
  const bool chooses = row.mask != nullptr || !row.seen.empty() || row.first > 0 ||
                       (row.last >= 0 && row.last < kv_->length(row.sequence));
  for (const auto& [layer, segment] : model_->stateful_layers()) {
    if (!path.runs(segment)) continue;
    const kernels::KvGeometry* geometry = layers[layer].geometry;
    if (geometry == nullptr) {
      return usage_error({where, "to pass by layer " + std::to_string(layer),
                          "to run it, but its sequence keeps nothing of that layer"});
    }
    if (geometry->type != model_->kv_type()) {
      return usage_error({where,
                          "keys and values of type " + std::string(dtype_name(model_->kv_type())) +
                              " in layer " + std::to_string(layer),
                          std::string(dtype_name(geometry->type))});
    }
    if (chooses && kv_->ragged(row.sequence, layer)) {
      return usage_error({where, "a row that sees all of its sequence, once entries were evicted",
                          "a mask or a range in layer " + std::to_string(layer)});
    }
  }
  return {};
}

// A probe is read by every layer, unchecked: its rows must be there, and all of one sequence.
Status Engine::check_probe(std::span<const Row> rows) const {
  if (probe_ == nullptr) return {};
  const auto count = static_cast<int64_t>(rows.size());
  const ops::AttentionProbe& p = *probe_;
  const bool sound = p.row_begin >= 0 && p.row_count > 0 && p.row_begin <= count - p.row_count &&
                     p.log_sums != nullptr && p.last > 0 &&
                     (p.key_scores == nullptr || p.key_stride >= p.last);
  if (!sound) return usage_error({"probe", "rows of this step, and room for what is asked", "others"});
  const auto asked = rows.subspan(static_cast<size_t>(p.row_begin), static_cast<size_t>(p.row_count));
  const SequenceId sequence = asked[0].sequence;
  const bool one = std::ranges::all_of(asked, [&](const Row& row) { return row.sequence == sequence; });
  const bool all_plain = std::ranges::all_of(rows, [](const Row& row) {
    return row.source < 0 && row.skip == nullptr && row.until == Row::kLastSegment && row.seen.empty();
  });
  if (!one || sequence == Row::kNoSequence || !kv_->valid(sequence)) {
    return usage_error({"probe", "rows of one sequence", "several, or none"});
  }
  if (!all_plain) return usage_error({"probe", "a step whose rows all run every layer", "rows that do not"});
  if (p.last > kv_->length(sequence) + p.row_count) {
    return usage_error({"probe", "positions that the sequence has", std::to_string(p.last)});
  }
  return {};
}

void Engine::describe_row(const Row& row, int64_t place) {
  const auto at = static_cast<int32_t>(place);
  tokens_.push_back(row.token);
  const int64_t components = model_->position_components();
  for (int64_t c = 0; c < components; ++c) {
    const int32_t position = row.position[static_cast<size_t>(c)];
    positions_.push_back(position < 0 ? at : position);
  }
  const bool stateless = row.sequence == Row::kNoSequence;
  places_.push_back({stateless ? nullptr : kv_->layers(row.sequence), at, row.first,
                     row.last < 0 ? at + 1 : row.last, row.mask});
  paths_.push_back({row.source, row.from, row.until, row.skip, row.seen});
  embeddings_.push_back(row.embedding);
}

Status Engine::describe_rows(std::span<const Row> rows) {
  tokens_.clear();
  positions_.clear();
  logit_rows_.clear();
  places_.clear();
  paths_.clear();
  embeddings_.clear();
  return for_each_run(rows, [&](SequenceId sequence, size_t begin, size_t count) -> Status {
    const bool stateless = sequence == Row::kNoSequence;
    const int64_t length = stateless ? 0 : kv_->length(sequence);
    if (!stateless) BRISK_TRY(kv_->reserve(sequence, static_cast<int64_t>(count)));
    for (size_t i = begin; i < begin + count; ++i) {
      const int64_t place = length + static_cast<int64_t>(i - begin);
      const int64_t last = rows[i].last < 0 ? place + 1 : rows[i].last;
      if (rows[i].first < 0 || rows[i].first >= last || last > length + static_cast<int64_t>(count)) {
        return usage_error({"step, row " + std::to_string(i), "to see positions of its own sequence",
                            std::to_string(rows[i].first) + " to " + std::to_string(rows[i].last)});
      }
      describe_row(rows[i], place);
      if (rows[i].logits) logit_rows_.push_back(static_cast<int32_t>(i));
    }
    return {};
  });
}

void Engine::give_back(std::span<const Row> rows) {
  for (const Row& row : rows) {
    if (row.sequence != Row::kNoSequence && kv_->valid(row.sequence)) {
      kv_->truncate(row.sequence, kv_->length(row.sequence));
    }
  }
}

Status Engine::check_numbers(std::span<const float> logits, const graph::StepInput& input) {
  if (model_->file_damaged()) BRISK_TRY(model_->check_file());
  if (all_finite(logits)) return {};
  const std::string segment = executor_->find_bad_segment(input);
  BRISK_TRY(model_->check_file());
  return bad_input({model_->info().name + ", " + (segment.empty() ? "head" : segment), "finite numbers",
                    "not-a-number or infinity", "a file whose weights are intact, or --exact"});
}

Result<std::span<const float>> Engine::step(std::span<const Row> rows, const std::atomic<bool>* cancel) {
  BRISK_TRY(check_rows(rows));
  BRISK_TRY(check_probe(rows));
  if (Status status = describe_rows(rows); !status.ok()) {
    give_back(rows);
    return status;
  }
  graph::StepInput input{tokens_, positions_, logit_rows_, {places_.data(), probe_}, {}, {}};
  // Most steps have neither, and then pay nothing for them.
  if (!std::ranges::all_of(paths_, &graph::RowPath::is_default)) input.paths = paths_;
  if (std::ranges::any_of(embeddings_, [](const float* row) { return row != nullptr; })) {
    input.embeddings = embeddings_;
  }
  Result<std::span<const float>> logits = executor_->run(input, trace_, cancel);
  Status status = logits.status();
  if (status.ok()) status = check_numbers(*logits, input);
  if (!status.ok()) {
    give_back(rows);
    return status;
  }
  BRISK_TRY(for_each_run(rows, [&](SequenceId sequence, size_t begin, size_t count) -> Status {
    if (sequence == Row::kNoSequence) return {};
    const auto run = rows.subspan(begin, count);
    const int64_t stored = std::ranges::count_if(run, [](const Row& row) { return row.store; });
    kv_->advance(sequence, stored);
    // Room that was reserved for rows which are not stored goes back.
    if (stored != static_cast<int64_t>(count)) kv_->truncate(sequence, kv_->length(sequence));
    return {};
  }));
  return logits;
}

}  // namespace brisk::runtime
