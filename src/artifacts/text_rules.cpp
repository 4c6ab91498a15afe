#include "artifacts/text_rules.hpp"

#include <fmt/format.h>

#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::artifacts {

void check_text(std::string_view field, std::string_view text) {
  const auto good = clean_prefix(text);
  if (good == text.size()) return;
  throw_invalid(
      fmt::format("{} is not UTF-8 text, or holds a zero byte, at byte {}: decode or clean it first", field, good));
}

void check_name(std::string_view field, std::string_view name, std::size_t characters_max) {
  check_text(field, name);
  if (name.empty() || store::first_characters(name, characters_max) != name)
    throw_invalid(fmt::format("{} '{}': it must have 1 to {} characters", field, name, characters_max));
}

}  // namespace quarry::artifacts
