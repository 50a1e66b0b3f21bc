#include "tensor/weight.hpp"

#include "base/check.hpp"

namespace brisk {

int64_t Weight::bytes() const {
  int64_t sum = 0;
  for (const WeightComponent& part : components) sum += static_cast<int64_t>(part.data.size());
  return sum;
}

const WeightComponent* Weight::find(std::string_view key) const noexcept {
  for (const WeightComponent& part : components) {
    if (part.name == key) return &part;
  }
  return nullptr;
}

const WeightComponent& Weight::component(std::string_view key) const noexcept {
  const WeightComponent* part = find(key);
  BRISK_ASSERT(part != nullptr, "the form's check found the component");
  return *part;
}

const WeightComponent& Weight::only() const noexcept {
  BRISK_ASSERT(components.size() == 1, "the weight has one component");
  return components.front();
}

DType Weight::dtype() const noexcept {
  return components.size() == 1 ? components.front().dtype : DType::kF32;
}

std::optional<int64_t> Weight::setting(std::string_view key) const noexcept {
  for (const auto& [known, value] : settings) {
    if (known == key) return value;
  }
  return std::nullopt;
}

}  // namespace brisk
