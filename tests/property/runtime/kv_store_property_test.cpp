// The store of keys and values against a plain model of it: random creating, forking, appending, evicting,
// truncating, saving, restoring and freeing over several groups. Contents, positions and the memory in use
// are what the model says, throughout; what fails for want of room leaves everything as it was.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "runtime/kv_snapshot.hpp"
#include "runtime/kv_store.hpp"
#include "support/kv_sequences.hpp"

namespace brisk::runtime {
namespace {

using kernels::kPageTokens;

constexpr int64_t kLayers = 6, kCapacity = 24 * kPageTokens, kLongest = 300;
constexpr int64_t kOperations = 110'000;
constexpr uint64_t kGarbage = 999;  // stored by steps that are given up

/// A token that some head keeps: its position, and the seed that its numbers come from.
struct Token {
  int32_t position;
  uint64_t seed;
};

/// What the store should hold, told plainly.
struct Plain {
  std::vector<GroupId> groups;
  std::vector<int32_t> tokens;
  std::map<std::pair<int32_t, int64_t>, std::vector<Token>> heads;  // by layer and head
  std::set<int32_t> evicted;
  uint64_t state = 0;  // of recurrent layers: the sum of all seeds
  int64_t gone = 0;    // tokens that a window's layers no longer hold
  bool recurrent = false;
  int64_t length() const { return static_cast<int64_t>(tokens.size()); }
};

std::vector<KvGroup> make_groups() {
  std::vector<KvGroup> groups(4);
  groups[0].name = "full";
  groups[0].layers = {0, 3};
  groups[0].geometry = {2, 4, 3, DType::kF32};
  groups[1].name = "short";
  groups[1].layers = {1};
  groups[1].geometry = {1, 32, 32, DType::kQ8_0};
  groups[2].name = "window";
  groups[2].kind = KvKind::kWindow;
  groups[2].window = 50;
  groups[2].layers = {2};
  groups[2].geometry = {2, 3, 4, DType::kF16};
  groups[3].name = "state";
  groups[3].kind = KvKind::kRecurrent;
  groups[3].layers = {4, 5};
  groups[3].state_bytes = 24;
  groups[3].states = 6;
  return groups;
}

class Comparison {
 public:
  explicit Comparison(uint64_t seed) : random_(seed) {
    store_ = std::move(KvStore::create(kLayers, make_groups(), kCapacity, kLongest)).value();
    KvGroup own = make_groups()[0];
    own.name = "own";
    own.layers = {1, 3, 4};
    own_group_ = *store_->add_group(own, kCapacity / 2);
    path_ = test::quick_folder() + "/brisk_kv_" + std::to_string(getpid()) + ".safetensors";
  }
  ~Comparison() { std::filesystem::remove(path_); }

  void run() {
    const int64_t free_tokens = store_->free_tokens();
    for (operation_ = 0; operation_ < kOperations && !testing::Test::HasFailure(); ++operation_) {
      SCOPED_TRACE("operation " + std::to_string(operation_));
      act();
      if (operation_ % 200 == 0) check_memory();
    }
    while (!plain_.empty()) release(plain_.begin()->first);
    EXPECT_EQ(store_->free_tokens(), free_tokens);
    EXPECT_EQ(store_->bytes_in_use(), 0U);
    for (const auto& [name, count] : counts_)
      std::printf("  %-22s %lld\n", name.c_str(), static_cast<long long>(count));
    for (const char* name : {"create", "fork", "append", "no room to append", "evict", "evict copies refused",
                             "truncate", "step given up", "restore", "no room to restore"})
      EXPECT_GT(counts_[name], 0) << name << " never happened";
  }

 private:
  int64_t draw(int64_t below) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(below)); }

  void act() {
    const int64_t choice = draw(100);
    if (plain_.empty() || (choice < 4 && plain_.size() < 12)) return create();
    const SequenceId id = std::next(plain_.begin(), draw(static_cast<int64_t>(plain_.size())))->first;
    if (choice < 12 && plain_.size() < 12) {
      fork(id);
    } else if (choice < 20) {
      release(id);
    } else if (choice < 32) {
      evict(id);
    } else if (choice < 44) {
      truncate(id);
    } else if (choice < 48) {
      give_up_step(id);
    } else if (choice < 50) {
      save_and_restore(id);
    } else {
      append(id);
    }
    if (plain_.contains(id)) check(id, /*all=*/draw(40) == 0);
  }

  void create() {
    std::vector<GroupId> groups;
    switch (draw(4)) {
      case 0: break;  // those of the store
      case 1: groups = {0, 1}; break;
      case 2: groups = {0, 2, 1}; break;
      default: groups = {own_group_};
    }
    const SequenceId id = *store_->create_sequence(groups);
    Plain plain;
    plain.groups.assign(store_->groups(id).begin(), store_->groups(id).end());
    plain.recurrent = plain.groups.size() == 4;
    ASSERT_TRUE(plain_.emplace(id, plain).second) << "a new handle";
    ++counts_["create"];
  }

