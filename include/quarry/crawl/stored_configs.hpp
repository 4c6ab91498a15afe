#pragma once
/// The configs of stored jobs, brought to today's version for good.
///
///     std::optional<JobId> after;
///     do {
///       const auto page = db.write([&](Write& tx) { return upgrade_stored_configs(tx, {.after = after}); });
///       for (const auto& job : page.jobs) report(job);
///       after = page.next;
///     } while (after);
///
/// Of jobs of the types `crawl` and `search`, whose configs are the built-in worker's; those of other types are their own
/// workers' business. Nothing has to wait for it: the worker reads old versions as they are. What it is good for is to see
/// beforehand what becomes of them, and to be rid of old versions.
///
/// A config that cannot be upgraded, or is newer than this program, stays as it is and is reported with the reason. What the
/// config says does not change, so jobs are upgraded in any state.
///
/// Errors: `invalid` for a limit out of bounds. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quarry/crawl/config_upgrade.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::crawl {

/// What became of one job's config, or would.
struct ConfigUpgrade {
  JobId job_id;
  int from = 1;                        ///< the config's own version
  std::vector<std::string> left_out;   ///< paths of what today's version has no word for
  std::optional<std::string> problem;  ///< why it stays as it is
};
BOOST_DESCRIBE_STRUCT(ConfigUpgrade, (), (job_id, from, left_out, problem))

/// Jobs whose config, or whose `schema_version`, is not of today's version, by id.
struct ConfigUpgradePage {
  std::vector<ConfigUpgrade> jobs;
  std::optional<JobId> next;  ///< go on after it; nothing when these were the last
};

/// Which of them.
struct ConfigUpgradeRequest {
  std::optional<JobId> after{};
  int limit = 500;  ///< rows looked at, 1 to 1000
};

/// What an upgrade would do.
ConfigUpgradePage look_at_stored_configs(Read& tx, const ConfigUpgradeRequest& request = {});
/// Does it. Calling it again finds what could not be upgraded, and nothing else.
ConfigUpgradePage upgrade_stored_configs(Write& tx, const ConfigUpgradeRequest& request = {});

}  // namespace quarry::crawl
