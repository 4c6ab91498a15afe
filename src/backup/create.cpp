/// Making a backup.

#include <fmt/format.h>

#include <chrono>

#include "backup/bodies.hpp"
#include "backup/examine.hpp"
#include "backup/file.hpp"
#include "backup/gently.hpp"
#include "backup/key_derivation.hpp"
#include "backup/record.hpp"
#include "backup/scratch.hpp"
#include "quarry/backup/backup.hpp"
#include "quarry/backup/error.hpp"

namespace quarry::backup {
namespace {

using Stopwatch = std::chrono::steady_clock;

std::int64_t ms_since(Stopwatch::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Stopwatch::now() - start).count();
}

/// What killed backups have left.
void remove_unfinished(const Repository& repository) {
  for (const auto& entry : fs::directory_iterator(repository.dir()))
    if (entry.path().filename().native().starts_with(unfinished_prefix)) fs::remove_all(entry.path());
}

/// Retention removes what a newer backup covers, and a restore takes the newest: of one database, or they would do harm.
/// What cannot tell which database it is stands alone.
void refuse_mixture(const Repository& repository, std::string_view engine, const std::optional<std::string>& database) {
  for (const auto& other : repository.list()) {
    if (database && !is_readable(other)) continue;  // `backup verify` tells whose it was
    if (database && other.engine == engine && other.database == database) continue;
    const auto* const why =
        !database ? "which database this is has never been noted in it, so that its backup needs an empty folder: "
                    "back it up once as a user who may write to it, or name another folder"
                  : "name another folder, each database has its own";
    throw Error(ErrorCode::conflict, fmt::format("'{}' holds backups of another database, {} for one: {}",
                                                 repository.dir().native(), other.name, why));
  }
}

class Maker {
 public:
  Maker(std::string_view url, const Repository& repository, const Keys& keys, const BackupOptions& options)
      : url_(url),
        engine_(sql::engine_of(url)),
        repository_(repository),
        keys_(keys),
        options_(options),
        bodies_(repository, keys) {}

  Summary make(Instant now, const std::optional<std::string>& database) {
    const auto start = Stopwatch::now();
    manifest_.database = summary_.database = database;
    summary_.created_at = now;
    summary_.name = new_backup_name(now);
    summary_.key_mode = keys_.mode();
    summary_.quarry_version = QUARRY_VERSION;
    summary_.engine = to_string(engine_);
    folder_ = repository_.dir() / fmt::format("{}{}", unfinished_prefix, summary_.name);
    remove_unfinished(repository_);
    make_folder(folder_);
    try {
      if (options_.verify) make_scratch();
      take();
      store_bodies();
      summary_.duration_ms = ms_since(start);
      write_manifest_and_summary();
      if (options_.verify) verify_it();
      sync_folder(folder_);
      rename_durably(folder_, repository_.folder_of(summary_.name));
    } catch (...) {
      std::error_code ignored;
      fs::remove_all(folder_, ignored);
      throw;
    }
    return summary_;
  }

 private:
  void say(std::string_view what) const {
    if (options_.progress) options_.progress(what);
  }
  /// Everything that needs the moment: it ends with this function.
  void take() {
    const auto source = engine_ == Engine::sqlite ? open_sqlite_source(sqlite_file_of(url_)) : open_postgres_source(url_);
    say("copying");
    SealedWriter writer(folder_ / database_file, keys_,
                        {.kind = PartKind::database, .subject = subject_of(summary_.name), .salt = repository_.salt()});
    source->dump([&](std::span<const std::byte> bytes) { writer.write(bytes); }, pause_);
    source->bodies([&](std::string_view hash) { bodies_.add(hash); });
    say("counting and digesting");
    manifest_.facts = source->facts(pause_);
    const auto size = writer.finish();
    manifest_.database_bytes = summary_.database_bytes = size.plain_bytes;
    manifest_.database_check = hex(as_text(size.check));
    summary_.sealed_bytes = size.sealed_bytes;
  }
  void store_bodies() {
    if (options_.blobs) {
      say("storing bodies");
      stored_ = bodies_.store(*options_.blobs, scratch_ ? scratch_->path() : fs::path{}, pause_);
    } else {
      summary_.bodies_left_out = static_cast<std::int64_t>(bodies_.hashes().size());
    }
    write_bodies(folder_, stored_.names);
    summary_.bodies = static_cast<std::int64_t>(stored_.names.size());
    summary_.bodies_new = stored_.fresh;
    summary_.bodies_new_bytes = stored_.fresh_bytes;
    summary_.bodies_missing = stored_.missing;
    summary_.bodies_digest = digest_of(stored_.names);
    stored_.names = {};  // they are read again to be verified
  }
  void write_manifest_and_summary() {
    manifest_.name = summary_.name;
    manifest_.created_at = summary_.created_at;
    manifest_.quarry_version = summary_.quarry_version;
    manifest_.bodies_digest = summary_.bodies_digest;
    manifest_.bodies = summary_.bodies;
    manifest_.bodies_missing = summary_.bodies_missing;
    manifest_.bodies_left_out = summary_.bodies_left_out;
    summary_.engine_version = manifest_.facts.engine_version;
    summary_.schema_version = manifest_.facts.schema_version;
    summary_.tables = static_cast<std::int64_t>(manifest_.facts.tables.size());
    summary_.rows = manifest_.facts.rows();
    summary_.sealed_bytes += write_manifest(folder_, manifest_, keys_, repository_.salt()).sealed_bytes;
    write_summary(folder_, summary_);
  }
  void make_scratch() {
    const bool beside = options_.scratch.empty() && engine_ == Engine::sqlite;
    scratch_.emplace(beside ? folder_of(sqlite_file_of(url_)) : options_.scratch);
  }
  void verify_it();

  std::string_view url_;
  Engine engine_;
  const Repository& repository_;
  const Keys& keys_;
  const BackupOptions& options_;
  const Pause pause_ = [] {};
  BodyCollector bodies_;
  fs::path folder_;
  Manifest manifest_;
  Summary summary_;
  StoredBodies stored_;
  std::optional<ScratchFolder> scratch_;
};

void Maker::verify_it() {
  say("verifying");
  const auto start = Stopwatch::now();
  auto backup = open_backup(folder_, summary_.name, keys_);
  const auto restored =
      engine_ == Engine::sqlite
          ? restore_sqlite_scratch(scratch_->path())
          : restore_postgres_scratch(options_.scratch_url.empty() ? url_ : std::string_view(options_.scratch_url));
  fill_and_compare(backup, *restored, pause_);
  const auto names = read_bodies(folder_, backup.manifest);
  require_bodies(repository_, names);
  summary_.verify_ms = ms_since(start);
  summary_.verified_at = options_.clock ? options_.clock->now() : SystemClock().now();
  write_summary(folder_, summary_);
}

}  // namespace

Summary create(std::string_view url, const fs::path& dir, const Keys& keys, const BackupOptions& options) {
  start_sodium();
  const auto engine = sql::engine_of(url);
  const auto database = identity_of(url);
  const auto repository = Repository::open_or_make(dir);
  const auto lock = repository.lock();
  const auto now = options.clock ? options.clock->now() : SystemClock().now();
  try {
    refuse_mixture(repository, to_string(engine), database);
    auto made = run_gently(options.niceness, [&] { return Maker(url, repository, keys, options).make(now, database); });
    if (made.verified_at) record_success(url, made);
    return made;
  } catch (const Error& error) {
    record_failure(url, error.client_message());
    throw;
  }
}

}  // namespace quarry::backup