  void fork(SequenceId id) {
    const uint64_t before = store_->bytes_in_use();
    const SequenceId copy = *store_->fork(id);
    EXPECT_EQ(store_->bytes_in_use(), before) << "a fork takes no memory";
    ASSERT_TRUE(plain_.emplace(copy, plain_.at(id)).second);
    check(copy, /*all=*/false);
    ++counts_["fork"];
  }

  void release(SequenceId id) {
    store_->free_sequence(id);
    EXPECT_FALSE(store_->valid(id));
    plain_.erase(id);
  }

  // Whether `count` more tokens surely fit: every group has that many whole entries free, copies included.
  bool surely_fits(const Plain& plain, int64_t count) const {
    const int64_t pages = 2 * 2 * (count / kPageTokens + 2);  // of 4 pages to an entry
    return store_->free_tokens() / kPageTokens > pages && !plain.recurrent &&
           plain.groups.front() != own_group_;
  }

  bool reserve(SequenceId id, int64_t count) {
    const Plain& plain = plain_.at(id);
    const uint64_t in_use = store_->bytes_in_use();
    const int64_t free_tokens = store_->free_tokens(), shortest = store_->shortest(id);
    const Status status = store_->reserve(id, count);
    if (!status.ok()) {
      const bool too_long = plain.length() + count > kLongest;
      EXPECT_EQ(status.code(), too_long ? StatusCode::kBadInput : StatusCode::kEnvironment);
      EXPECT_TRUE(too_long || !surely_fits(plain, count)) << status.message();
      EXPECT_EQ(store_->bytes_in_use(), in_use);
      EXPECT_EQ(store_->free_tokens(), free_tokens);
      EXPECT_EQ(store_->shortest(id), shortest);
      check(id, /*all=*/true);
      ++counts_[too_long ? "too long" : "no room to append"];
      return false;
    }
    plain_.at(id).gone = std::max(plain.gone, behind_window(plain));
    return true;
  }

  int64_t behind_window(const Plain& plain) const {
    if (std::ranges::find(plain.groups, 2) == plain.groups.end()) return 0;
    return std::max<int64_t>(0, plain.length() - store_->group(2).window + 1) / kPageTokens * kPageTokens;
  }

  template <typename Visit>
  void for_each_layer(const Plain& plain, Visit visit) {
    for (const GroupId group : plain.groups) {
      for (const int32_t layer : store_->group(group).layers) visit(store_->group(group), layer);
    }
  }

  void append(SequenceId id) {
    const int64_t count = draw(8) == 0 ? 1 + draw(90) : 1 + draw(8);
    if (!reserve(id, count)) return;
    Plain& plain = plain_.at(id);
    const Isa isa = draw(2) == 0 ? Isa::kRef : cpu_info().best;
    const int64_t length = plain.length();
    std::vector<uint64_t> seeds;
    for (int64_t i = 0; i < count; ++i) seeds.push_back(random_() % 16 + 1000);
    for_each_layer(plain, [&](const KvGroup& group, int32_t layer) {
      for (int64_t i = 0; i < count && group.kind != KvKind::kRecurrent; ++i) {
        test::store_token(store_->layers(id)[layer], layer, length + i, seeds[static_cast<size_t>(i)], isa);
        for (int64_t head = 0; head < group.geometry.kv_heads; ++head) {
          plain.heads[{layer, head}].push_back(
              {static_cast<int32_t>(length + i), seeds[static_cast<size_t>(i)]});
        }
      }
    });
    for (const uint64_t seed : seeds) {
      plain.state += seed;
      plain.tokens.push_back(static_cast<int32_t>(seed));
    }
    if (plain.recurrent) {
      for (const int64_t layer : {4, 5}) {
        uint64_t state[3];
        std::memcpy(state, store_->state(id, layer), sizeof(state));
        EXPECT_EQ(state[1], plain.state - sum(seeds));
        state[1] = plain.state;
        std::memcpy(store_->state(id, layer), state, sizeof(state));
      }
    }
    store_->advance(id, count);
    ++counts_["append"];
  }

  static uint64_t sum(const std::vector<uint64_t>& seeds) {
    uint64_t total = 0;
    for (const uint64_t seed : seeds) total += seed;
    return total;
  }

