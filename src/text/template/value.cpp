// Making, comparing and hashing values; the dictionary.
#include "text/template/value.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <random>

namespace brisk::text::tmpl {
namespace {

/// A double that is exactly an int64_t, so that 1 and 1.0 hash alike.
bool is_whole(double value) { return value >= -0x1p63 && value < 0x1p63 && value == std::floor(value); }

/// Different in each process, so that nobody can choose keys whose hashes collide. Dictionaries keep the
/// order of insertion, so it shows nowhere.
uint64_t hash_seed() {
  static const uint64_t seed = (uint64_t{std::random_device{}()} << 32) ^ std::random_device{}();
  return seed;
}

uint64_t mix(uint64_t x) {  // the finalizer of SplitMix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

uint64_t hash_text(std::string_view text) {
  uint64_t sum = hash_seed() + text.size();
  for (size_t at = 0; at < text.size(); at += sizeof(uint64_t)) {
    uint64_t block = 0;
    std::memcpy(&block, text.data() + at, std::min(sizeof block, text.size() - at));
    sum = mix(sum ^ block) + hash_seed();
  }
  return sum;
}

uint64_t hash(const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
    case Kind::kNone: return 0;
    case Kind::kBool:
    case Kind::kInt: return mix(static_cast<uint64_t>(value.as_int()) ^ hash_seed());
    case Kind::kFloat:
      if (is_whole(value.real)) return hash(of(static_cast<int64_t>(value.real)));
      return mix(std::bit_cast<uint64_t>(value.real) ^ hash_seed());
    case Kind::kString:
    case Kind::kBigInt: return hash_text(value.text());
    case Kind::kSequence: {
      if (value.is_sequence(SequenceKind::kGenerator)) break;
      uint64_t sum = 0x345678;
      for (const Value& item : value.sequence->all()) sum = mix(sum ^ hash(item));
      return sum;
    }
    case Kind::kCallable:  // equal ones may be different objects
      return mix(reinterpret_cast<uintptr_t>(value.callable->builtin) ^ hash_seed());
    default: break;
  }
  return mix(reinterpret_cast<uintptr_t>(value.sequence) ^ hash_seed());
}

bool equal_numbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) return a.as_int() == b.as_int();
  if (a.kind == Kind::kFloat && b.kind == Kind::kFloat) return a.real == b.real;
  const double real = a.kind == Kind::kFloat ? a.real : b.real;
  const int64_t integer = a.kind == Kind::kFloat ? b.as_int() : a.as_int();
  return is_whole(real) && static_cast<int64_t>(real) == integer;
}

bool equal_sequences(const Sequence& a, const Sequence& b) {
  const auto family = [](SequenceKind kind) {
    return kind == SequenceKind::kGroup ? SequenceKind::kTuple : kind;
  };
  if (&a == &b) return true;
  if (family(a.kind) != family(b.kind) || a.kind == SequenceKind::kGenerator || a.size != b.size)
    return false;
  return std::equal(a.items, a.items + a.size, b.items, equal);
}

bool equal_dicts(const Dict& a, const Dict& b) {
  if (a.size != b.size) return false;
  return std::all_of(a.all().begin(), a.all().end(), [&](const Dict::Entry& entry) {
    const Value* other = b.find(entry.key);
    return other != nullptr && equal(entry.value, *other);
  });
}

/// The same method of the same object is equal, though it is made anew each time that it is read.
bool equal_callables(const Callable& a, const Callable& b) {
  if (a.builtin == nullptr || a.builtin != b.builtin) return &a == &b;
  return a.self.is_missing() ? b.self.is_missing() : same_object(a.self, b.self);
}

}  // namespace

Value none() {
  Value v;
  v.kind = Kind::kNone;
  return v;
}
Value of(bool value) {
  Value v;
  v.kind = Kind::kBool;
  v.integer = 0;
  v.boolean = value;
  return v;
}
Value of(int64_t value) {
  Value v;
  v.kind = Kind::kInt;
  v.integer = value;
  return v;
}
Value of(double value) {
  Value v;
  v.kind = Kind::kFloat;
  v.real = value;
  return v;
}
Value of(std::string_view text) {
  BRISK_ASSERT(text.size() <= UINT32_MAX, "strings of templates are bounded by the limits");
  Value v;
  v.kind = Kind::kString;
  v.length = static_cast<uint32_t>(text.size());
  v.characters = text.data() == nullptr ? "" : text.data();
  return v;
}
Value big_integer(std::string_view digits) {
  Value v = of(digits);
  v.kind = Kind::kBigInt;
  return v;
}
Value of(Sequence* sequence) {
  Value v;
  v.kind = Kind::kSequence;
  v.sequence = sequence;
  return v;
}
Value of(Dict* dict) {
  Value v;
  v.kind = Kind::kDict;
  v.dict = dict;
  return v;
}
Value of(Namespace* names) {
  Value v;
  v.kind = Kind::kNamespace;
  v.names = names;
  return v;
}
Value of(Loop* loop) {
  Value v;
  v.kind = Kind::kLoop;
  v.loop = loop;
  return v;
}
Value of(const Callable* callable) {
  Value v;
  v.kind = Kind::kCallable;
  v.callable = callable;
  return v;
}

Value of(Helper* helper) {
  Value v;
  v.kind = Kind::kHelper;
  v.helper = helper;
  return v;
}

