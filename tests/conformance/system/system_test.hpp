#pragma once
/// A database with two users, and short words for settings and the audit log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/audit_verify.hpp"
#include "quarry/system/settings.hpp"
#include "support/error_of.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

class SystemTest : public MigratedEngines {
 protected:
  void SetUp() override {
    ada_ = make_user("ada");
    bob_ = make_user("bob");
  }
  UserId make_user(const std::string& name) {
    return db().write([&](Write& tx) {
      const auto made = tx.new_id<UserId>();
      static constexpr sql::Command<void(UserId, std::string, std::string)> insert{
          "test.insert_user", "insert into users (id, username, email, hashed_password) values ($1, $2, $3, '!')"};
      tx.run(insert, made, name, name + "@example.org");
      return made;
    });
  }
  system::Setting set(const system::SettingChange& change, const system::KeyRing* ring = nullptr) {
    return db().write([&](Write& tx) { return system::set(tx, change, ring); });
  }
  std::optional<system::Setting> find(const std::string& key) {
    return db().read([&](Read& tx) { return system::find(tx, key); });
  }
  std::string reveal(const std::string& key, const system::KeyRing& ring) {
    return db().read([&](Read& tx) { return std::string(system::reveal(tx, key, ring).reveal()); });
  }
  system::ChainHead audit(const system::AuditNote& note, const Actor& actor = {}) {
    return db().write({.actor = actor}, [&](Write& tx) { return system::audit(tx, note); });
  }
  system::ChainReport verify(const std::optional<system::ChainHead>& expect = {}) {
    return db().read([&](Read& tx) { return system::verify_audit(tx, {.expect = expect}); });
  }
  std::optional<system::ChainHead> head() {
    return db().read([](Read& tx) { return system::audit_head(tx); });
  }
  std::vector<system::AuditEntry> entries(const system::AuditFilter& filter = {}, const Actor& actor = {}) {
    return db().read({.actor = actor}, [&](Read& tx) { return system::list_audit(tx, filter).rows; });
  }
  /// What somebody with the database in his hands does, past the library. `postgres` where it differs.
  void tamper(const std::string& sql, const std::string& postgres = {}) {
    db().write([&](Write& tx) { tx.session().run_script("test.tamper", is_sqlite() || postgres.empty() ? sql : postgres); });
  }

  UserId ada_, bob_;
};

}  // namespace quarry::test
