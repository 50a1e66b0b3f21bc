// Builds GGUF files in memory for tests: valid ones of any version, metadata and tensors, and broken ones,
// because every field can be set to anything. The layout is that of formats/gguf/gguf.hpp.
//
//     GgufBuilder b;
//     b.add("general.architecture", "llama");
//     b.add("llama.block_count", uint32_t{2});
//     b.add("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b"});
//     b.add_tensor("output_norm.weight", {64}, DType::kF32, values);          // shape outermost first
//     b.add_tensor("output.weight", {2, 256}, DType::kQ4_K, values);          // encoded by quant/
//     std::vector<std::byte> bytes = b.build();   // or b.write(path)
//
// To break a file: b.magic, b.version, b.n_tensors, b.n_keys, b.tensors[i].dims and so on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/checked.hpp"
#include "formats/gguf/gguf.hpp"
#include "formats/gguf/tensor_types.hpp"
#include "quant/block_format.hpp"
#include "tensor/shape.hpp"

namespace brisk::test {

using Bytes = std::vector<std::byte>;

/// Appends little-endian numbers, and strings with their length in front.
template <typename T>
  requires std::is_arithmetic_v<T>
void append(Bytes& out, T value) {
  const size_t at = out.size();
  out.resize(at + sizeof(T));
  std::memcpy(out.data() + at, &value, sizeof(T));
}
inline void append(Bytes& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
inline void append(Bytes& out, std::string_view text) {
  append(out, uint64_t{text.size()});
  append(out, std::as_bytes(std::span(text)));
}

/// The type that GGUF stores a T as.
template <typename T>
constexpr formats::GgufType gguf_type_of() {
  using formats::GgufType;
  if constexpr (std::is_same_v<T, bool>) return GgufType::kBool;
  if constexpr (std::is_same_v<T, uint8_t>) return GgufType::kU8;
  if constexpr (std::is_same_v<T, int8_t>) return GgufType::kI8;
  if constexpr (std::is_same_v<T, uint16_t>) return GgufType::kU16;
  if constexpr (std::is_same_v<T, int16_t>) return GgufType::kI16;
  if constexpr (std::is_same_v<T, uint32_t>) return GgufType::kU32;
  if constexpr (std::is_same_v<T, int32_t>) return GgufType::kI32;
  if constexpr (std::is_same_v<T, uint64_t>) return GgufType::kU64;
  if constexpr (std::is_same_v<T, int64_t>) return GgufType::kI64;
  if constexpr (std::is_same_v<T, float>) return GgufType::kF32;
  if constexpr (std::is_same_v<T, double>) return GgufType::kF64;
  if constexpr (std::is_convertible_v<T, std::string_view>) return GgufType::kString;
}

class GgufBuilder {
 public:
  struct Key {
    std::string name;
    uint32_t type;
    Bytes value;  ///< as in the file
  };
  struct Tensor {
    std::string name;
    std::vector<uint64_t> dims;  ///< innermost first, as in the file
    uint32_t type;
    Bytes data;
    std::optional<uint64_t> offset = {};  ///< default: after the tensor before, aligned
    std::optional<uint32_t> n_dims = {};  ///< default: dims.size()
  };

  std::string magic = "GGUF";
  uint32_t version = 3;
  std::optional<uint64_t> n_tensors;  ///< default: tensors.size()
  std::optional<uint64_t> n_keys;     ///< default: keys.size()
  uint64_t alignment = 32;            ///< of the layout; set_alignment() also writes the key
  std::vector<Key> keys;
  std::vector<Tensor> tensors;

  /// A number, a bool or a string.
  template <typename T>
  Key& add(std::string name, const T& value) {
    Bytes bytes;
    append_value(bytes, value);
    return add_raw(std::move(name), static_cast<uint32_t>(gguf_type_of<std::decay_t<T>>()), std::move(bytes));
  }

  /// An array. (std::vector<bool> is no array: use uint8_t with add_array.)
  template <typename T>
  Key& add(std::string name, const std::vector<T>& values) {
    return add_array(std::move(name), gguf_type_of<T>(), values);
  }
  template <typename T>
  Key& add_array(std::string name, formats::GgufType element, const std::vector<T>& values) {
    Bytes bytes;
    append(bytes, static_cast<uint32_t>(element));
    append(bytes, uint64_t{values.size()});
    for (const T& value : values) append_value(bytes, value);
    return add_raw(std::move(name), static_cast<uint32_t>(formats::GgufType::kArray), std::move(bytes));
  }

  Key& add_raw(std::string name, uint32_t type, Bytes value) {
    return keys.emplace_back(Key{std::move(name), type, std::move(value)});
  }

  void set_alignment(uint32_t value) {
    alignment = value;
    add("general.alignment", value);
  }

  /// `values` fill `shape` (outermost first) and are encoded as `dtype`; rows must be whole blocks.
  Tensor& add_tensor(std::string name, const Shape& shape, DType dtype, std::span<const float> values) {
    const quant::BlockFormat* format = quant::find_format(dtype);
    BRISK_ASSERT(format != nullptr, "tensors of tests have a weight format");
    const auto count = static_cast<int64_t>(values.size());
    BRISK_ASSERT(element_count(shape) == count, "values fill the shape");
    const auto bytes = dtype_bytes(dtype, count);
    BRISK_ASSERT(bytes.has_value(), "rows are whole blocks");
    Bytes data(*bytes);
    format->encode(values.data(), count, data.data());
    return add_tensor_raw(std::move(name), {shape.rbegin(), shape.rend()},
                          *formats::gguf_tensor_number(dtype), std::move(data));
  }

  /// `dims` innermost first, `type` and `data` as in the file; nothing is checked.
  Tensor& add_tensor_raw(std::string name, std::vector<uint64_t> dims, uint32_t type, Bytes data) {
    return tensors.emplace_back(Tensor{std::move(name), std::move(dims), type, std::move(data)});
  }

  /// Everything before the padding that precedes the data.
  Bytes header() const {
    Bytes out;
    append(out, std::as_bytes(std::span(magic)));
    append(out, version);
    append(out, n_tensors.value_or(tensors.size()));
    append(out, n_keys.value_or(keys.size()));
    for (const Key& key : keys) {
      append(out, std::string_view(key.name));
      append(out, key.type);
      append(out, std::span<const std::byte>(key.value));
    }
    uint64_t next = 0;
    for (const Tensor& tensor : tensors) {
      append(out, std::string_view(tensor.name));
      append(out, tensor.n_dims.value_or(static_cast<uint32_t>(tensor.dims.size())));
      for (const uint64_t dim : tensor.dims) append(out, dim);
      append(out, tensor.type);
      append(out, tensor.offset.value_or(next));
      next = align(next + tensor.data.size());
    }
    return out;
  }

  /// The whole file. Data lies where default offsets say, whatever a tensor's own offset claims.
  Bytes build() const {
    Bytes out = header();
    for (const Tensor& tensor : tensors) {
      out.resize(align(out.size()));
      append(out, std::span<const std::byte>(tensor.data));
    }
    return out;
  }

  void write(const std::string& path) const {
    const Bytes bytes = build();
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.close();
    BRISK_ASSERT(out.good(), "the test's folder takes files");
  }

 private:
  uint64_t align(uint64_t at) const { return alignment == 0 ? at : *checked_round_up(at, alignment); }

  template <typename T>
  static void append_value(Bytes& out, const T& value) {
    if constexpr (std::is_convertible_v<T, std::string_view>) {
      append(out, std::string_view(value));
    } else {
      append(out, value);
    }
  }
};

}  // namespace brisk::test
