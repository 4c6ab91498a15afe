#include "quarry/crawl/config_upgrade.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "crawl/web/config_v1.hpp"
#include "crawl/web/json_reader.hpp"
#include "quarry/core/error.hpp"
#include "quarry/crawl/job_config.hpp"

namespace quarry::crawl {
namespace {

namespace json = boost::json;

int version_of(const json::value& value, int stored) {
  JsonReader reader(value, "$");
  const auto said = reader.integer("schemaVersion", 1, 1'000'000);
  const auto version = said.value_or(stored);
  if (version > config_version)
    throw_invalid(fmt::format("{}: {} is newer than this program, which reads configs up to version {}: upgrade it",
                              said ? "$.schemaVersion" : "the job's schema_version", version, config_version));
  return static_cast<int>(version);
}

}  // namespace

UpgradedConfig upgrade_config(std::string_view text, int stored) {
  const auto value = read_json(text, limits::config_bytes_max);
  UpgradedConfig upgraded{std::string(text), version_of(value, stored), {}};
  if (upgraded.from == config_version) return upgraded;
  auto config = second_version_of(value.get_object(), upgraded.left_out);
  // In front, where whoever reads it looks first.
  json::object numbered{{"schemaVersion", config_version}};
  for (const auto& [key, member] : config)
    if (key != "schemaVersion") numbered[key] = member;
  upgraded.text = json::serialize(numbered);
  return upgraded;
}

}  // namespace quarry::crawl
