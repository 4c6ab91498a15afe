/// What only a PostgreSQL server has: transaction ids that run out, archived log, replicas.

#include "ops/health/checks.hpp"

namespace quarry::ops::health {
namespace {

/// There are 2^31 ids; the server stops taking writes 3 million before the end
/// (https://www.postgresql.org/docs/15/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND). Autovacuum begins to care at 200
/// million, so that half of all is far beyond what a healthy server reaches.
constexpr std::int64_t ids_to_look = 1'000'000'000;
constexpr std::int64_t ids_at_the_end = 2'000'000'000;
constexpr std::int64_t transaction_minutes_max = 60;
constexpr std::int64_t replica_lag_s_max = 60;
constexpr std::int64_t slot_bytes_max = std::int64_t{10} << 30;

struct Ids {
  std::int64_t transactions;
  std::int64_t members;
  std::optional<std::int64_t> oldest_s;
};
BOOST_DESCRIBE_STRUCT(Ids, (), (transactions, members, oldest_s))
constexpr sql::Query<Ids()> id_ages{
    "health.transaction_ids", sql::sqlite("select 0 as transactions, 0 as members, null as oldest_s"),
    sql::postgres("select age(datfrozenxid)::bigint as transactions, mxid_age(datminmxid)::bigint as members,"
                  " (select extract(epoch from max(clock_timestamp() - xact_start))::bigint from pg_stat_activity"
                  "   where datname = current_database()) as oldest_s"
                  " from pg_database where datname = current_database()")};

struct Archive {
  std::string mode;
  bool failing;
  std::optional<std::int64_t> archived_s;
  std::int64_t replicas;
  std::optional<std::int64_t> lag_s;
  std::optional<std::int64_t> slot_bytes;
};
BOOST_DESCRIBE_STRUCT(Archive, (), (mode, failing, archived_s, replicas, lag_s, slot_bytes))
constexpr sql::Query<Archive()> archive_facts{
    "health.replication",
    sql::sqlite("select '' as mode, 0 as failing, null as archived_s, 0 as replicas, null as lag_s, null as slot_bytes"),
    sql::postgres("select current_setting('archive_mode') as mode,"
                  " coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) as failing,"
                  " extract(epoch from clock_timestamp() - a.last_archived_time)::bigint as archived_s,"
                  " (select count(*) from pg_stat_replication) as replicas,"
                  " (select extract(epoch from max(replay_lag))::bigint from pg_stat_replication) as lag_s,"
                  " (select max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))::bigint from pg_replication_slots"
                  "   where not active) as slot_bytes"
                  " from pg_stat_archiver a")};

}  // namespace

Findings check_transaction_ids(const Asked& asked) {
  Findings found;
  const auto ids = asked.read([](Read& tx) { return tx.value(id_ages); });
  const auto worst = std::max(ids.transactions, ids.members);
  const auto words = fmt::format("{} million of 2,147 million transaction ids are in use", worst / 1'000'000);
  if (worst >= ids_at_the_end)
    found.add(CheckState::failed, words + ": the server is about to stop taking writes",
              "VACUUM FREEZE the oldest tables now");
  else if (worst >= ids_to_look)
    found.add(CheckState::warning, words,
              "find out what keeps autovacuum from freezing: old transactions, slots, prepared ones");
  else
    found.say(words);
  if (ids.oldest_s && *ids.oldest_s > transaction_minutes_max * 60)
    found.add(CheckState::warning,
              fmt::format("a transaction has been open for {}: nothing that was deleted since can be cleaned up",
                          in_words(std::chrono::seconds(*ids.oldest_s))),
              "look for it in pg_stat_activity and end it");
  return found;
}

Findings check_replication(const Asked& asked) {
  Findings found;
  const auto facts = asked.read([](Read& tx) { return tx.value(archive_facts); });
  if (facts.mode == "off")
    found.say("the log is not archived: no recovery to a point in time");
  else if (facts.failing)
    found.add(CheckState::warning, "the log cannot be archived, and piles up", "read the server's log on archive_command");
  else
    found.say(facts.archived_s
                  ? fmt::format("the log was archived {} ago", in_words(std::chrono::seconds(*facts.archived_s)))
                  : "nothing of the log has been archived yet");
  if (facts.replicas > 0) found.say(fmt::format("{} replicas", facts.replicas));
  if (facts.lag_s && *facts.lag_s > replica_lag_s_max)
    found.add(CheckState::warning, fmt::format("a replica lags behind by {}", in_words(std::chrono::seconds(*facts.lag_s))),
              "look at its load and at long queries there");
  if (facts.slot_bytes && *facts.slot_bytes > slot_bytes_max)
    found.add(CheckState::warning,
              fmt::format("a replication slot that nobody uses keeps {} of the log",
                          bytes_in_words(static_cast<std::uint64_t>(*facts.slot_bytes))),
              "bring its replica back, or drop the slot");
  return found;
}

}  // namespace quarry::ops::health
