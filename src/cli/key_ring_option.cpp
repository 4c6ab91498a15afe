#include "cli/key_ring_option.hpp"

#include <cstdlib>

#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

void add_keys_option(CLI::App& command, std::string& file) {
  command.add_option("--keys", file, "The file of keys of sensitive settings; QUARRY_KEYS_FILE by default")
      ->type_name("FILE");
}

std::optional<system::KeyRing> find_keys(const std::string& file) {
  if (!file.empty()) return system::KeyRing::from_file(file);
  if (const auto named = environment_value("QUARRY_KEYS_FILE"); !named.empty()) return system::KeyRing::from_file(named);
  if (const Secret keys(environment_value("QUARRY_KEYS")); !keys.empty()) return system::KeyRing::parse(keys.reveal());
  return std::nullopt;
}

system::KeyRing get_keys(const std::string& file) {
  auto found = find_keys(file);
  if (!found)
    throw_invalid(
        "the keys of sensitive settings are wanted: --keys FILE, QUARRY_KEYS_FILE or QUARRY_KEYS; `quarry setting "
        "keygen FILE` makes some");
  return *std::move(found);
}

}  // namespace quarry::cli