bool truthy(const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined:
    case Kind::kNone: return false;
    case Kind::kBool: return value.boolean;
    case Kind::kInt: return value.integer != 0;
    case Kind::kFloat: return value.real != 0;
    case Kind::kString: return value.length != 0;
    case Kind::kSequence:
      return value.sequence->size != 0 || value.sequence->kind == SequenceKind::kGenerator;
    case Kind::kDict: return value.dict->size != 0;
    default: return true;
  }
}

std::string_view type_name(const Value& value) {
  switch (value.kind) {
    case Kind::kUndefined: return "undefined";
    case Kind::kNone: return "None";
    case Kind::kBool: return "bool";
    case Kind::kInt:
    case Kind::kBigInt: return "int";
    case Kind::kFloat: return "float";
    case Kind::kString: return "str";
    case Kind::kDict: return "dict";
    case Kind::kNamespace: return "namespace";
    case Kind::kLoop: return "loop";
    case Kind::kCallable: return "function";
    case Kind::kHelper: return value.helper->cycled == nullptr ? "joiner" : "cycler";
    case Kind::kTemplate: return "template";
    case Kind::kSequence: break;
  }
  switch (value.sequence->kind) {
    case SequenceKind::kList: return "list";
    case SequenceKind::kRange: return "range";
    case SequenceKind::kView: return value.sequence->view_name;
    case SequenceKind::kGenerator: return "generator";
    default: return "tuple";
  }
}

bool hashable(const Value& value) {
  switch (value.kind) {
    case Kind::kDict: return false;
    case Kind::kSequence: break;
    default: return true;
  }
  switch (value.sequence->kind) {
    case SequenceKind::kList: return false;
    case SequenceKind::kView: return value.sequence->view_name == "dict_values";
    case SequenceKind::kTuple:
    case SequenceKind::kGroup:
      return std::all_of(value.sequence->all().begin(), value.sequence->all().end(), hashable);
    default: return true;
  }
}

int64_t add_weights(int64_t a, int64_t b) { return std::min(a + b, int64_t{1} << 60); }

int64_t weight(const Value& value) {
  switch (value.kind) {
    case Kind::kString:
    case Kind::kBigInt: return 1 + value.length / 16;
    case Kind::kSequence: return value.sequence->weight;
    case Kind::kDict: return value.dict->weight;
    default: return 1;
  }
}

int depth(const Value& value) {
  if (value.is(Kind::kSequence)) return value.sequence->depth;
  return value.is(Kind::kDict) ? value.dict->depth : 0;
}

bool same_object(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::kString: return a.text() == b.text() && a.markup == b.markup;
    case Kind::kSequence: return a.sequence == b.sequence;
    case Kind::kDict: return a.dict == b.dict;
    case Kind::kUndefined: return a.undefined == b.undefined;
    default: return equal(a, b);
  }
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return equal_numbers(a, b);
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::kString:
    case Kind::kBigInt: return a.text() == b.text();
    case Kind::kSequence: return equal_sequences(*a.sequence, *b.sequence);
    case Kind::kDict: return a.dict == b.dict || equal_dicts(*a.dict, *b.dict);
    case Kind::kNamespace: return a.names == b.names;
    case Kind::kLoop: return a.loop == b.loop;
    case Kind::kCallable: return equal_callables(*a.callable, *b.callable);
    case Kind::kHelper: return a.helper == b.helper;
    default: return true;  // none, undefined
  }
}

uint32_t Dict::slot_of(const Value& key) const {
  uint32_t slot = static_cast<uint32_t>(hash(key)) & index_mask_;
  while (index_[slot] != 0 && !equal(entries_[index_[slot] - 1].key, key)) slot = (slot + 1) & index_mask_;
  return slot;
}

const Value* Dict::find(const Value& key) const {
  if (index_ != nullptr) {
    const uint32_t entry = index_[slot_of(key)];
    return entry == 0 ? nullptr : &entries_[entry - 1].value;
  }
  for (uint32_t i = 0; i < size; ++i) {
    if (equal(entries_[i].key, key)) return &entries_[i].value;
  }
  return nullptr;
}

void Dict::grow(std::pmr::memory_resource& arena) {
  const uint32_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
  auto* entries = static_cast<Entry*>(arena.allocate(capacity * sizeof(Entry), alignof(Entry)));
  std::uninitialized_copy_n(entries_, size, entries);
  entries_ = entries;
  capacity_ = capacity;
  if (capacity <= kSearchedEntries) return;
  // At most half full, so probes stay short.
  index_mask_ = capacity * 2 - 1;
  index_ = static_cast<uint32_t*>(arena.allocate((index_mask_ + 1) * sizeof(uint32_t), alignof(uint32_t)));
  std::fill_n(index_, index_mask_ + 1, 0U);
  for (uint32_t i = 0; i < size; ++i) index_[slot_of(entries_[i].key)] = i + 1;
}

void Dict::set(std::pmr::memory_resource& arena, const Value& key, const Value& value) {
  depth = std::max({depth, 1 + tmpl::depth(key), 1 + tmpl::depth(value)});
  weight = add_weights(weight, add_weights(tmpl::weight(key), tmpl::weight(value)));
  if (const Value* found = find(key)) {
    *const_cast<Value*>(found) = value;
    return;
  }
  if (size == capacity_) grow(arena);
  new (&entries_[size]) Entry{key, value};
  ++size;
  if (index_ != nullptr) index_[slot_of(key)] = size;
}

}  // namespace brisk::text::tmpl
