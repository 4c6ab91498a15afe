#pragma once
/// What every example begins with: the database that its first argument names, with all tables.

#include <quarry/quarry.hpp>

inline quarry::Database open_example(int argc, char** argv) {
  const auto db = quarry::Database::open(argc > 1 ? argv[1] : "sqlite:example.db");
  quarry::schema::migrate_up(db, quarry::schema::MigrationSet::embedded());
  return db;
}
