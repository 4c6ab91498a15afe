/// Does it answer, is its schema ours, and can one get at it?

#include <fcntl.h>
#include <unistd.h>

#include "ops/health/aside.hpp"
#include "ops/health/checks.hpp"
#include "quarry/schema/migrator.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::ops::health {
namespace {

namespace fs = std::filesystem;

/// Of the server's connections, how many may be in use before somebody should look.
constexpr double connections_full = 0.9;

constexpr sql::Query<bool()> takes_no_writes{
    "health.answers", sql::sqlite("select 0"),  // asked of the file instead
    sql::postgres("select pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean")};

struct ServerConnections {
  std::int64_t used;
  std::int64_t most;
};
BOOST_DESCRIBE_STRUCT(ServerConnections, (), (used, most))
constexpr sql::Query<ServerConnections()> server_connections{
    "health.server_connections", sql::sqlite("select 0 as used, 0 as most"),
    sql::postgres("select coalesce(sum(numbackends), 0)::bigint as used, current_setting('max_connections')::bigint -"
                  " current_setting('superuser_reserved_connections')::bigint as most from pg_stat_database")};

/// SQLite writes the file, and beside it its log and the gate. Nothing when this user may.
std::optional<std::string> why_not_written(const fs::path& file) {
  const auto may = [](const fs::path& path, int mode) { return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0; };
  if (!may(file, R_OK | W_OK)) return fmt::format("this user may not write to '{}'", file.native());
  const auto folder = file.parent_path();
  if (!may(folder, W_OK | X_OK)) return fmt::format("this user may not write to the folder '{}'", folder.native());
  for (const auto* beside : {"-wal", "-shm", "-gate"})
    if (const fs::path other = file.native() + beside; may(other, F_OK) && !may(other, R_OK | W_OK))
      return fmt::format("this user may not write to '{}'", other.native());
  return std::nullopt;
}

}  // namespace

Findings check_database(const Asked& asked) {
  Findings found;
  const auto begin = std::chrono::steady_clock::now();
  const bool read_only = asked.read([](Read& tx) { return tx.value(takes_no_writes); });
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  if (read_only)
    found.add(CheckState::failed, "the server takes no writes: it is a replica, or was made read-only",
              "name the primary in the URL, or all servers with target_session_attrs=read-write");
  if (const auto file = sqlite_file(asked.db))
    if (auto why = why_not_written(*file))
      found.add(CheckState::failed, std::move(*why), "run as the user to whom the database belongs, or give it to this one");
  found.say(fmt::format("answers in {}", in_words(took)));
  return found;
}

Findings check_schema(const Asked& asked) {
  // The migrator's own reads know no deadline, so they run beside us and are left alone when they are late.
  static Aside schemas(threads_max);
  const auto status = schemas.run(asked.timeout, "the schema's version was not told in time",
                                  [db = asked.db] { return schema::status(db); });
  Findings found;
  if (status.state == schema::State::current)
    found.say(fmt::format("at version {}, the newest", status.version));
  else
    found.add(CheckState::failed, status.message,
              status.state == schema::State::behind ? std::optional<std::string>("quarry migrate up") : std::nullopt);
  return found;
}

Findings check_pool(const Asked& asked) {
  Findings found;
  const auto stats = asked.db.stats();
  const auto& options = asked.db.backend().options();
  if (stats.waiters > 0)
    found.add(stats.waiters >= options.waiters_max ? CheckState::failed : CheckState::warning,
              fmt::format("{} callers wait for one of {} connections", stats.waiters, options.connections_max),
              "shorten transactions, or allow more connections");
  found.say(fmt::format("{} of {} connections open, {} of them idle", stats.connections,
                        options.connections_max + (asked.db.engine() == Engine::sqlite ? 1 : 0), stats.connections_idle));
  if (asked.db.engine() == Engine::sqlite) return found;
  const auto server = asked.read([](Read& tx) { return tx.value(server_connections); });
  const auto words = fmt::format("the server has {} of {} connections in use", server.used, server.most);
  if (static_cast<double>(server.used) >= connections_full * static_cast<double>(server.most))
    found.add(CheckState::warning, words,
              "fewer connections in each program, a pooler between, or a higher max_connections");
  else
    found.say(words);
  return found;
}

}  // namespace quarry::ops::health