  // Room is taken and written, and then the step fails.
  void give_up_step(SequenceId id) {
    const int64_t count = 1 + draw(40);
    if (!reserve(id, count)) return;
    const Plain& plain = plain_.at(id);
    for_each_layer(plain, [&](const KvGroup& group, int32_t layer) {
      for (int64_t i = 0; i < count && group.kind != KvKind::kRecurrent; ++i)
        test::store_token(store_->layers(id)[layer], layer, plain.length() + i, kGarbage);
    });
    store_->truncate(id, plain.length());
    ++counts_["step given up"];
  }

  void truncate(SequenceId id) {
    Plain& plain = plain_.at(id);
    const int64_t shortest = store_->shortest(id);
    const int64_t expected = plain.recurrent  ? plain.length()
                             : plain.gone > 0 ? plain.gone + store_->group(2).window - 1
                                              : 0;
    ASSERT_EQ(shortest, expected);
    const int64_t room = plain.length() - shortest;
    const int64_t length = plain.length() - (draw(3) == 0 ? draw(room + 1) : std::min(room, draw(40)));
    store_->truncate(id, length);
    plain.tokens.resize(static_cast<size_t>(length));
    for (auto& [place, tokens] : plain.heads)
      std::erase_if(tokens, [length](const Token& token) { return token.position >= length; });
    ++counts_["truncate"];
  }

  // Some of a head's entries: a prefix, a random part, every one, none.
  std::vector<int32_t> some_entries(int64_t count) {
    std::vector<int32_t> entries;
    const int64_t way = draw(8), share = draw(101), prefix = draw(count + 1);
    for (int64_t entry = 0; entry < count; ++entry) {
      const bool keep = way == 0 ? false : way == 1 ? true : way == 2 ? entry < prefix : draw(100) < share;
      if (keep) entries.push_back(static_cast<int32_t>(entry));
    }
    return entries;
  }

  void evict(SequenceId id) {
    Plain& plain = plain_.at(id);
    const KvGroup& group = store_->group(plain.groups[static_cast<size_t>(
        draw(std::min<int64_t>(2, static_cast<int64_t>(plain.groups.size()))))]);
    if (group.kind != KvKind::kFull) return;
    const int32_t layer = group.layers[static_cast<size_t>(draw(static_cast<int64_t>(group.layers.size())))];
    std::vector<std::vector<int32_t>> keep;
    for (int64_t head = 0; head < group.geometry.kv_heads; ++head)
      keep.push_back(some_entries(static_cast<int64_t>(plain.heads[{layer, head}].size())));
    const uint64_t in_use = store_->bytes_in_use();
    const Status status = store_->evict(id, layer, keep);
    if (!status.ok()) {
      EXPECT_EQ(status.code(), StatusCode::kEnvironment) << status.message();
      EXPECT_EQ(store_->bytes_in_use(), in_use);
      check(id, /*all=*/true);
      ++counts_["evict copies refused"];
      return;
    }
    plain.evicted.insert(layer);
    for (int64_t head = 0; head < group.geometry.kv_heads; ++head) {
      std::vector<Token>& tokens = plain.heads[{layer, head}];
      std::vector<Token> kept;
      for (const int32_t entry : keep[static_cast<size_t>(head)])
        kept.push_back(tokens[static_cast<size_t>(entry)]);
      tokens = std::move(kept);
    }
    ++counts_["evict"];
  }

  void save_and_restore(SequenceId id) {
    const Plain& plain = plain_.at(id);
    const Status saved = save_snapshot(*store_, id, "model", plain.tokens, path_);
    ASSERT_TRUE(saved.ok()) << saved.message();
    const uint64_t in_use = store_->bytes_in_use();
    const auto restored = load_snapshot(*store_, "model", path_);
    if (!restored.ok()) {
      EXPECT_EQ(restored.status().code(), StatusCode::kEnvironment) << restored.status().message();
      EXPECT_EQ(store_->bytes_in_use(), in_use);
      ++counts_["no room to restore"];
      return;
    }
    EXPECT_EQ(restored->tokens, plain.tokens);
    Plain copy = plain;
    copy.gone = std::max(copy.gone, behind_window(plain));
    ASSERT_TRUE(plain_.emplace(restored->id, copy).second);
    check(restored->id, /*all=*/true);
    ++counts_["restore"];
  }

  void check(SequenceId id, bool all) {
    const Plain& plain = plain_.at(id);
    ASSERT_EQ(store_->length(id), plain.length());
    for_each_layer(plain, [&](const KvGroup& group, int32_t layer) {
      if (group.kind == KvKind::kRecurrent) return check_state(id, layer, plain);
      EXPECT_EQ(store_->ragged(id, layer), plain.evicted.contains(layer));
      for (int64_t head = 0; head < group.geometry.kv_heads; ++head) {
        const auto found = plain.heads.find({layer, head});
        static const std::vector<Token> kNothing;
        check_head(id, group, layer, head, found != plain.heads.end() ? found->second : kNothing, all);
      }
    });
  }

