/// Known risks of the engine's version and settings.
///
/// SQLite's WAL-reset bug: fixed in 3.51.3 (docs/decisions/0002). PostgreSQL's versioning policy
/// (https://www.postgresql.org/support/versioning/) gives the day on which each major version is supported last; the minor
/// versions below are those that mended corruption (14.4: CREATE INDEX CONCURRENTLY) or CVE-2025-1094 for good.

#include <algorithm>
#include <array>

#include "ops/health/checks.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::ops::health {
namespace {

struct SqliteFacts {
  std::string version;
  std::string journal_mode;
};
BOOST_DESCRIBE_STRUCT(SqliteFacts, (), (version, journal_mode))
constexpr sql::Query<SqliteFacts()> sqlite_facts{
    "health.sqlite", sql::sqlite("select sqlite_version() as version, journal_mode from pragma_journal_mode"),
    sql::postgres("select '' as version, '' as journal_mode")};

struct ServerFacts {
  std::int64_t version_number;
  std::string version;
  bool fsync;
  bool full_page_writes;
  std::string synchronous_commit;
  bool checksums;
};
BOOST_DESCRIBE_STRUCT(ServerFacts, (), (version_number, version, fsync, full_page_writes, synchronous_commit, checksums))
constexpr sql::Query<ServerFacts()> server_facts{
    "health.postgres",
    sql::sqlite("select 0 as version_number, '' as version, 1 as fsync, 1 as full_page_writes, '' as synchronous_commit,"
                " 1 as checksums"),
    sql::postgres("select current_setting('server_version_num')::bigint as version_number,"
                  " split_part(current_setting('server_version'), ' ', 1) as version,"
                  " current_setting('fsync')::boolean as fsync,"
                  " current_setting('full_page_writes')::boolean as full_page_writes,"
                  " current_setting('synchronous_commit') as synchronous_commit,"
                  " current_setting('data_checksums')::boolean as checksums")};

constexpr std::array<int, 3> wal_reset_mended{3, 51, 3};

struct MajorVersion {
  std::int64_t major;
  std::int64_t minor_sound;       ///< faults that concern us are mended from here on
  std::string_view supported_to;  ///< a day
};
constexpr std::array<MajorVersion, 6> major_versions{{{13, 20, "2025-11-13"},
                                                      {14, 17, "2026-11-12"},
                                                      {15, 12, "2027-11-11"},
                                                      {16, 8, "2028-11-09"},
                                                      {17, 4, "2029-11-08"},
                                                      {18, 0, "2030-11-14"}}};

std::array<int, 3> numbers_of(std::string_view version) {
  std::array<int, 3> numbers{};
  std::size_t at = 0;
  for (const char c : version) {
    if (c == '.' && ++at >= numbers.size()) break;
    if (c >= '0' && c <= '9') numbers[at] = numbers[at] * 10 + (c - '0');
  }
  return numbers;
}

Findings of_sqlite(const Asked& asked) {
  Findings found;
  const auto facts = asked.read([](Read& tx) { return tx.value(sqlite_facts); });
  found.say(fmt::format("SQLite {}", facts.version));
  if (numbers_of(facts.version) < wal_reset_mended)
    found.add(CheckState::notice,
              "before 3.51.3 a checkpoint that overlaps a commit can corrupt the file; Quarry's own processes take turns, "
              "other programs do not",
              "let no other program write to the file, or use SQLite 3.51.3");
  const bool in_memory = !sqlite_file(asked.db);
  if (!in_memory && facts.journal_mode != "wal")
    found.add(CheckState::warning,
              fmt::format("the journal mode is {}: readers and the writer wait for each other", facts.journal_mode),
              "let no other program change it; the next one of ours that writes sets it back");
  if (asked.db.backend().options().synchronous != Synchronous::full)
    found.add(CheckState::warning, "synchronous=NORMAL: a power cut may take the last commits",
              "use FULL, which is the default");
  return found;
}

void judge_version(const ServerFacts& facts, Instant now, Findings& found) {
  const auto major = facts.version_number / 10'000;
  const auto minor = facts.version_number % 10'000;
  const auto known = std::ranges::find(major_versions, major, &MajorVersion::major);
  if (major < major_versions.front().major)
    return found.add(CheckState::warning, "this version is no longer supported by its makers", "a newer major version");
  if (known == major_versions.end()) return;
  if (minor < known->minor_sound)
    found.add(CheckState::notice, fmt::format("{}.{} mends faults of this one", major, known->minor_sound),
              "the newest minor version");
  if (to_iso8601(now).substr(0, known->supported_to.size()) > known->supported_to)
    found.add(CheckState::warning, fmt::format("its makers support it no longer, since {}", known->supported_to),
              "a newer major version");
}

Findings of_postgres(const Asked& asked) {
  Findings found;
  const auto facts = asked.read([](Read& tx) { return tx.value(server_facts); });
  found.say(fmt::format("PostgreSQL {}", facts.version));
  judge_version(facts, asked.db.now(), found);
  if (!facts.fsync)
    found.add(CheckState::warning, "fsync is off: a crash of the machine can corrupt everything", "fsync = on");
  if (!facts.full_page_writes)
    found.add(CheckState::warning, "full_page_writes is off: a crash can leave torn pages", "full_page_writes = on");
  if (facts.synchronous_commit == "off")
    found.add(CheckState::warning, "synchronous_commit is off: a crash may take the last commits",
              "synchronous_commit = on");
  if (!facts.checksums)
    found.add(CheckState::notice, "pages have no checksums, so that a bad disk goes unnoticed", "pg_checksums --enable");
  return found;
}

}  // namespace

Findings check_engine(const Asked& asked) {
  return asked.db.engine() == Engine::sqlite ? of_sqlite(asked) : of_postgres(asked);
}

}  // namespace quarry::ops::health
