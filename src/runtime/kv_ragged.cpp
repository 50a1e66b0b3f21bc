#include "runtime/kv_ragged.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace brisk::runtime {

using kernels::kPageTokens;

namespace {

// Entries of a page that stay where they are when a head keeps `keep`: the page needs no copy if all do.
bool page_moves(std::span<const int32_t> keep, int64_t page) {
  const int64_t begin = page * kPageTokens;
  const int64_t end = std::min<int64_t>(begin + kPageTokens, static_cast<int64_t>(keep.size()));
  // Ascending lists without repeats: the last entry is in its place exactly if all before it are.
  return keep[static_cast<size_t>(end - 1)] != end - 1;
}

int64_t pages_of(int64_t entries) { return div_up(entries, kPageTokens); }

}  // namespace

KvRagged::KvRagged(KvPool& pool, int64_t longest_sequence)
    : pool_(&pool), stride_(static_cast<size_t>(pages_of(longest_sequence))) {
  const auto heads = static_cast<size_t>(pool.layers() * pool.heads());
  pages_.resize(heads * stride_);
  heads_.resize(heads);
  shifts_.resize(heads);
  tables_.resize(heads);
  evicted_.resize(static_cast<size_t>(pool.layers()));
  point_tables();
}

void KvRagged::point_tables() {
  for (size_t head = 0; head < tables_.size(); ++head) tables_[head] = table(head);
}

void KvRagged::adopt(std::span<const int32_t> entries) {
  for (size_t i = 0; i < entries.size(); ++i) {
    for (size_t head = 0; head < heads_.size(); ++head)
      table(head)[i] = entries[i] + static_cast<int32_t>(head);
  }
  for (Head& head : heads_) head.pages = static_cast<int64_t>(entries.size());
}

int64_t KvRagged::pages_for(const KvPool& pool, int64_t length,
                            std::span<const std::vector<std::vector<int32_t>>> kept) {
  int64_t pages = 0;
  for (const auto& layer : kept) {
    if (layer.empty()) pages += pool.heads() * pages_of(length);
    for (const auto& head : layer) pages += pages_of(static_cast<int64_t>(head.size()));
  }
  return pages;
}

void KvRagged::fill(int64_t length, std::span<const std::vector<std::vector<int32_t>>> kept) {
  for (size_t slot = 0; slot < kept.size(); ++slot) {
    evicted_[slot] = kept[slot].empty() ? 0 : 1;
    for (size_t h = 0; h < kept[slot].size(); ++h) {
      Head& head = heads_[first_head(static_cast<int64_t>(slot)) + h];
      head.kept = kept[slot][h];
      head.kept_until = length;
    }
  }
  truncate(length);  // works out the shifts
  for (size_t head = 0; head < heads_.size(); ++head) take_pages(head, length + shifts_[head]);
}

KvRagged::KvRagged(const KvRagged& other)
    : pool_(other.pool_), stride_(other.stride_), pages_(other.pages_), heads_(other.heads_),
      shifts_(other.shifts_), tables_(other.tables_), evicted_(other.evicted_) {
  point_tables();
}

void KvRagged::hold(int64_t length) {
  for (size_t head = 0; head < heads_.size(); ++head) {
    // Room reserved beyond the length is not shared: it is about to be written.
    heads_[head].pages = std::min(heads_[head].pages, pages_of(length + shifts_[head]));
    for (int64_t i = 0; i < heads_[head].pages; ++i) pool_->hold_page(table(head)[i]);
  }
}

void KvRagged::release() {
  for (size_t head = 0; head < heads_.size(); ++head) cut_pages(head, 0);
}

void KvRagged::cut_pages(size_t head, int64_t entries) {
  int64_t& pages = heads_[head].pages;
  while (pages > pages_of(entries)) pool_->release_page(table(head)[--pages]);
}

void KvRagged::take_pages(size_t head, int64_t entries) {
  int64_t& pages = heads_[head].pages;
  while (pages < pages_of(entries)) table(head)[pages++] = pool_->take_page();
}

int64_t KvRagged::missing_pages(int64_t length, int64_t count) const {
  int64_t missing = 0;
  for (size_t head = 0; head < heads_.size(); ++head) {
    const int64_t entries = length + shifts_[head];
    missing += std::max<int64_t>(0, pages_of(entries + count) - heads_[head].pages);
    if (entries % kPageTokens != 0 && pool_->page_shared(table(head)[entries / kPageTokens])) ++missing;
  }
  return missing;
}

