#include "backup/postgres/unless_lost.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <thread>

#include "backup/postgres/connection_words.hpp"
#include "backup/postgres/facts.hpp"

namespace quarry::backup::postgres {
namespace {

using namespace std::chrono_literals;

constexpr sql::Query<std::int64_t()> own_pid{"backup.own_pid", "select pg_backend_pid()::bigint"};
constexpr sql::Query<bool(std::int64_t)> is_shut{
    "backup.is_shut",
    "select exists (select 1 from pg_locks where pid = $1::int4 and locktype = 'object' and granted"
    " and classid = 'pg_database'::regclass and mode = 'AccessExclusiveLock'"
    " and objid = (select oid from pg_database where datname = current_database()))"};
constexpr sql::Query<std::int64_t()> others_inside{
    "backup.others_inside",
    "select count(*)::bigint from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    " and backend_type <> 'autovacuum worker'"};
constexpr sql::Query<bool(std::int64_t)> cancel{"backup.cancel", "select pg_cancel_backend($1::int4)"};

/// The statement, on a thread of its own: it returns when we have gone.
class Renaming {
 public:
  Renaming(Administration& server, const std::string& sql)
      : thread_([this, &server, sql] {
          try {
            server.run(sql);
          } catch (...) {
            failure_ = std::current_exception();
          }
          ended_ = true;
        }) {}
  ~Renaming() {
    if (thread_.joinable()) thread_.join();
  }
  Renaming(const Renaming&) = delete;
  Renaming& operator=(const Renaming&) = delete;

  bool ended() const noexcept { return ended_; }
  void wait() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;  // last: it uses the others
};

void look(const Database& inside, const Renaming& renaming, std::int64_t renamer, std::string_view database) {
  const auto shut = [&](Read& tx) { return tx.value(is_shut, renamer); };
  while (!renaming.ended() && !inside.read(shut)) std::this_thread::sleep_for(5ms);
  if (renaming.ended()) return;  // it has failed, and says why
  // Who was inside when the door was shut may have committed and gone since: so the rows are looked at in a transaction of
  // their own, which begins when nobody is left to write any.
  if (const auto others = inside.read([](Read& tx) { return tx.value(others_inside); }); others > 0)
    throw Error(ErrorCode::busy,
                fmt::format("the database '{}' is in use by {} sessions: end them, and try again", database, others));
  inside.read([&](Read& tx) { refuse_to_lose(tx, database); });
}

}  // namespace

void refuse_to_lose(Read& tx, std::string_view database) {
  if (const auto what = what_would_be_lost(tx); !what.empty())
    throw Error(ErrorCode::conflict,
                fmt::format("the database '{}' holds {}: name another, or say --replace", database, what));
}

void rename_unless_lost(Administration& server, const std::string& rename, std::string_view target_url) {
  // One connection, made before nobody can make any; an `Administration` would have two.
  std::optional<Database> inside(Database::open(target_url, {.create = false, .connections_max = 1}));
  const auto renamer = server.tx().value(own_pid);
  Renaming renaming(server, rename);
  try {
    look(*inside, renaming, renamer, database_of(target_url));
  } catch (...) {
    // It cannot succeed while we are inside, so that we stay until it has given up.
    try {
      inside->read([&](Read& tx) { return tx.value(cancel, renamer); });
    } catch (const Error&) {  // then it gives up by itself
    }
    throw;
  }
  inside.reset();
  renaming.wait();
}

}  // namespace quarry::backup::postgres