  void check_state(SequenceId id, int32_t layer, const Plain& plain) {
    if (plain.length() == 0) return;
    uint64_t state[3];
    std::memcpy(state, store_->state(id, layer), sizeof(state));
    ASSERT_EQ(state[0], 0U);
    ASSERT_EQ(state[1], plain.state);
    ASSERT_EQ(state[2], 0U);
  }

  void check_head(SequenceId id, const KvGroup& group, int32_t layer, int64_t head,
                  const std::vector<Token>& tokens, bool all) {
    const auto count = static_cast<int64_t>(tokens.size());
    ASSERT_EQ(store_->entries(id, layer, head), count);
    const kernels::KvHead shown = store_->layers(id)[layer].head(head);
    ASSERT_EQ(shown.shift, count - plain_.at(id).length());
    store_->positions(id, layer, head, positions_);
    const int64_t first = group.kind == KvKind::kWindow ? plain_.at(id).gone : 0;
    for (int64_t entry = first; entry < count; ++entry) {
      const Token& token = tokens[static_cast<size_t>(entry)];
      ASSERT_EQ(positions_[static_cast<size_t>(entry)], token.position);
      if (all || entry == count - 1 || (random_() & 31) == 0)
        check_entry(group, shown, entry, layer, head, token);
    }
  }

  // The same token stored alone, by the reference, has the same bits.
  void check_entry(const KvGroup& group, const kernels::KvHead& shown, int64_t entry, int32_t layer,
                   int64_t head, const Token& token) {
    const kernels::KvGeometry& g = group.geometry;
    std::vector<float>& alone = alone_[std::tuple(&group, layer, head, token.position, token.seed)];
    const auto dims = static_cast<size_t>(g.k_dim + g.v_dim);
    if (alone.empty()) {
      std::vector<std::byte> slab(static_cast<size_t>(g.slab_bytes()));
      const std::vector<int32_t> pages(kLongest / kPageTokens + 1);
      const kernels::KvLayer one{&g, slab.data(), pages.data(), nullptr, nullptr};
      test::store_token(one, layer, token.position, token.seed);
      alone.resize(dims);
      kernels::read_entry(g, one.head(head), token.position, alone.data(), alone.data() + g.k_dim);
    }
    stored_.resize(dims);
    kernels::read_entry(g, shown, entry, stored_.data(), stored_.data() + g.k_dim);
    ASSERT_EQ(std::memcmp(stored_.data(), alone.data(), dims * sizeof(float)), 0)
        << "layer " << layer << " head " << head << " entry " << entry;
  }

  // The memory in use is that of the pages that sequences can reach: nothing leaks, nothing is lost.
  void check_memory() {
    std::set<const std::byte*> pages;
    uint64_t bytes = 0;
    const auto reach = [&](const std::byte* page, int64_t size) {
      if (page != nullptr && pages.insert(page).second) bytes += static_cast<uint64_t>(size);
    };
    for (const auto& [id, plain] : plain_) {
      for_each_layer(plain, [&, of = id](const KvGroup& group, int32_t layer) {
        if (group.kind == KvKind::kRecurrent) return reach(store_->state(of, layer), 64);
        for (int64_t h = 0; h < group.geometry.kv_heads; ++h) {
          const kernels::KvHead head = store_->layers(of)[layer].head(h);
          const int64_t end = (store_->entries(of, layer, h) + kPageTokens - 1) / kPageTokens;
          const int64_t first = group.kind == KvKind::kWindow ? plain_.at(of).gone / kPageTokens : 0;
          for (int64_t page = first; page < end; ++page)
            reach(head.base + head.pages[page] * group.geometry.page_bytes(), group.geometry.page_bytes());
        }
      });
    }
    ASSERT_EQ(store_->bytes_in_use(), bytes);
  }

  using Place = std::tuple<const KvGroup*, int32_t, int64_t, int32_t, uint64_t>;

  std::mt19937_64 random_;
  std::unique_ptr<KvStore> store_;
  GroupId own_group_ = -1;
  std::string path_;
  std::map<SequenceId, Plain> plain_;
  std::map<Place, std::vector<float>> alone_;
  std::map<std::string, int64_t> counts_;
  std::vector<int32_t> positions_;
  std::vector<float> stored_;
  int64_t operation_ = 0;
};

TEST(KvStoreProperty, RandomUseEqualsAPlainModel) {
  const char* given = std::getenv("BRISK_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::printf("seed %llu (BRISK_SEED), %lld operations\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(kOperations));
  SCOPED_TRACE("seed " + std::to_string(seed));
  Comparison(seed).run();
}

}  // namespace
}  // namespace brisk::runtime
