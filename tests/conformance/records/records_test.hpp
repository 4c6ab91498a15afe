#pragma once
/// What is written into the audit log by whom, in short words.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "quarry/accounts/users.hpp"
#include "quarry/core/error.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/audit_verify.hpp"
#include "quarry/system/settings.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

class Records : public MigratedEngines {
 protected:
  void TearDown() override {
    const auto report = db().read([](Read& tx) { return system::verify_audit(tx); });
    EXPECT_TRUE(report.intact()) << report.breaks.at(0).message;
  }

  UserId make_user(const std::string& name, accounts::Role role = accounts::Role::user) {
    return db().write([&](Write& tx) {
      return accounts::create_user(tx,
                                   {.username = name, .email = name + "@example.org", .password_hash = "!", .role = role})
          .id;
    });
  }
  template <class F>
  auto as(const Actor& actor, F&& body) {
    return db().write({.actor = actor}, std::forward<F>(body));
  }
  template <class F>
  auto as(UserId user, F&& body) {
    return as(Actor::user(user), std::forward<F>(body));
  }
  template <class F>
  auto write(F&& body) {
    return db().write(std::forward<F>(body));
  }

  /// The newest last.
  std::vector<system::AuditEntry> entries() {
    return db().read([](Read& tx) { return system::list_audit(tx, {}, {.limit = 1000}, store::Direction::ascending).rows; });
  }
  std::vector<std::string> actions() {
    std::vector<std::string> names;
    for (const auto& entry : entries()) names.push_back(entry.action);
    return names;
  }
  /// Forgets what was written so far.
  std::vector<std::string> actions_since(std::size_t begin) {
    auto all = actions();
    return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.end()};
  }
  system::AuditEntry last() { return entries().back(); }
  std::string details() { return system::canonical_json(last().details.value().text); }
  void switch_off() {
    write([](Write& tx) {
      system::set(tx, {.key = "enable_audit_logging", .type = system::SettingType::boolean, .value = "false"});
    });
  }
};

}  // namespace quarry::test
