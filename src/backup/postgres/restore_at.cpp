/// A moment of a PostgreSQL server, replayed beside it, proven, and carried over.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "backup/bodies.hpp"
#include "backup/child.hpp"
#include "backup/key_derivation.hpp"
#include "backup/postgres/connection_words.hpp"
#include "backup/postgres/server.hpp"
#include "backup/postgres/wal_store.hpp"
#include "backup/scratch.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/backup/sealed.hpp"

namespace quarry::backup {
namespace {

using namespace postgres;

constexpr sql::Query<bool()> in_recovery{"backup.in_recovery", "select pg_is_in_recovery()"};
constexpr sql::Query<std::string()> marker_value{"backup.marker_value",
                                                 "select value from system_config where key = 'backup.marker'"};

/// Which base to start from and which markers prove the moment.
struct Plan {
  BaseInfo base;
  Marker reached;
  Marker beyond;
  std::vector<std::string> in_flight;  ///< markers whose commit may lie on either side
};

Plan plan_for(const Repository& repository, Instant at) {
  Plan plan;
  const auto unprovable = [&](const std::string& why) {
    throw Error(ErrorCode::conflict, fmt::format("that {} was reached could not be proven: {}", to_iso8601(at), why));
  };
  bool has_base = false, has_reached = false, has_beyond = false;
  for (const auto& base : bases(repository))
    if (base.ended_at <= at) {
      plan.base = base;
      has_base = true;
    }
  if (!has_base) unprovable("no base backup is older");
  for (const auto& marker : markers(repository)) {
    if (marker.after <= at && marker.before >= plan.base.ended_at) {
      plan.reached = marker;
      has_reached = true;
    } else if (marker.before > at && !has_beyond) {
      plan.beyond = marker;
      has_beyond = true;
    } else if (marker.before <= at && marker.after > at) {
      plan.in_flight.push_back(marker.id);
    }
  }
  if (!has_reached) unprovable("there is no marker between the base backup and that time");
  if (!has_beyond)
    unprovable(fmt::format(
        "there is no marker after it; the newest is of {}. `quarry backup pitr-mark` makes one, or name an earlier time",
        to_iso8601(plan.reached.after)));
  return plan;
}

/// As the setting wants it: no T between date and time, no Z behind.
std::string target_time(Instant at) {
  auto text = to_iso8601(at);
  text[10] = ' ';
  text.back() = '+';
  return text + "00";
}

/// The copy of the server, replaying; stopped at the end, and when we are killed: everything lies in it in clear.
class Replay {
 public:
  Replay(const Repository& repository, const Keys& keys, const Plan& plan, Instant at, const RestoreAtOptions& options)
      : scratch_(options.scratch.empty() ? fs::path() : fs::absolute(options.scratch)) {  // it has a folder of its own
    fs::create_directory(data());
    fs::permissions(data(), fs::perms::owner_all);
    fs::create_directory(scratch_.path() / "wal");
    unpack(repository, keys, plan.base);
    segments_ = unseal_segments(repository, keys, plan.base, plan.beyond.segment, scratch_.path() / "wal");
    write_configuration(plan.base, at);
    // The signal comes when this thread ends, however it does; a server that it misses is stopped by the next run.
    server_ = std::make_unique<Child>(
        "setpriv",
        std::vector<std::string>{"--pdeathsig", "QUIT", "--", (options.programs / "postgres").native(), "-D",
                                 data().native(), "-c", "config_file=" + configuration().native()},
        std::map<std::string, std::string>{}, Pipe::none);
    url_ = fmt::format("postgresql:///{}?host={}&port=5432&user={}", plan.base.database, scratch_.path().native(),
                       plan.base.user);
    wait_for_end(options.wait_s);
  }
  ~Replay() {
    if (server_) server_->stop(SIGINT);
  }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  const std::string& url() const noexcept { return url_; }
  std::int64_t segments() const noexcept { return segments_; }
  const fs::path& folder() const noexcept { return scratch_.path(); }

 private:
  fs::path data() const { return scratch_.path() / scratch_server; }
  fs::path configuration() const { return scratch_.path() / "replay.conf"; }
  void unpack(const Repository& repository, const Keys& keys, const BaseInfo& base) const;
  void write_configuration(const BaseInfo& base, Instant at) const;
  void wait_for_end(int wait_s);

