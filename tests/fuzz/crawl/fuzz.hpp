#pragma once
/// What the fuzzers of this folder share.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "quarry/core/error.hpp"

namespace quarry::fuzz {

/// Says what does not hold, and ends the program so that libFuzzer keeps the input.
inline void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

inline std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Up to the first line end, and what comes after it.
inline std::pair<std::string_view, std::string_view> first_line(std::string_view text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return {text, {}};
  return {text.substr(0, end), text.substr(end + 1)};
}

/// Runs `body`; the only exception that input may cause is `invalid`.
template <class F>
void only_invalid(F body) {
  try {
    body();
  } catch (const Error& error) {
    demand(error.code() == ErrorCode::invalid, "input is refused as invalid");
    demand(!error.client_message().empty(), "a refusal says why");
  }
}

}  // namespace quarry::fuzz
