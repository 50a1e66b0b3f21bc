#include "runtime/decoder.hpp"

#include <algorithm>

namespace brisk::runtime {

namespace {

// Calls `visit(sequence, tokens of it)` for each run of neighbouring tokens of one sequence.
template <typename Visit>
Status for_each_sequence(std::span<const TokenRow> rows, Visit&& visit) {
  while (!rows.empty()) {
    size_t count = 1;
    while (count < rows.size() && rows[count].sequence == rows[0].sequence) ++count;
    BRISK_TRY(visit(rows[0].sequence, rows.first(count)));
    rows = rows.subspan(count);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Decoder>> Decoder::create(std::shared_ptr<const Model> model, ThreadPool& pool,
                                                 int64_t capacity, Policies policies) {
  if (policies.decoding != nullptr && policies.kv != nullptr && policies.decoding->owns_kv()) {
    return usage_error({"policies", "one policy that owns the stored keys and values",
                        "two: decoding " + std::string(policies.decoding->name()) + " and " +
                            std::string(policies.kv->name()),
                        "one of them alone"});
  }
  std::unique_ptr<Decoder> decoder(new Decoder());
  // A stream that shares the prompt stands in the model's own group: it needs room for all that follows.
  int64_t room = capacity;
  if (policies.decoding != nullptr) {
    room *= 1 + std::ranges::count_if(policies.decoding->streams(), &Stream::shares_prompt);
  }
  BRISK_ASSIGN(decoder->engine_, Engine::create(std::move(model), pool, room));
  decoder->policies_ = std::move(policies);
  BRISK_TRY(decoder->add_streams(capacity));
  if (decoder->policies_.decoding != nullptr) {
    if (auto second = decoder->policies_.decoding->second_model(); second != nullptr) {
      BRISK_ASSIGN(decoder->second_, create(std::move(second), pool, capacity));
    }
    decoder->scores_.resize(static_cast<size_t>(decoder->model().config().vocabulary));
  }
  const graph::Plan& plan = decoder->model().plan();
  decoder->rows_.reserve(static_cast<size_t>(plan.most_tokens()));
  decoder->second_rows_.reserve(static_cast<size_t>(plan.most_tokens()));
  decoder->wanted_.reserve(static_cast<size_t>(plan.most_outputs()));
  decoder->sources_.reserve(decoder->streams_.size() + 2);
  return decoder;
}

Status Decoder::add_streams(int64_t capacity) {
  if (policies_.decoding == nullptr) return {};
  const graph::Plan& plan = model().plan();
  const auto segments = static_cast<int32_t>(plan.segments().size());
  const std::span<const Stream> wanted = policies_.decoding->streams();
  const int64_t most = std::min(plan.most_outputs(), plan.most_tokens());
  if (static_cast<int64_t>(wanted.size()) + 1 > most) {
    return usage_error({"decoding " + std::string(policies_.decoding->name()),
                        "at most " + std::to_string(most - 1) + " streams beside the model's own",
                        std::to_string(wanted.size()),
                        "a larger --batch-size (-b) or --ctx-size (-c): a step holds no more rows"});
  }
  for (const Stream& stream : wanted) {
    if (stream.from < 1 || stream.from >= segments) {
      return usage_error({"decoding " + std::string(policies_.decoding->name()),
                          "streams that split off at segment 1 to " + std::to_string(segments - 1),
                          std::to_string(stream.from)});
    }
    streams_.push_back(stream);
    std::vector<uint8_t>& skip = streams_.back().skip;
    skip.resize(static_cast<size_t>(segments), 0);
    if (!stream.every_token) std::fill(skip.begin() + stream.from, skip.end() - 1, uint8_t{1});
    stream_groups_.emplace_back();
    if (stream.every_token && !stream.shares_prompt) BRISK_TRY(add_stream_groups(streams_.back(), capacity));
  }
  return {};
}

// The stream's own keys and values: of the layers that it runs behind the split, alike to the model's groups.
Status Decoder::add_stream_groups(const Stream& stream, int64_t capacity) {
  for (KvGroup group : model().kv_groups()) {
    std::erase_if(group.layers, [&](int32_t layer) {
      const auto stateful = model().stateful_layers();
      const auto place = std::ranges::find(stateful, layer, &Model::StatefulLayer::layer);
      return place == stateful.end() || place->segment < stream.from ||
             stream.skip[static_cast<size_t>(place->segment)] != 0;
    });
    if (group.layers.empty()) continue;
    group.name = std::string(policies_.decoding->name()) + "." + std::to_string(stream_groups_.size() - 1) +
                 "." + group.name;
    BRISK_ASSIGN(const GroupId id, engine_->kv().add_group(std::move(group), capacity));
    stream_groups_.back().push_back(id);
  }
  return {};
}

Status Decoder::fill(Sequence& sequence, const Sequence* source) {
  KvStore& kv = engine_->kv();
  auto make = [&](SequenceId from, std::span<const GroupId> groups) {
    return from >= 0 ? kv.fork(from) : kv.create_sequence(groups);
  };
  BRISK_ASSIGN(sequence.own, make(source != nullptr ? source->own : -1, {}));
  for (size_t s = 0; s < streams_.size(); ++s) {
    sequence.streams.push_back(-1);
    const SequenceId from = source != nullptr ? source->streams[s] : -1;
    // A stream without layers of its own needs no sequence; one that shares the prompt begins later.
    if (from < 0 && stream_groups_[s].empty()) continue;
    BRISK_ASSIGN(sequence.streams[s], make(from, stream_groups_[s]));
  }
  if (source != nullptr) sequence.prompt = source->prompt;
  if (second_ == nullptr) return {};
  if (source != nullptr) {
    BRISK_ASSIGN(sequence.second, second_->fork(source->second));
  } else {
    BRISK_ASSIGN(sequence.second, second_->create_sequence());
  }
  return {};
}

Result<int32_t> Decoder::keep(Sequence sequence, Status status) {
  if (!status.ok()) {
    drop(sequence);
    return status;
  }
  sequence.used = true;
  auto place = std::ranges::find(sequences_, false, &Sequence::used);
  if (place == sequences_.end()) place = sequences_.emplace(sequences_.end());
  *place = std::move(sequence);
  return static_cast<int32_t>(place - sequences_.begin());
}

Result<int32_t> Decoder::create_sequence() {
  Sequence made;
  Status status = fill(made, nullptr);
  return keep(std::move(made), std::move(status));
}

Result<int32_t> Decoder::fork(int32_t id) {
  Sequence made;
  Status status = fill(made, &sequence(id));
  return keep(std::move(made), std::move(status));
}

void Decoder::drop(Sequence& sequence) {
  KvStore& kv = engine_->kv();
  if (sequence.own >= 0) kv.free_sequence(sequence.own);
  for (const SequenceId stream : sequence.streams) {
    if (stream >= 0) kv.free_sequence(stream);
  }
  if (sequence.second >= 0) second_->free_sequence(sequence.second);
  sequence = {};
}

void Decoder::free_sequence(int32_t id) { drop(sequence(id)); }

Result<int32_t> Decoder::adopt(SequenceId own) {
  if (second_ != nullptr || std::ranges::any_of(streams_, &Stream::every_token)) {
    return usage_error({"decoding " + std::string(policies_.decoding->name()),
                        "sequences that it has seen from their beginning",
                        "one that came from elsewhere (a snapshot), whose other streams nobody computed",
                        "plain decoding, or the text instead of the snapshot"});
  }
  Sequence made;
  made.own = own;
  made.streams.assign(streams_.size(), -1);
  return keep(std::move(made), {});
}

int64_t Decoder::length(int32_t id) const { return engine_->kv().length(sequence(id).own); }

int64_t Decoder::shortest(int32_t id) const {
  const Sequence& wanted = sequence(id);
  int64_t shortest = engine_->kv().shortest(wanted.own);
  for (const auto& [layer, segment] : model().stateful_layers()) {
    if (engine_->kv().ragged(wanted.own, layer)) return length(id);
  }
  for (const SequenceId stream : wanted.streams) {
    if (stream >= 0) shortest = std::max(shortest, engine_->kv().shortest(stream));
  }
  return second_ != nullptr ? std::max(shortest, second_->shortest(wanted.second)) : shortest;
}

void Decoder::truncate(int32_t id, int64_t length) {
  Sequence& cut = sequence(id);
  KvStore& kv = engine_->kv();
  kv.truncate(cut.own, length);
  for (size_t s = 0; s < streams_.size(); ++s) {
    SequenceId& stream = cut.streams[s];
    if (stream < 0) continue;
    if (streams_[s].shares_prompt && length < cut.prompt) {
      kv.free_sequence(stream);  // the prompt goes on: the stream begins again behind it
      stream = -1;
    } else {
      kv.truncate(stream, length);
    }
  }
  if (second_ != nullptr) second_->truncate(cut.second, length);
}

void Decoder::end_shared_streams(int32_t id) {
  for (size_t s = 0; s < streams_.size(); ++s) {
    SequenceId& stream = sequence(id).streams[s];
    if (!streams_[s].shares_prompt || stream < 0) continue;
    engine_->kv().free_sequence(stream);
    stream = -1;
  }
}

bool Decoder::begins_streams(const TokenRow& row) const {
  if (!row.wanted) return false;
  for (size_t s = 0; s < streams_.size(); ++s) {
    if (streams_[s].shares_prompt && sequence(row.sequence).streams[s] < 0) return true;
  }
  return false;
}

// Streams that share the prompt split off the model's own sequence before the first wanted token.
Status Decoder::begin_streams(std::span<const TokenRow> rows) {
  for (const TokenRow& row : rows) {
    if (!begins_streams(row)) continue;
    Sequence& begun = sequence(row.sequence);
    for (size_t s = 0; s < streams_.size(); ++s) {
      if (!streams_[s].shares_prompt || begun.streams[s] >= 0) continue;
      BRISK_ASSIGN(begun.streams[s], engine_->kv().fork(begun.own));
      begun.prompt = engine_->kv().length(begun.own);
    }
  }
  return {};
}

// How many tokens from the front fit one step.
size_t Decoder::step_size(std::span<const TokenRow> rows) const {
  const graph::Plan& plan = model().plan();
  int64_t kv_rows = plan.most_tokens();
  int64_t all = 0, outputs = 0, in_sequence = 0;
  size_t count = 0;
  for (; count < rows.size(); ++count) {
    const TokenRow& row = rows[count];
    const bool same = count > 0 && rows[count - 1].sequence == row.sequence;
    in_sequence = same ? in_sequence + 1 : 1;
    if (!same && policies_.kv != nullptr) {
      kv_rows = policies_.kv->most_rows(engine_->kv(), sequence(row.sequence).own);
    }
    if (same && begins_streams(row)) break;  // what comes before must be stored first
    all += 1;
    for (const Stream& stream : streams_) all += stream.every_token || row.wanted ? 1 : 0;
    if (row.wanted) outputs += 1 + static_cast<int64_t>(streams_.size());
    if (all > plan.most_tokens() || outputs > plan.most_outputs() || in_sequence > kv_rows) break;
  }
  return count;
}

void Decoder::lay_out(std::span<const TokenRow> rows) {
  rows_.clear();
  wanted_.clear();
  for (size_t i = 0; i < rows.size(); ++i) {
    rows_.push_back({.token = rows[i].token,
                     .sequence = sequence(rows[i].sequence).own,
                     .logits = rows[i].wanted,
                     .embedding = rows[i].embedding,
                     .position = rows[i].position});
    if (rows[i].wanted) wanted_.push_back(i);
  }
  for (size_t s = 0; s < streams_.size(); ++s) {
    const Stream& stream = streams_[s];
    for (size_t i = 0; i < rows.size(); ++i) {
      const SequenceId own = sequence(rows[i].sequence).streams[s];
      const bool waits = stream.shares_prompt && own < 0;
      if (waits || (!stream.every_token && !rows[i].wanted)) continue;
      rows_.push_back({.token = rows[i].token,
                       .sequence = own,
                       .logits = rows[i].wanted,
                       .position = rows[i].position,
                       .source = static_cast<int32_t>(i),
                       .from = stream.from,
                       .skip = stream.skip.data()});
    }
  }
}

Status Decoder::run_second(std::span<const TokenRow> rows, const std::atomic<bool>* cancel) {
  if (second_ == nullptr) return {};
  second_rows_.clear();
  for (const TokenRow& row : rows) {
    if (row.embedding != nullptr) {
      return usage_error({"decoding " + std::string(policies_.decoding->name()),
                          "tokens, which both models know", "an embedding of the first"});
    }
    second_rows_.push_back({row.token, sequence(row.sequence).second, row.wanted});
  }
  second_logits_.clear();
  return second_->run(
      second_rows_,
      [this](const Scores& scores) -> Status {
        second_logits_.insert(second_logits_.end(), scores.scores.begin(), scores.scores.end());
        return {};
      },
      cancel);
}

// The second model may be ahead when the first could not follow.
void Decoder::take_back_second(std::span<const TokenRow> rows) {
  if (second_ == nullptr) return;
  for (const TokenRow& row : rows) {
    const Sequence& both = sequence(row.sequence);
    second_->truncate(both.second, engine_->kv().length(both.own));
  }
}

Status Decoder::hand_out(size_t first, std::span<const float> logits, const OnScores& on_scores) {
  const auto vocabulary = static_cast<size_t>(model().config().vocabulary);
  for (size_t w = 0; w < wanted_.size(); ++w) {
    sources_.clear();
    for (size_t way = 0; way <= streams_.size(); ++way) {
      sources_.push_back(logits.data() + (way * wanted_.size() + w) * vocabulary);
    }
    if (second_ != nullptr) sources_.push_back(second_logits_.data() + w * vocabulary);
    last_scores_ = {sources_[0], vocabulary};
    if (policies_.decoding != nullptr) {
      policies_.decoding->combine(sources_, scores_);
      last_scores_ = scores_;
    }
    if (on_scores) BRISK_TRY(on_scores({first + wanted_[w], last_scores_, sources_}));
  }
  return {};
}

Status Decoder::run_kv_policy(std::span<const TokenRow> rows) {
  if (policies_.kv == nullptr) return {};
  if (!last_scores_.empty() && last_scores_.data() != scores_.data()) {
    scores_.assign(last_scores_.begin(), last_scores_.end());  // the policy may run steps of its own
    last_scores_ = scores_;
  }
  return for_each_sequence(rows, [&](int32_t id, std::span<const TokenRow>) {
    return policies_.kv->after_step(*engine_, sequence(id).own);
  });
}

Status Decoder::step(std::span<const TokenRow> rows, size_t first, const OnScores& on_scores,
                     const std::atomic<bool>* cancel) {
  BRISK_TRY(begin_streams(rows));
  if (Status status = run_second(rows, cancel); !status.ok()) {
    take_back_second(rows);
    return status;
  }
  lay_out(rows);
  Result<std::span<const float>> logits = engine_->step(rows_, cancel);
  if (!logits.ok()) {
    take_back_second(rows);
    return logits.status();
  }
  finished_ += rows.size();
  BRISK_TRY(hand_out(first, *logits, on_scores));
  return run_kv_policy(rows);
}

Status Decoder::run(std::span<const TokenRow> rows, const OnScores& on_scores,
                    const std::atomic<bool>* cancel) {
  finished_ = 0;
  last_scores_ = {};
  while (finished_ < rows.size()) {
    const size_t first = finished_;
    const std::span<const TokenRow> rest = rows.subspan(first);
    BRISK_TRY(step(rest.first(step_size(rest)), first, on_scores, cancel));
  }
  return {};
}

}  // namespace brisk::runtime
