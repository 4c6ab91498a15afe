#include "quarry/core/secret.hpp"

#include <sodium.h>

#include <algorithm>

namespace quarry {

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = std::move(other.value_);
    other.wipe();
  }
  return *this;
}

void Secret::wipe() noexcept {
  // Up to the capacity: a moved-from small string keeps its characters.
  value_.resize(value_.capacity());
  sodium_memzero(value_.data(), value_.size());
  value_.clear();
}

namespace {

constexpr std::string_view mask = "***";

/// Where the word ends that begins at `from`, as far as it can be told.
std::size_t end_of(std::string_view text, std::size_t from, std::string_view ends) {
  return std::min(text.find_first_of(ends, from), text.size());
}

/// `scheme:/user:password@`, with as many slashes as somebody typed.
void mask_user_infos(std::string& text) {
  for (auto at = text.find(":/"); at != std::string::npos; at = text.find(":/", at + 1)) {
    const auto user = std::min(text.find_first_not_of('/', at + 1), text.size());
    const auto end = end_of(text, user, "/?# \t\r\n'\"<>`");
    const auto host = text.rfind('@', end);
    if (host == std::string::npos || host < user || host >= end) continue;
    const auto colon = text.find(':', user);
    if (colon < host) text.replace(colon + 1, host - colon - 1, mask);
  }
}

void mask_parameters(std::string& text) {
  constexpr std::string_view name = "password=";
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const auto value = at + name.size();
    text.replace(value, end_of(text, value, "& \t\r\n'\"<>`") - value, mask);
  }
}

}  // namespace

std::string without_passwords(std::string_view text) {
  std::string masked(text);
  mask_user_infos(masked);
  mask_parameters(masked);
  return masked;
}

}  // namespace quarry
