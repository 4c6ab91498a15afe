#include "quarry/crawl/stored_configs.hpp"

#include <utility>

#include "quarry/core/error.hpp"
#include "quarry/crawl/job_config.hpp"
#include "quarry/store/page.hpp"

namespace quarry::crawl {
namespace {

struct StoredConfig {
  JobId id;
  Json config;
  int schema_version;
};
BOOST_DESCRIBE_STRUCT(StoredConfig, (), (id, config, schema_version))

// It walks the key from where the last page ended: all pages together read the table once, without an index of their own.
#define OLD_CONFIGS                                                                                                        \
  "select id, config, schema_version from scraping_jobs where schema_version <> $1 and (job_type = 'crawl' or job_type = " \
  "'search') and id > $2"

using OldConfigs = sql::Query<StoredConfig(int, JobId, std::optional<UserId>, int)>;
constexpr OldConfigs find_old{"crawl.old_configs",
                              sql::sqlite(OLD_CONFIGS " and ($3 is null or user_id = $3) order by id limit $4"),
                              sql::postgres(OLD_CONFIGS " and ($3::uuid is null or user_id = $3) order by id limit $4")};
constexpr OldConfigs lock_old{
    "crawl.lock_old_configs", sql::sqlite(OLD_CONFIGS " and ($3 is null or user_id = $3) order by id limit $4"),
    sql::postgres(OLD_CONFIGS " and ($3::uuid is null or user_id = $3) order by id limit $4 for update")};
#undef OLD_CONFIGS

constexpr sql::Command<void(JobId, Json, int, Instant)> write_config{
    "crawl.upgrade_config",
    sql::sqlite(
        "update scraping_jobs set config = $2, schema_version = $3, updated_at = max(updated_at + 1, $4) where id = $1"),
    sql::postgres("update scraping_jobs set config = $2, schema_version = $3,"
                  " updated_at = greatest(updated_at + interval '1 microsecond', $4) where id = $1")};

template <class Each>
ConfigUpgradePage walk(Read& tx, const OldConfigs& query, const ConfigUpgradeRequest& request, Each&& each) {
  store::check_page({.limit = request.limit});
  const auto owner = tx.actor().only();
  const auto rows = tx.all(query, config_version, request.after.value_or(JobId{}), owner, request.limit);
  ConfigUpgradePage page;
  for (const auto& row : rows) {
    auto& job =
        page.jobs.emplace_back(ConfigUpgrade{.job_id = row.id, .from = row.schema_version, .left_out = {}, .problem = {}});
    try {
      auto upgraded = upgrade_config(row.config.text, row.schema_version);
      job.from = upgraded.from;
      job.left_out = std::move(upgraded.left_out);
      parse_job_config(upgraded.text);
      each(row.id, Json{std::move(upgraded.text)});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid) throw;
      job.problem = error.client_message();
    }
  }
  if (std::cmp_equal(rows.size(), request.limit)) page.next = rows.back().id;
  return page;
}

}  // namespace

ConfigUpgradePage look_at_stored_configs(Read& tx, const ConfigUpgradeRequest& request) {
  return walk(tx, find_old, request, [](JobId, const Json&) {});
}

ConfigUpgradePage upgrade_stored_configs(Write& tx, const ConfigUpgradeRequest& request) {
  return walk(tx, lock_old, request,
              [&](JobId job, const Json& config) { tx.run(write_config, job, config, config_version, tx.now()); });
}

}  // namespace quarry::crawl
