// Judges GGUF files as our reader sees them (test_gguf.py): {"refused": message}, or {"keys": [[key, type],
// ...], "tensors": [[name, type, shape innermost first, data in hex], ...]}.
#include <algorithm>

#include "differential/judge.hpp"
#include "formats/gguf/gguf.hpp"

namespace {

using namespace brisk;

Json judge(std::span<const std::byte> bytes) {
  const auto file = formats::GgufFile::parse(bytes, "file");
  if (!file.ok()) return {{"refused", file.status().message()}};
  Json keys = Json::array(), tensors = Json::array();
  for (const auto& [key, value] : (*file)->metadata().entries())
    keys.push_back({key, static_cast<uint32_t>(value.type)});
  for (const formats::GgufTensor& tensor : (*file)->tensors()) {
    const Shape dims(tensor.shape.rbegin(), tensor.shape.rend());
    tensors.push_back({tensor.name, dtype_name(tensor.dtype), dims, differential::to_hex(tensor.data)});
  }
  return {{"keys", std::move(keys)}, {"tensors", std::move(tensors)}};
}

}  // namespace

int main() { return differential::judge_all(judge); }
