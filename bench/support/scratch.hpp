#pragma once
/// Databases to measure on: durable ones, on the file system of the build folder, gone at the end.

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "quarry/sql/database.hpp"
#include "support/private_cluster.hpp"
#include "support/temp_dir.hpp"

namespace quarry::bench {

/// A durable database on either engine: SQLite with `synchronous=FULL`, PostgreSQL with fsync and `synchronous_commit=on` in
/// a private cluster.
class Scratch {
 public:
  /// `with_schema`: migrated to head; else empty.
  explicit Scratch(Engine engine, bool with_schema = true, DatabaseOptions options = {});

  Database& db() noexcept { return *db_; }
  const std::string& url() const noexcept { return url_; }
  /// Fills 1.5 GB of PostgreSQL's log and lets the server recycle it. Only a server in its first minutes makes new segments,
  /// each zeroed by the commit that needs it while the others wait.
  void grow_old();
  /// A file beside the SQLite database.
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  /// First of all: the tests' folders lie in memory, where durability costs nothing. `$TMPDIR` chooses another file system.
  struct OnDisk {
    OnDisk() { ::setenv("TMPDIR", "/var/tmp", 0); }
  } on_disk_;
  test::TempDir folder_{"bench"};
  std::unique_ptr<test::PrivateCluster> cluster_;
  std::string url_;
  std::optional<Database> db_;
};

/// Reads `sqlite` or `postgres`.
Engine parse_engine(const std::string& name);

}  // namespace quarry::bench
