/// What PostgreSQL lets a user's own transaction write, beneath the stores and where row-level security has nothing to say:
/// columns of their own rows that say what they may do, and rows that all work has in common.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/core/error.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

class TenantRights : public testing::Test {
 protected:
  TenantRights() {
    run(Actor::system(), R"sql(
insert into users (id, username, email, google_id, is_verified)
  values ('00000000-0000-7000-8000-000000000001', 'ada', 'ada@example.org', 'g1', false),
         ('00000000-0000-7000-8000-000000000002', 'bob', 'bob@example.org', 'g2', true);
insert into queues (id, name) values (100, 'crawl');
insert into queue_counts (queue_id, status, shard, n) values (100, 'pending', 0, 1);
insert into hosts (id, host_key) values (100, 'h');
insert into blobs (hash, size_bytes, stored_bytes) values (decode(repeat('00', 32), 'hex'), 1, 1);
insert into usage_periods (user_id, period_start, period_end)
  values ('00000000-0000-7000-8000-000000000001', '2026-03-01', '2026-04-01');
insert into api_rate_limits (id, user_id, endpoint, window_start)
  values (gen_random_uuid(), '00000000-0000-7000-8000-000000000001', 'e', now());
)sql");
  }

  void run(const Actor& actor, const std::string& sql) {
    db_.db().write({.actor = actor}, [&](Write& tx) { tx.session().run_script("test.script", sql); });
  }
  /// The error's SQLSTATE; empty when the engine let it pass. Nothing stays.
  std::string outcome(const Actor& actor, const std::string& sql) {
    struct Undo {};
    try {
      db_.db().write({.actor = actor}, [&](Write& tx) {
        tx.session().run_script("test.script", sql);
        throw Undo{};
      });
    } catch (const Undo&) {
    } catch (const Error& error) {
      return error.sqlstate();
    }
    return {};
  }
  void expect_refused(const Actor& actor, const std::vector<std::string>& statements) {
    for (const auto& sql : statements) {
      EXPECT_EQ(outcome(actor, sql), "42501") << sql;
      EXPECT_EQ(outcome(Actor::system(), sql), "") << "the system may: " << sql;
    }
  }
  void expect_allowed(const Actor& actor, const std::vector<std::string>& statements) {
    for (const auto& sql : statements) EXPECT_EQ(outcome(actor, sql), "") << sql;
  }

  static inline const Actor ada_ = Actor::user({parse_uuid("00000000-0000-7000-8000-000000000001")});
  static inline const Actor bob_ = Actor::user({parse_uuid("00000000-0000-7000-8000-000000000002")});

 private:
  TestDatabase db_{Engine::postgres, head()};
};

TEST_F(TenantRights, AUserDoesNotRaiseWhatTheyAre) {
  expect_refused(ada_, {
                           "update users set role = 'admin' where username = 'ada'",
                           "update users set is_active = true where username = 'ada'",
                           "update users set is_verified = true where username = 'ada'",
                           "update users set full_name = 'Ada', is_verified = true where username = 'ada'",
                           "update users set google_id = 'another' where username = 'ada'",
                           "update users set created_at = now() where username = 'ada'",
                           "update users set id = gen_random_uuid() where username = 'bob'",
                           "insert into users (id, username, email, google_id, role)"
                           " values (gen_random_uuid(), 'eve', 'eve@example.org', 'g3', 'admin')",
                           "delete from users where username = 'bob'",
                       });
  expect_refused(bob_, {"update users set email = 'somebody@example.org' where username = 'bob'"});  // and stays verified
  EXPECT_EQ(outcome(ada_, "delete from users where username = 'ada'"), "42501") << "and comes back as somebody else";
}

TEST_F(TenantRights, AUserChangesTheirOwnWords) {
  expect_allowed(ada_, {
                           "update users set username = 'ada2', full_name = 'Ada', updated_at = now()",
                           "update users set hashed_password = '!', last_login = now()",
                           "update users set email = 'ada@example.com', is_verified = false",
                           "update users set deleted_at = now()",
                       });
  expect_allowed(bob_, {"update users set email = 'bob@example.com', is_verified = false",
                        "update users set is_verified = true, full_name = 'Bob'"});
}

TEST_F(TenantRights, AUserWhoIsDeletedDoesNotComeBackByThemself) {
  run(Actor::system(), "update users set deleted_at = now() where username = 'ada'");
  expect_refused(ada_, {"update users set deleted_at = null where username = 'ada'"});
}

TEST_F(TenantRights, WhatAllWorkHasInCommonMovesOnlyAsWorkMovesIt) {
  expect_refused(ada_, {
                           "update queues set is_paused = true",
                           "update queues set name = 'mine'",
                           "insert into queues (name, is_paused) values ('other', true)",
                           "update queue_counts set status = 'dead'",
                           "delete from queue_counts",
                           "update hosts set delay_ms = 0",
                           "update hosts set max_in_flight = 1000",
                           "update hosts set blocked_until = '2100-01-01'",
                           "update hosts set backoff_count = 0",
                           "update hosts set robots_txt = ''",
                           "update hosts set host_key = 'mine'",
                           "insert into hosts (host_key, max_in_flight) values ('other', 1)",
                           "delete from hosts",
                           "update blobs set hash = decode(repeat('11', 32), 'hex')",
                           "update blobs set size_bytes = 0",
                           "update blobs set created_at = now()",
                           "delete from blobs",
                       });
  expect_allowed(ada_, {
                           "insert into queues (name, created_at) values ('other', now())",
                           "insert into hosts (host_key, created_at) values ('other', now())",
                           "update queue_counts set n = n + 1",
                           "update hosts set pending = pending + 1, in_flight = in_flight + 1, next_at = now()",
                           "update blobs set ref_count = ref_count + 1, unreferenced_since = null, stored_bytes = 2",
                       });
}

TEST_F(TenantRights, WhatTheyHaveUsedIsNotWipedAway) {
  expect_refused(ada_, {
                           "delete from usage_periods",
                           "update usage_periods set period_end = '2027-01-01'",
                           "delete from api_rate_limits",
                           "update api_rate_limits set endpoint = 'other'",
                       });
  for (const auto* sql : {"update usage_events set units = 100", "delete from usage_events",
                          "update subscription_plans set compute_units_per_month = 1000000",
                          "update user_subscriptions set plan_id = 'enterprise'",
                          "insert into usage_analytics (id, user_id, date) values (gen_random_uuid(), "
                          "'00000000-0000-7000-8000-000000000001', '2026-03-01')"})
    EXPECT_EQ(outcome(ada_, sql), "42501") << sql;
}

}  // namespace
}  // namespace quarry::test
