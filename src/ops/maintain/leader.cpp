#include "ops/maintain/leader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::ops::upkeep {
namespace {

// Per schema: two of them in one database are two databases of ours.
#define QUARRY_MAINTAIN_LOCK "hashtextextended('quarry.maintain ' || current_schema(), 0)"

constexpr sql::Query<bool()> try_lead{"maintain.try_lead", sql::sqlite("select 1"),
                                      sql::postgres("select pg_try_advisory_lock(" QUARRY_MAINTAIN_LOCK ")")};

// A bigint key stands in pg_locks as two halves with objsubid 1.
#define QUARRY_LEADERS                                                              \
  " from pg_locks l where l.locktype = 'advisory' and l.granted and l.objsubid = 1" \
  " and l.classid = ((" QUARRY_MAINTAIN_LOCK                                        \
  " >> 32) & 4294967295)::oid"                                                      \
  " and l.objid = (" QUARRY_MAINTAIN_LOCK                                           \
  " & 4294967295)::oid"                                                             \
  " and l.database = (select oid from pg_database where datname = current_database())"

constexpr sql::Query<bool()> let_go{"maintain.let_go", sql::sqlite("select 1"),
                                    sql::postgres("select pg_advisory_unlock(" QUARRY_MAINTAIN_LOCK ")")};
constexpr sql::Query<bool()> lead_is_held{
    "maintain.lead_is_held", sql::sqlite("select 1"),
    sql::postgres("select exists (select 1" QUARRY_LEADERS " and l.pid = pg_backend_pid())")};
constexpr sql::Query<std::string()> who_leads{
    "maintain.who_leads", sql::sqlite("select ''"),
    sql::postgres("select format('process %s of the server%s, since %s', a.pid,"
                  " coalesce(' for ' || host(a.client_addr), ''),"
                  " to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'))"
                  " from pg_stat_activity a where a.pid in (select l.pid" QUARRY_LEADERS ") limit 1")};

constexpr sql::Query<std::string()> database_file{"maintain.database_file",
                                                  sql::sqlite("select file from pragma_database_list where name = 'main'"),
                                                  sql::postgres("select ''")};

class PostgresLeader final : public Leader {
 public:
  explicit PostgresLeader(std::unique_ptr<sql::DedicatedSession> session) : session_(std::move(session)) {}
  ~PostgresLeader() override {
    // The server notices that a connection has ended when it gets to it; whoever comes next need not wait for that.
    try {
      Read(session_->session()).value(let_go);
    } catch (const Error& error) {
      log::debug("maintenance: the lead goes with its connection: {}", error.client_message());
    }
  }
  bool still_leads() override { return Read(session_->session()).value(lead_is_held); }

 private:
  std::unique_ptr<sql::DedicatedSession> session_;
};

/// flock(2): the system lets go of it when the process ends. The file stays, because a file that others may have opened
/// already must not be replaced.
class FileLeader final : public Leader {
 public:
  explicit FileLeader(int file) : file_(file) {}
  ~FileLeader() override {
    if (file_ >= 0) ::close(file_);
  }
  bool still_leads() override { return true; }

 private:
  int file_;
};

std::unique_ptr<Leader> take_file(const std::string& path, std::string& holder) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0)
    throw Error(ErrorCode::unavailable, fmt::format("'{}' cannot be opened: may this user write to its folder?", path));
  auto leader = std::make_unique<FileLeader>(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EWOULDBLOCK)
      throw Error(ErrorCode::unavailable,
                  fmt::format("'{}' cannot be locked ({}): it must lie on a local file system", path, std::strerror(error)));
    std::array<char, 100> text{};
    const auto length = ::pread(file, text.data(), text.size(), 0);
    holder.assign(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    if (holder.empty()) holder = "another process";
    return nullptr;
  }
  const auto mine = fmt::format("process {}", ::getpid());
  // For people only: the lock is what counts.
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, mine.data(), mine.size(), 0) < 0) holder.clear();
  return leader;
}

}  // namespace

std::unique_ptr<Leader> take_lead(const Database& db, std::string& holder) {
  if (db.engine() == Engine::sqlite) {
    const auto file = db.read([](Read& tx) { return tx.one(database_file); }).value_or("");
    if (file.empty()) return std::make_unique<FileLeader>(-1);  // in memory: nobody else has it
    return take_file(file + "-maintain", holder);
  }
  auto session = db.backend().dedicated();
  Read tx(session->session());
  if (tx.value(try_lead)) return std::make_unique<PostgresLeader>(std::move(session));
  holder = tx.one(who_leads).value_or("another process, which has just let go");
  return nullptr;
}

}  // namespace quarry::ops::upkeep
