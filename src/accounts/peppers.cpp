#include <fmt/format.h>

#include "accounts/token_text.hpp"
#include "quarry/accounts/api_keys.hpp"
#include "quarry/core/error.hpp"

namespace quarry::accounts {
namespace {

constexpr std::size_t pepper_bytes_min = 32;
constexpr std::string_view no_pepper = "none";

std::string hash_under(std::string_view name, std::string_view pepper, std::string_view secret) {
  return fmt::format("{}:{}", name, hmac_sha256(pepper, secret));
}

}  // namespace

Peppers::Peppers(Secret current, std::vector<Secret> previous) {
  const auto add = [&](Secret pepper) {
    if (pepper.reveal().size() < pepper_bytes_min)
      throw_invalid(
          fmt::format("the pepper of API keys has fewer than {} bytes: make one with `head -c 32 /dev/urandom | "
                      "base64`",
                      pepper_bytes_min));
    // A keyed hash of a fixed text tells one pepper from another and nothing else about it.
    auto name = hmac_sha256(pepper.reveal(), "quarry: name of a pepper").substr(0, 8);
    peppers_.push_back({std::move(name), std::move(pepper)});
  };
  add(std::move(current));
  for (auto& pepper : previous) add(std::move(pepper));
}

std::string Peppers::hash(std::string_view secret) const {
  if (peppers_.empty()) return hash_under(no_pepper, {}, secret);
  return hash_under(peppers_.front().name, peppers_.front().pepper.reveal(), secret);
}

bool Peppers::matches(std::string_view secret, std::string_view stored) const {
  const auto name = stored.substr(0, stored.find(':'));
  // Once there is a pepper, keys that were made without are refused: anybody who can write a row could make one.
  if (peppers_.empty()) return name == no_pepper && equal_in_constant_time(hash_under(no_pepper, {}, secret), stored);
  for (const auto& one : peppers_)
    if (one.name == name) return equal_in_constant_time(hash_under(one.name, one.pepper.reveal(), secret), stored);
  return false;
}

}  // namespace quarry::accounts
