#pragma once
/// A job's config in its versions, and the way from each to the next.
///
/// | version | what                                                                                                    |
/// |---------|---------------------------------------------------------------------------------------------------------|
/// | 1       | Selextract's. It had three forms, told apart by the key of their target: `targetUrl` in its documents,  |
/// |         | `url` in its worker (a list of fields, pagination, rate limit, browser, ...), `urls` in its interface   |
/// |         | (a map of selectors)                                                                                    |
/// | 2       | today's: `job_config.hpp` describes it                                                                  |
///
/// A config says its version by `schemaVersion`; one that does not has the version of its row
/// (`scraping_jobs.schema_version`), and 1 elsewhere. What is read is brought to today's version first, one step after the
/// other, wherever it comes from: a file, a stored job, a schedule. `stored_configs.hpp` brings what is stored there for
/// good.
///
/// **What version 2 has no word for** is left out, and told by its path: `$.wait_conditions`, `$.proxy`. What would fetch or
/// find something else without it is refused: several `urls`, a login. From the worker's form come `follow` (pagination),
/// `request.delayMs` (the slower of its two rates), `request.timeoutMs`, `userAgent` and headers (cookies among them).
///
/// Thread safety: pure functions. Errors: `invalid`, with the path to what is wrong; a version above `config_version` is
/// refused and never guessed at.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::crawl {

/// What this program writes, and the highest that it reads.
inline constexpr int config_version = 2;

/// A config of today's version.
struct UpgradedConfig {
  std::string text;                   ///< JSON; what was handed in, byte by byte, if that was of today's version
  int from = config_version;          ///< the version that was handed in
  std::vector<std::string> left_out;  ///< paths, in the version that was handed in
};

/// Brings a config to today's version. `stored` is the version of a config that does not say. Whether the result is a good
/// config is up to `parse_job_config`.
UpgradedConfig upgrade_config(std::string_view text, int stored = 1);

}  // namespace quarry::crawl
