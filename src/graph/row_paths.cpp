#include "graph/row_paths.hpp"

#include <algorithm>
#include <cstring>

namespace brisk::graph {

namespace {

bool counts_up(std::span<const int32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != static_cast<int32_t>(i)) return false;
  }
  return true;
}

}  // namespace

Status RowPaths::prepare() {
  BRISK_TRY(plan_->row_paths());
  if (homes_.size() != 0) return {};
  int64_t constant_bytes = 0;
  for (const RowConstant& constant : plan_->row_constants()) constant_bytes += constant.row_bytes;
  const auto most = static_cast<size_t>(plan_->most_tokens());
  BRISK_ASSIGN(constants_, AlignedBuffer::allocate(most * static_cast<size_t>(constant_bytes), "row data"));
  active_.reserve(most);
  next_.reserve(most);
  BRISK_ASSIGN(homes_,
               AlignedBuffer::allocate(most * static_cast<size_t>(plan_->stream_row_bytes()), "row streams"));
  return {};
}

void RowPaths::begin(std::span<const RowPath> paths, std::byte* arena) {
  paths_ = paths;
  arena_ = arena;
  active_.resize(paths.size());
  for (size_t i = 0; i < paths.size(); ++i) active_[i] = static_cast<int32_t>(i);
  in_place_ = constants_in_place_ = true;
}

void RowPaths::enter(int32_t segment) {
  next_.clear();
  bool splits = false;
  for (size_t row = 0; row < paths_.size(); ++row) {
    const RowPath& path = paths_[row];
    splits = splits || (path.source >= 0 && path.from == segment);
    if (path.runs(segment)) next_.push_back(static_cast<int32_t>(row));
  }
  if (segment == 1) save_constants();
  if (!splits && std::ranges::equal(next_, active_)) return;
  const int64_t offset = plan_->segments()[static_cast<size_t>(segment)].stream;
  BRISK_ASSERT(offset >= 0, "every segment but the first has a stream");
  save_streams(arena_ + offset);
  if (splits) split_off(segment);
  active_.swap(next_);
  in_place_ = counts_up(active_);
  load(arena_ + offset);
}

// What the first segment made for all rows, in the order of the step.
void RowPaths::save_constants() {
  std::byte* to = constants_.data();
  for (const RowConstant& constant : plan_->row_constants()) {
    const auto bytes = static_cast<size_t>(constant.row_bytes) * paths_.size();
    if (bytes != 0) std::memcpy(to, arena_ + constant.offset, bytes);
    to += constant.row_bytes * plan_->most_tokens();
  }
}

void RowPaths::save_streams(std::byte* stream) {
  const auto bytes = static_cast<size_t>(plan_->stream_row_bytes());
  for (size_t i = 0; i < active_.size(); ++i) {
    std::memcpy(homes_.data() + static_cast<size_t>(active_[i]) * bytes, stream + i * bytes, bytes);
  }
}

void RowPaths::split_off(int32_t segment) {
  const auto bytes = static_cast<size_t>(plan_->stream_row_bytes());
  for (size_t row = 0; row < paths_.size(); ++row) {
    const RowPath& path = paths_[row];
    if (path.source < 0 || path.from != segment) continue;
    std::memcpy(homes_.data() + row * bytes, homes_.data() + static_cast<size_t>(path.source) * bytes, bytes);
  }
}

void RowPaths::load(std::byte* stream) {
  const auto bytes = static_cast<size_t>(plan_->stream_row_bytes());
  for (size_t i = 0; i < active_.size(); ++i) {
    std::memcpy(stream + i * bytes, homes_.data() + static_cast<size_t>(active_[i]) * bytes, bytes);
  }
  if (in_place_ && constants_in_place_) return;
  // Back in place, all rows are restored: those behind the active ones may come next.
  const size_t count = in_place_ ? paths_.size() : active_.size();
  const std::byte* from = constants_.data();
  for (const RowConstant& constant : plan_->row_constants()) {
    const auto row_bytes = static_cast<size_t>(constant.row_bytes);
    for (size_t i = 0; i < count; ++i) {
      const size_t row = in_place_ ? i : static_cast<size_t>(active_[i]);
      std::memcpy(arena_ + constant.offset + i * row_bytes, from + row * row_bytes, row_bytes);
    }
    from += constant.row_bytes * plan_->most_tokens();
  }
  constants_in_place_ = in_place_;
}

}  // namespace brisk::graph
