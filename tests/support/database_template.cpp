#include "support/database_template.hpp"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "support/postgres_admin.hpp"
#include "support/private_cluster.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

/// An advisory lock that all test programs agree on: 'test' in ASCII.
constexpr const char* kLock = "select pg_advisory_lock(1952805748)";

/// The folder of a template's file, made at its first use.
const TempDir& sqlite_folder(const DatabaseTemplate& made_by) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<TempDir>> folders;
  const std::scoped_lock lock(mutex);
  auto& folder = folders[made_by.key];
  if (!folder) {
    auto fresh = std::make_unique<TempDir>("template");
    Database db = Database::open("sqlite:" + (*fresh / "template.db").string());
    made_by.fill(db);
    folder = std::move(fresh);
  }
  return *folder;
}

}  // namespace

void copy_sqlite_template(const DatabaseTemplate& made_by, const std::filesystem::path& target) {
  const TempDir& folder = sqlite_folder(made_by);
  std::filesystem::copy_file(folder / "template.db", target);
  // The log, if closing has left one, holds what is not yet in the file.
  if (std::filesystem::exists(folder / "template.db-wal"))
    std::filesystem::copy_file(folder / "template.db-wal", target.string() + "-wal");
}

void copy_postgres_template(const DatabaseTemplate& made_by, const std::string& name) {
  const std::string made = "quarry_template_" + made_by.key;
  {
    AdminConnection admin(PrivateCluster::shared_url());
    admin.run(kLock);  // until the connection ends
    if (admin.run("select 1 from pg_database where datname = '" + made + "'").empty()) {
      const std::string unfinished = "quarry_unfinished_" + made_by.key;
      admin.run("drop database if exists " + unfinished + " with (force)");
      admin.run("create database " + unfinished);
      {
        Database db = Database::open(url_of_database(PrivateCluster::shared_url(), unfinished));
        made_by.fill(db);
      }
      admin.run("alter database " + unfinished + " rename to " + made);
    }
  }
  // Copying files is several times as fast as writing a log of them when nothing is synced.
  run_as_admin("create database " + name + " template " + made + " strategy file_copy");
}

}  // namespace quarry::test
