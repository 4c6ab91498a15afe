#include "quarry/jobs/configurations.hpp"

#include <fmt/format.h>

#include "jobs/owner.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::jobs {
namespace {

struct ConfigurationRow {
  Uuid id;
  JobId job_id;
  std::string_view config_key;
  std::optional<std::string> config_value;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(ConfigurationRow, (), (id, job_id, config_key, config_value, created_at))

/// The owner comes from the job, so that a configuration cannot have another one.
constexpr sql::Command<void(ConfigurationRow)> put_configuration{
    "jobs.set_configuration",
    sql::sqlite("insert into job_configurations (id, job_id, user_id, config_key, config_value, created_at)"
                " select $1, id, user_id, $3, $4, $5 from scraping_jobs where id = $2"
                " on conflict (job_id, config_key) do update set config_value = excluded.config_value"),
    sql::postgres("insert into job_configurations (id, job_id, user_id, config_key, config_value, created_at)"
                  " select $1::uuid, id, user_id, $3::text, $4::text, $5::timestamptz from scraping_jobs where id = $2"
                  " on conflict (job_id, config_key) do update set config_value = excluded.config_value")};
constexpr sql::Query<Configuration(JobId, std::string_view)> find_by_key{
    "jobs.find_configuration",
    "select config_key, config_value, created_at from job_configurations where job_id = $1 and config_key = $2"};
constexpr sql::Query<Configuration(JobId)> list_by_key{
    "jobs.list_configurations",
    sql::sqlite("select config_key, config_value, created_at from job_configurations where job_id = $1 order by config_key"),
    sql::postgres("select config_key, config_value, created_at from job_configurations where job_id = $1"
                  " order by config_key collate \"C\"")};
constexpr sql::Command<void(JobId, std::string_view)> delete_configuration{
    "jobs.unset_configuration", "delete from job_configurations where job_id = $1 and config_key = $2"};

constexpr std::size_t value_characters_max = 1 << 20;

}  // namespace

void set_configuration(Write& tx, JobId job, std::string_view key, const std::optional<std::string>& value) {
  store::check_text("the key", key, 1, 100);
  if (value) store::check_text("the value", *value, 0, value_characters_max);
  require_seen(tx, job);
  if (tx.run(put_configuration, {tx.new_uuid(), job, key, value, tx.now()}) == 0) throw_no_job(job);
}

std::optional<Configuration> find_configuration(Read& tx, JobId job, std::string_view key) {
  require_seen(tx, job);
  return tx.one(find_by_key, job, key);
}

std::vector<Configuration> list_configurations(Read& tx, JobId job) {
  require_seen(tx, job);
  return tx.all(list_by_key, job);
}

bool unset_configuration(Write& tx, JobId job, std::string_view key) {
  require_seen(tx, job);
  return tx.run(delete_configuration, job, key) > 0;
}

}  // namespace quarry::jobs
