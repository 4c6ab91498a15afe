#include "quarry/core/random.hpp"

#include <sodium.h>

#include "quarry/core/error.hpp"

namespace quarry {

std::uint64_t Random::below(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

SystemRandom::SystemRandom() {
  if (sodium_init() < 0) throw_bug("libsodium could not be initialised");
}

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  randombytes_buf(&value, sizeof value);
  return value;
}

}  // namespace quarry
