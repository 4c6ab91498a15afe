#pragma once
/// The seed of a test that chooses at random: a new one each time, printed, and repeated with QUARRY_TEST_SEED=<number>.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

namespace quarry::test {

inline std::uint64_t test_seed() {
  const char* const given = std::getenv("QUARRY_TEST_SEED");
  const std::uint64_t seed = given ? std::stoull(given) : std::random_device{}();
  std::cout << "[   SEED   ] QUARRY_TEST_SEED=" << seed << std::endl;
  return seed;
}

}  // namespace quarry::test
