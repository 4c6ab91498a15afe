#include "quarry/store/checks.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"

namespace quarry::store {
namespace {

constexpr bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

boost::json::value parse(std::string_view field, const std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max)
    throw_invalid(fmt::format("{} has {} bytes: at most {} are stored", field, text.size(), bytes_max));
  if (!count_characters(text)) throw_invalid(fmt::format("{} is not UTF-8 text", field));
  boost::json::error_code error;
  auto value = boost::json::parse(text, error);
  if (error) throw_invalid(fmt::format("{} is not JSON: {}", field, error.message()));
  return value;
}

}  // namespace

std::optional<std::size_t> count_characters(std::string_view text) {
  const auto count = count_clean(text);
  return count == std::string_view::npos ? std::nullopt : std::optional(count);
}

void check_text(std::string_view field, std::string_view text, std::size_t least, std::size_t most) {
  const auto count = count_characters(text);
  if (!count) throw_invalid(fmt::format("{} is not UTF-8 text without zero bytes", field));
  if (*count < least || *count > most)
    throw_invalid(fmt::format("{} has {} characters: it must have {} to {}", field, *count, least, most));
}

void check_json_object(std::string_view field, const std::string& text, std::size_t bytes_max) {
  if (!parse(field, text, bytes_max).is_object())
    throw_invalid(fmt::format("{} is JSON, but not an object: {{...}}", field));
}

void check_json(std::string_view field, const std::string& text, std::size_t bytes_max) { parse(field, text, bytes_max); }

std::string_view first_characters(std::string_view text, std::size_t count) noexcept {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if (!is_continuation(text[at]) && count-- == 0) break;
  return text.substr(0, at);
}

}  // namespace quarry::store
