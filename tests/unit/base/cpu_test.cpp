// CPU detection and the cap BRISK_ISA, judged by the system's own list of features.
#include "base/cpu.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>
#include <string>

namespace brisk {
namespace {

/// Sets BRISK_ISA for one scope and puts the old value back.
class IsaCap {
 public:
  explicit IsaCap(const char* value) {
    if (const char* old = std::getenv("BRISK_ISA")) old_ = old;
    if (value != nullptr) {
      setenv("BRISK_ISA", value, 1);
    } else {
      unsetenv("BRISK_ISA");
    }
  }
  ~IsaCap() {
    if (old_) {
      setenv("BRISK_ISA", old_->c_str(), 1);
    } else {
      unsetenv("BRISK_ISA");
    }
  }

 private:
  std::optional<std::string> old_;
};

std::set<std::string> system_flags() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

TEST(Cpu, AgreesWithTheSystemOnFeatures) {
  const std::set<std::string> flags = system_flags();
  if (flags.empty()) GTEST_SKIP() << "no flags line in /proc/cpuinfo";
  EXPECT_GE(cpu_info().features.size(), 12U);
  for (const CpuFeature& feature : cpu_info().features) {
    if (feature.name.starts_with("amx")) {
      // The kernel may name tiles that a program must still ask for; ours is never the more generous list.
      EXPECT_LE(feature.present, flags.contains(std::string(feature.name))) << feature.name;
      continue;
    }
    EXPECT_EQ(feature.present, flags.contains(std::string(feature.name))) << feature.name;
  }
}

TEST(Cpu, BestLevelFollowsFromFeatures) {
  const CpuInfo& info = cpu_info();
  EXPECT_FALSE(info.model.empty());
  EXPECT_EQ(info.why.empty(), info.best == Isa::kAvx512) << info.why;
  for (const CpuFeature& feature : info.features) {
    if (feature.present) continue;
    if (feature.name == "avx2") {
      EXPECT_EQ(info.best, Isa::kRef);
    }
    if (feature.name == "avx512_vnni") {
      EXPECT_LT(info.best, Isa::kAvx512);
    }
  }
}

TEST(Cpu, NamesOfLevels) {
  EXPECT_EQ(isa_name(Isa::kRef), "ref");
  EXPECT_EQ(isa_name(Isa::kAvx2), "avx2");
  EXPECT_EQ(isa_name(Isa::kAvx512), "avx512");
}

TEST(Cpu, WithoutCapTheBestLevelIsActive) {
  for (const char* value : {static_cast<const char*>(nullptr), ""}) {
    const IsaCap cap(value);
    const Result<Isa> isa = active_isa();
    ASSERT_TRUE(isa.ok());
    EXPECT_EQ(*isa, cpu_info().best);
  }
}

TEST(Cpu, CapLowersTheLevelInAnyCase) {
  for (const char* value : {"ref", "REF", "Ref"}) {
    const IsaCap cap(value);
    const Result<Isa> isa = active_isa();
    ASSERT_TRUE(isa.ok()) << isa.status().message();
    EXPECT_EQ(*isa, Isa::kRef);
  }
}

TEST(Cpu, UnknownCapNamesTheKnownLevels) {
  for (const char* value : {"sse9", "avx", "avx5122", " ref"}) {
    const IsaCap cap(value);
    const Result<Isa> isa = active_isa();
    ASSERT_FALSE(isa.ok()) << value;
    EXPECT_EQ(isa.status().code(), StatusCode::kUsage);
    EXPECT_NE(isa.status().message().find("ref, avx2, avx512"), std::string::npos) << isa.status().message();
  }
}

TEST(Cpu, UnsupportedCapIsAnErrorThatSaysWhy) {
  if (cpu_info().best == Isa::kAvx512) GTEST_SKIP() << "this machine has every level";
  const IsaCap cap("avx512");
  const Result<Isa> isa = active_isa();
  ASSERT_FALSE(isa.ok());
  EXPECT_EQ(isa.status().code(), StatusCode::kUsage);
  EXPECT_NE(isa.status().message().find(cpu_info().why), std::string::npos) << isa.status().message();
}

}  // namespace
}  // namespace brisk
