#include "support/migrated_database.hpp"

#include <functional>
#include <string>

#include "quarry/schema/migrator.hpp"

namespace quarry::test {
namespace {

/// The same for two builds whose migrations are the same.
std::string fingerprint(const schema::MigrationSet& set) {
  std::string checksums;
  for (const schema::Migration& migration : set.migrations())
    checksums += migration.up_sqlite.checksum + migration.up_postgres.checksum;
  return "head_" + std::to_string(std::hash<std::string>{}(checksums));
}

}  // namespace

const DatabaseTemplate& head() {
  static const DatabaseTemplate made{fingerprint(schema::MigrationSet::embedded()),
                                     [](Database& db) { schema::migrate_up(db, schema::MigrationSet::embedded()); }};
  return made;
}

}  // namespace quarry::test
