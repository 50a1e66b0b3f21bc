// The list of architectures, written by the build from the files of llm/.
#include <array>

#include "models/architecture.hpp"

namespace brisk::models {

#define BRISK_ITEM(name) Architecture name();
#include "architectures.inc"
#undef BRISK_ITEM

std::span<const Architecture> all_architectures() {
  static const std::array architectures = {
#define BRISK_ITEM(name) name(),
#include "architectures.inc"
#undef BRISK_ITEM
  };
  return architectures;
}

Result<const Architecture*> find_architecture(const ModelSource& source) {
  BRISK_ASSIGN(const std::string_view wanted, source.metadata().get_string("general.architecture"));
  std::string known;
  for (const Architecture& architecture : all_architectures()) {
    if (wanted == architecture.name) return &architecture;
    known += (known.empty() ? "" : ", ") + std::string(architecture.name);
  }
  return bad_input({source.where() + ", general.architecture", "one of " + known,
                    "'" + std::string(wanted) + "'", "a model of a known architecture"});
}

}  // namespace brisk::models