  ScratchFolder scratch_;
  std::unique_ptr<Child> server_;
  std::string url_;
  std::int64_t segments_ = 0;
};

void Replay::unpack(const Repository& repository, const Keys& keys, const BaseInfo& base) const {
  SealedReader reader(base_dir(repository) / base.name / "base.sealed", keys, PartKind::base_backup,
                      subject_of("base/" + base.name));
  Child tar("tar", {"--extract", "--file=-", "--directory=" + data().native()}, {}, Pipe::to_child);
  std::vector<std::byte> buffer(std::size_t{256} * 1024);
  bool listens = true;
  while (const auto got = reader.read(buffer)) listens = listens && tar.write(std::span(buffer).first(got));
  tar.wait("unpack the base backup");
}

void Replay::write_configuration(const BaseInfo& base, Instant at) const {
  const auto scratch = scratch_.path().native();
  auto text = fmt::format(
      "listen_addresses = ''\nunix_socket_directories = '{0}'\nport = 5432\nhba_file = '{0}/hba.conf'\nident_file = "
      "'{0}/ident.conf'\n"
      "ssl = off\narchive_mode = off\nfsync = off\nhot_standby = on\nlogging_collector = off\n"
      "restore_command = 'cp \"{0}/wal/%f\" \"%p\"'\n"
      "recovery_target_time = '{1}'\nrecovery_target_inclusive = on\nrecovery_target_action = "
      "'promote'\nrecovery_target_timeline = 'latest'\n",
      scratch, target_time(at));
  for (const auto& [name, value] : base.settings) text += fmt::format("{} = {}\n", name, value);
  write_durably(configuration(), text);
  write_durably(scratch_.path() / "hba.conf", "local all all trust\n");
  write_durably(scratch_.path() / "ident.conf", "");
  // What ALTER SYSTEM had set on the original, archiving into our folder for one, is not for its copy.
  write_durably(data() / "postgresql.auto.conf", "");
  write_durably(data() / "recovery.signal", "");
}

void Replay::wait_for_end(int wait_s) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(wait_s);
  for (;; std::this_thread::sleep_for(std::chrono::milliseconds(100))) {
    if (!server_->running())
      throw Error(ErrorCode::conflict,
                  "the log does not lead to that time: the scratch server has ended, --log debug shows why",
                  {server_->words(), {}, 0});
    if (std::chrono::steady_clock::now() > deadline)
      throw Error(ErrorCode::timeout, fmt::format("the log was not replayed within {} s", wait_s),
                  {server_->words(), {}, 0});
    try {
      Administration server(url_);
      if (!server.tx().value(in_recovery)) return;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unavailable && error.code() != ErrorCode::timeout) throw;
    }
  }
}

/// The marker that the replayed database shows must be the one that its moment has.
void prove(const Plan& plan, const std::string& found, Instant at) {
  if (found == plan.reached.id || std::ranges::find(plan.in_flight, found) != plan.in_flight.end()) return;
  throw Error(ErrorCode::conflict, fmt::format("{} was not reached: the replayed database does not show the marker of {}",
                                               to_iso8601(at), to_iso8601(plan.reached.after)));
}

/// By way of a file: the dump comes when pg_dump wants, and goes when pg_restore does.
void carry_over(SourceDatabase& from, RestoredDatabase& to, const fs::path& dump, const Pause& pause) {
  const auto out = File::make(dump);
  from.dump([&](std::span<const std::byte> bytes) { out.write(bytes, dump); }, pause);
  const auto in = File::open_to_read(dump);
  to.fill([&](std::span<std::byte> into) { return in.read(into, dump); }, pause);
}

RestoredAt restore_moment(const fs::path& dir, std::string_view url, const Keys& keys, Instant at,
                          const RestoreAtOptions& options) {
  if (sql::engine_of(url) != Engine::postgres)
    throw_invalid("a moment in time is restored on PostgreSQL: --db postgresql://...");
  if (::geteuid() == 0)
    throw Error(
        ErrorCode::denied,
        "PostgreSQL does not run as root: run this as the user postgres (runuser -u postgres -- quarry restore ...)");
  const auto repository = Repository::open(dir);
  const auto plan = plan_for(repository, at);
  refuse_postgres_use(url);
  if (!options.replace) refuse_postgres_rows(url);
  if (options.blobs) require_place_for_bodies(*options.blobs);
  const Replay replay(repository, keys, plan, at, options);
  {
    Administration server(replay.url());
    prove(plan, server.tx().one(marker_value).value_or(""), at);
  }
  const Pause pause = [] {};
  const auto source = open_postgres_source(replay.url());
  const auto expected = source->facts(pause);
  const auto restored = restore_postgres(url);
  carry_over(*source, *restored, replay.folder() / "dump", pause);
  const auto what = difference(expected, restored->examine(pause));
  if (!what.empty())
    throw BackupError(Damage::differs, fmt::format("carried over, the database is not what was replayed: {}", what));
  FoundBodies bodies;
  std::optional<BodyRestorer> restorer;
  if (options.blobs) {
    BodyCollector wanted(repository, keys);
    source->bodies([&](std::string_view hash) { wanted.add(hash); });
    restorer.emplace(repository, keys, *options.blobs);
    bodies = restorer->take_with_hashes(wanted.hashes());
  }
  const auto place_bodies = [&] {
    if (restorer) restorer->put_in_place();
  };
  restored->put_in_place({.replace = options.replace, .before = place_bodies});
  return {.at = at,
          .base = plan.base.name,
          .reached = plan.reached,
          .beyond = plan.beyond,
          .segments = replay.segments(),
          .rows = expected.rows(),
          .bodies = bodies.restored,
          .bodies_missing = bodies.missing};
}

}  // namespace

RestoredAt restore_at(const fs::path& dir, std::string_view url, const Keys& keys, Instant at,
                      const RestoreAtOptions& options) {
  start_sodium();
  return in_our_words([&] { return restore_moment(dir, url, keys, at, options); });
}

}  // namespace quarry::backup