void KvRagged::reserve(int64_t length, int64_t count) {
  for (size_t head = 0; head < heads_.size(); ++head) {
    const int64_t entries = length + shifts_[head];
    if (entries % kPageTokens != 0) {
      int32_t& last = table(head)[entries / kPageTokens];
      if (pool_->page_shared(last)) {
        const int32_t own = pool_->take_page();
        pool_->copy_page(last, own);
        pool_->release_page(last);
        last = own;
      }
    }
    take_pages(head, entries + count);
  }
}

void KvRagged::truncate(int64_t length) {
  for (size_t i = 0; i < heads_.size(); ++i) {
    Head& head = heads_[i];
    if (length < head.kept_until) {
      const auto cut = std::ranges::lower_bound(head.kept, static_cast<int32_t>(length));
      head.kept.erase(cut, head.kept.end());
      head.kept_until = length;
    }
    const int64_t entries = static_cast<int64_t>(head.kept.size()) + length - head.kept_until;
    shifts_[i] = static_cast<int32_t>(entries - length);
    cut_pages(i, entries);
  }
}

bool KvRagged::reserved_beyond(int64_t length) const {
  for (size_t head = 0; head < heads_.size(); ++head) {
    if (heads_[head].pages > pages_of(length + shifts_[head])) return true;
  }
  return false;
}

int64_t KvRagged::pages_to_evict(int64_t slot, std::span<const std::vector<int32_t>> keep) const {
  int64_t pages = 0;
  for (size_t h = 0; h < keep.size(); ++h) {
    const int32_t* held = table(first_head(slot) + h);
    for (int64_t page = 0; page < pages_of(static_cast<int64_t>(keep[h].size())); ++page)
      pages += page_moves(keep[h], page) && pool_->page_shared(held[page]) ? 1 : 0;
  }
  return pages;
}

void KvRagged::evict(int64_t slot, int64_t length, std::span<const std::vector<int32_t>> keep,
                     std::vector<std::vector<int32_t>> positions) {
  for (size_t h = 0; h < keep.size(); ++h) {
    const size_t head = first_head(slot) + h;
    compact(head, keep[h]);
    heads_[head].kept = std::move(positions[h]);
    heads_[head].kept_until = length;
    shifts_[head] = static_cast<int32_t>(static_cast<int64_t>(keep[h].size()) - length);
    cut_pages(head, static_cast<int64_t>(keep[h].size()));
  }
  evicted_[static_cast<size_t>(slot)] = 1;
}

// Closes the gaps from the front: an entry only ever moves to a page at or before its own, so in a page of
// our own it may overwrite what stands there, and a shared page can be let go once its copy is complete.
void KvRagged::compact(size_t head, std::span<const int32_t> keep) {
  int32_t* pages = table(head);
  for (int64_t page = 0; page < pages_of(static_cast<int64_t>(keep.size())); ++page) {
    if (!page_moves(keep, page)) continue;
    const bool shared = pool_->page_shared(pages[page]);
    const int32_t target_page = shared ? pool_->take_page() : pages[page];
    const kernels::KvHead source{pool_->base(), pages, 0}, target{pool_->base(), &target_page, 0};
    const int64_t begin = page * kPageTokens;
    const int64_t end = std::min<int64_t>(begin + kPageTokens, static_cast<int64_t>(keep.size()));
    for (int64_t entry = begin; entry < end; ++entry) {
      const int64_t from = keep[static_cast<size_t>(entry)];
      if (from != entry || shared)
        kernels::copy_entry(pool_->group().geometry, source, from, target, entry - begin);
    }
    if (shared) pool_->release_page(pages[page]);
    pages[page] = target_page;
  }
}

int64_t KvRagged::entries(int64_t slot, int64_t head, int64_t length) const {
  return length + shifts_[first_head(slot) + static_cast<size_t>(head)];
}

int32_t KvRagged::position(int64_t slot, int64_t head, int64_t entry) const {
  const Head& of = heads_[first_head(slot) + static_cast<size_t>(head)];
  const auto kept = static_cast<int64_t>(of.kept.size());
  return entry < kept ? of.kept[static_cast<size_t>(entry)]
                      : static_cast<int32_t>(of.kept_until + entry - kept);
}

}  // namespace brisk::runtime
