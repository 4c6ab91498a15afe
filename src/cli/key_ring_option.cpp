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
  command.add_option("--keys", file, "The file of keys of sensitive settings; the setting keys_file by default")
      ->type_name("FILE");
}

std::optional<system::KeyRing> find_keys(const Settings& settings, const std::string& file) {
  if (!file.empty()) return system::KeyRing::from_file(file);
  if (settings.keys_file) return system::KeyRing::from_file(*settings.keys_file);
  if (const Secret keys(environment_value("QUARRY_KEYS")); !keys.empty()) return system::KeyRing::parse(keys.reveal());
  return std::nullopt;
}

system::KeyRing get_keys(const Settings& settings, const std::string& file) {
  auto found = find_keys(settings, file);
  if (!found)
    throw_invalid(
        "the keys of sensitive settings are wanted: --keys FILE, QUARRY_KEYS_FILE or QUARRY_KEYS; `quarry setting "
        "keygen FILE` makes some");
  return *std::move(found);
}

}  // namespace quarry::cli
