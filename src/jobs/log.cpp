#include "quarry/jobs/log.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jobs/owner.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::jobs {
namespace {

struct LogRow {
  JobId job_id;
  UserId user_id;
  LogLevel level;
  std::string_view message;
  std::optional<Json> metadata;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(LogRow, (), (job_id, user_id, level, message, metadata, created_at))
constexpr sql::Table<LogRow> log_table{"job_logs"};

constexpr sql::Query<UserId(JobId)> find_log_owner{"jobs.find_log_owner", "select user_id from scraping_jobs where id = $1"};

// A level is a set of the levels from it on, because only PostgreSQL knows their order.
constexpr sql::Query<LogLine(JobId, std::int64_t, bool, bool, bool, int)> oldest_first{
    "jobs.log",
    "select id, level, message, metadata, created_at from job_logs where job_id = $1 and id > $2"
    " and (level = 'error' or level = 'warning' and $3 or level = 'info' and $4 or level = 'debug' and $5) order by id "
    "limit $6"};
constexpr sql::Query<LogLine(JobId, std::int64_t, bool, bool, bool, int)> newest_first{
    "jobs.log_tail",
    "select id, level, message, metadata, created_at from job_logs where job_id = $1 and id > $2"
    " and (level = 'error' or level = 'warning' and $3 or level = 'info' and $4 or level = 'debug' and $5) order by id desc "
    "limit $6"};

constexpr std::size_t message_bytes_max = 10'000;
constexpr std::size_t metadata_bytes_max = 65'536;

}  // namespace

void append_log(Write& tx, JobId job, std::span<const NewLogLine> lines) {
  const auto owner = tx.one(find_log_owner, job);
  if (!owner || !tx.actor().sees(*owner)) throw_no_job(job);
  std::vector<LogRow> rows;
  for (const auto& line : lines) {
    if (!store::count_characters(line.message)) throw_invalid("a log line is not UTF-8 text without zero bytes");
    if (line.metadata) store::check_json("a log line's metadata", line.metadata->text, metadata_bytes_max);
    rows.push_back({job, *owner, line.level, cut_at_character(line.message, message_bytes_max), line.metadata, tx.now()});
  }
  tx.insert_all(log_table, rows);
}

void append_log(Write& tx, JobId job, const NewLogLine& line) { append_log(tx, job, std::span(&line, 1)); }

std::vector<LogLine> list_log(Read& tx, JobId job, const LogFilter& filter) {
  if (filter.limit < 1 || filter.limit > 10'000)
    throw_invalid(fmt::format("limit {}: it must be from 1 to 10000", filter.limit));
  require_seen(tx, job);
  auto lines = tx.all(filter.newest ? newest_first : oldest_first, job, filter.after, filter.at_least <= LogLevel::warning,
                      filter.at_least <= LogLevel::info, filter.at_least <= LogLevel::debug, filter.limit);
  if (filter.newest) std::reverse(lines.begin(), lines.end());
  return lines;
}

}  // namespace quarry::jobs
