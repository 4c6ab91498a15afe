#pragma once
/// Bodies for tests of the blob store.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "quarry/core/random.hpp"
#include "quarry/sql/param.hpp"

namespace quarry::test {

inline std::span<const std::byte> as_body(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string as_text(const Bytes& body) { return {reinterpret_cast<const char*>(body.data()), body.size()}; }

/// Text that compresses well.
inline std::string easy_body(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(text.size() / 7) + " of a page that repeats itself\n";
  text.resize(size);
  return text;
}

/// Bytes that do not compress.
inline std::string hard_body(std::size_t size, std::uint64_t seed = 1) {
  SeededRandom random(seed);
  std::string bytes;
  while (bytes.size() < size) {
    const auto word = random.next();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace quarry::test
