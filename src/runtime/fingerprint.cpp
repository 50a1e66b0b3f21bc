#include "runtime/fingerprint.hpp"

#include <variant>

#include "base/memory.hpp"
#include "runtime/checksum.hpp"

namespace brisk::runtime {

namespace {

constexpr size_t kSampleBytes = 4096;

void add_array(Checksum& sum, const formats::GgufArray& array) {
  sum.add_number(static_cast<uint32_t>(array.element));
  sum.add_number(array.count);
  sum.add(array.bytes);
  for (const std::string_view text : array.strings) sum.add_text(text);
}

void add_value(Checksum& sum, const formats::GgufValue& value) {
  sum.add_number(static_cast<uint32_t>(value.type));
  if (const auto* array = std::get_if<formats::GgufArray>(&value.value)) return add_array(sum, *array);
  if (const auto* text = std::get_if<std::string_view>(&value.value)) return sum.add_text(*text);
  if (const auto* truth = std::get_if<bool>(&value.value)) return sum.add_number<uint8_t>(*truth ? 1 : 0);
  if (const auto* number = std::get_if<uint64_t>(&value.value)) return sum.add_number(*number);
  if (const auto* number = std::get_if<int64_t>(&value.value)) return sum.add_number(*number);
  sum.add_number(std::get<double>(value.value));
}

void add_sample(Checksum& sum, std::span<const std::byte> data) {
  if (data.size() <= 3 * kSampleBytes) return sum.add(data);
  sum.add(data.first(kSampleBytes));
  sum.add(data.subspan((data.size() - kSampleBytes) / 2, kSampleBytes));
  sum.add(data.last(kSampleBytes));
}

void add_tensor(Checksum& sum, const Weight& tensor) {
  sum.add_text(tensor.name);
  sum.add_text(to_string(tensor.shape));
  for (const WeightComponent& component : tensor.components) {
    sum.add_text(component.name);
    sum.add_text(dtype_name(component.dtype));
    add_sample(sum, component.data);
  }
  for (const auto& [name, value] : tensor.settings) {
    sum.add_text(name);
    sum.add_number(value);
  }
}

}  // namespace

Result<std::string> fingerprint(const models::ModelSource& source) {
  std::string digits;
  BRISK_TRY(catch_out_of_memory("fingerprint", [&]() -> Status {
    BRISK_ASSIGN(Checksum sum, Checksum::create());
    sum.add_number(source.file_bytes());
    for (const auto& [key, value] : source.metadata().entries()) {
      sum.add_text(key);
      add_value(sum, value);
    }
    for (const Weight& tensor : source.tensors()) add_tensor(sum, tensor);
    // Pages that went missing meanwhile gave zeros.
    if (source.damaged()) return source.check_unchanged();
    digits = sum.digits();
    return {};
  }));
  return digits;
}

}  // namespace brisk::runtime
