/// PostgreSQL's half of the promise: whatever statement runs for a user, with the stores or without them, touches nothing of
/// another user's. Walks every table of the schema, so that a new one without policies fails.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/describe.hpp>
#include <set>

#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

/// Tables that belong to nobody, or to all: no tenant has rows of their own there.
const std::set<std::string> shared_tables{"blobs",
                                          "cache",
                                          "hosts",
                                          "queue_counts",
                                          "queues",
                                          "rate_limits",
                                          "schema_migration_log",
                                          "schema_migrations",
                                          "subscription_plans",
                                          "system_config",
                                          "webhook_events"};

/// One row of each tenant table, of the user `$U` and with `$N`, a number of their own; in an order that the foreign keys
/// like.
constexpr std::string_view one_of_each = R"sql(
insert into users (id, username, email, google_id) values ('$U', 'user$N', 'user$N@example.org', 'g$N');
insert into user_sessions (id, user_id, token_hash, expires_at) values (gen_random_uuid(), '$U', 'hash$N', now());
insert into api_keys (id, user_id, key_name, key_id, key_hash, key_prefix) values (gen_random_uuid(), '$U', 'k', 'id$N', 'h', 'qry');
insert into searches (id, user_id, query) values ('00000000-0000-7000-8000-00000000010$N', '$U', 'q');
insert into scraping_jobs (id, user_id, job_type, title) values ('00000000-0000-7000-8000-00000000020$N', '$U', 'crawl', 't');
insert into search_results (id, search_id, user_id, source, url)
  values (gen_random_uuid(), '00000000-0000-7000-8000-00000000010$N', '$U', 's', 'http://h/');
insert into job_configurations (id, job_id, user_id, config_key)
  values (gen_random_uuid(), '00000000-0000-7000-8000-00000000020$N', '$U', 'k');
insert into job_logs (job_id, user_id, message) values ('00000000-0000-7000-8000-00000000020$N', '$U', 'm');
insert into schedules (id, user_id, name, cron, queue) values (gen_random_uuid(), '$U', 's', '* * * * *', 'crawl');
insert into queues (id, name) values (1$N, 'queue$N');
insert into task_queue (id, queue_id, user_id, job_id, scheduled_at, rank)
  values (100$N, 1$N, '$U', '00000000-0000-7000-8000-00000000020$N', now(), 1);
insert into task_attempts (task_id, attempt, lease_token, outcome, ended_at) values (100$N, 1, 1, 'failed', now());
insert into artifacts (id, user_id, artifact_type, content_hash)
  values ('00000000-0000-7000-8000-00000000030$N', '$U', 'pdf', repeat('0', 64));
insert into metadata_tags (id, artifact_id, user_id, tag_type, tag_key)
  values (gen_random_uuid(), '00000000-0000-7000-8000-00000000030$N', '$U', 't', 'k');
insert into content_extractions (id, artifact_id, user_id, extraction_type)
  values (gen_random_uuid(), '00000000-0000-7000-8000-00000000030$N', '$U', 't');
insert into api_rate_limits (id, user_id, endpoint, window_start) values (gen_random_uuid(), '$U', 'e', now());
insert into user_subscriptions (id, user_id, plan_id, status, current_period_start, current_period_end, anchor_day)
  values (gen_random_uuid(), '$U', 'free', 'active', now(), now() + interval '1 day', 1);
insert into usage_periods (user_id, period_start, period_end) values ('$U', '2026-03-01', '2026-04-01');
insert into usage_events (id, event_id, user_id, kind, units, period_start, payload_hash)
  values (gen_random_uuid(), 'e$N', '$U', 'grant', 1, '2026-03-01', decode(repeat('00', 32), 'hex'));
insert into usage_analytics (id, user_id, date) values (gen_random_uuid(), '$U', '2026-03-01');
insert into audit_logs (id, user_id, action, chain_seq, hash)
  values (gen_random_uuid(), '$U', 'a', 1, decode(repeat('00', 32), 'hex'));
)sql";

struct TenantTable {
  std::string name;
  bool row_security = false;
  bool force_row_security = false;
};
BOOST_DESCRIBE_STRUCT(TenantTable, (), (name, row_security, force_row_security))

constexpr sql::Query<TenantTable()> all_tables{
    "test.tables",
    "select relname::text as name, relrowsecurity as row_security, relforcerowsecurity as force_row_security from pg_class"
    " where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition order by "
    "relname"};

class RowSecurity : public testing::Test {
 protected:
  RowSecurity() {
    db().write([&](Write& tx) {
      for (const auto& [user, number] : {std::pair{ada_, "1"}, std::pair{bob_, "2"}}) {
        std::string script(one_of_each);
        const auto fill = [&](std::string_view hole, const std::string& with) {
          for (std::size_t at = 0; (at = script.find(hole, at)) != std::string::npos;) script.replace(at, hole.size(), with);
        };
        fill("$U", to_string(user));
        fill("$N", number);
        tx.session().run_script("test.seed", script);
      }
    });
  }

  Database& db() { return database_.db(); }
  std::vector<std::string> tenant_tables() {
    std::vector<std::string> names;
    for (const auto& table : db().read([](Read& tx) { return tx.all(all_tables); }))
      if (!shared_tables.contains(table.name)) names.push_back(table.name);
    return names;
  }
  /// Runs `sql` for the actor. The rows that it touched or gave, or -1 when the engine refused it; nothing stays.
  std::int64_t rows(const Actor& actor, const std::string& sql) {
    struct Undo {};
    std::int64_t rows = 0;
    try {
      db().write({.actor = actor}, [&](Write& tx) {
        const sql::Statement statement{"test.tenant", sql, sql, false};
        sql::OpenCursor cursor(tx.session().execute(statement, {}));
        while (cursor->step()) ++rows;
        rows = std::max(rows, cursor->affected_rows());
        throw Undo{};
      });
    } catch (const Undo&) {
    } catch (const Error& error) {
      EXPECT_EQ(error.sqlstate(), "42501") << sql << ": " << error.engine_message();
      return -1;
    }
    return rows;
  }
  /// Which rows are Bob's.
  static std::string of_bob(const std::string& table) {
    if (table == "users") return fmt::format("id = '{}'", to_string(bob_));
    if (table == "task_attempts") return "task_id = 1002";
    return fmt::format("user_id = '{}'", to_string(bob_));
  }

  static inline const UserId ada_{parse_uuid("00000000-0000-7000-8000-000000000001")};
  static inline const UserId bob_{parse_uuid("00000000-0000-7000-8000-000000000002")};
  TestDatabase database_{Engine::postgres, head()};
};

TEST_F(RowSecurity, EveryTableIsSharedOrForced) {
  for (const auto& table : db().read([](Read& tx) { return tx.all(all_tables); })) {
    if (shared_tables.contains(table.name)) continue;
    EXPECT_TRUE(table.row_security && table.force_row_security)
        << table.name
        << " has no row-level security: write its policies into schema/postgres.sql, or name it among the shared";
  }
}

TEST_F(RowSecurity, NobodySeesOrTouchesWhatIsNotTheirs) {
  const auto ada = Actor::user(ada_);
  for (const auto& table : tenant_tables()) {
    EXPECT_EQ(rows(ada, "select 1 from " + table), 1) << table << ": her own row, and no other";
    EXPECT_EQ(rows(ada, fmt::format("select 1 from {} where {}", table, of_bob(table))), 0) << table;
    const std::string column = table == "users" ? "id" : table == "task_attempts" ? "task_id" : "user_id";
    EXPECT_LE(rows(ada, fmt::format("update {0} set {1} = {1} where {2}", table, column, of_bob(table))), 0) << table;
    EXPECT_LE(rows(ada, fmt::format("delete from {} where {}", table, of_bob(table))), 0) << table;
    EXPECT_EQ(rows(Actor::system(), "select 1 from " + table), 2) << table << ": the system sees both";
    EXPECT_EQ(rows(Actor::admin(ada_), "select 1 from " + table), 2) << table << ": so does an admin";
  }
}

TEST_F(RowSecurity, NobodyPutsInOrGivesAwayWhatIsNotTheirs) {
  const auto ada = Actor::user(ada_);
  for (const auto& table : tenant_tables()) {
    const auto columns = db().read([&](Read& tx) {
      const std::string text =
          "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
          " where attrelid = '" +
          table + "'::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
      return tx.value(sql::Query<std::string()>("test.columns", text));
    });
    // Bob's row once more, handed to Ada as JSON: the policy must refuse it before any constraint does.
    const auto row = db().read([&](Read& tx) {
      const std::string text = fmt::format("select to_jsonb(t)::text from {} t where {}", table, of_bob(table));
      return tx.value(sql::Query<std::string()>("test.row", text));
    });
    EXPECT_EQ(rows(ada, fmt::format("insert into {0} ({1}) select {1} from jsonb_populate_record(null::{0}, $j${2}$j$)",
                                    table, columns, row)),
              -1)
        << table;
    if (table == "users" || table == "task_attempts") continue;
    EXPECT_EQ(rows(ada, fmt::format("update {} set user_id = '{}'", table, to_string(bob_))), -1) << table;
  }
}

TEST_F(RowSecurity, WhatBelongsToNobodyIsClosedWhereItNeedNotBeOpen) {
  const auto ada = Actor::user(ada_);
  for (const auto* table : {"cache", "rate_limits", "system_config", "webhook_events", "schema_migration_log"})
    EXPECT_EQ(rows(ada, std::string("select 1 from ") + table), -1) << table;
  for (const auto* table : {"users", "scraping_jobs", "audit_logs", "usage_events"})
    EXPECT_EQ(rows(ada, std::string("truncate ") + table), -1) << table;
  EXPECT_EQ(rows(ada, "delete from queues"), -1);
  EXPECT_EQ(rows(ada, "create table mine (a int)"), -1);
}

TEST_F(RowSecurity, TheActorEndsWithTheTransaction) {
  EXPECT_EQ(rows(Actor::user(ada_), "select 1 from users"), 1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(rows(Actor::system(), "select 1 from users"), 2);
    EXPECT_EQ(rows(Actor::user(bob_), "select 1 from users where username = 'user1'"), 0);
  }
  const UserId nobody{parse_uuid("00000000-0000-7000-8000-000000000009")};
  EXPECT_EQ(rows(Actor::user(nobody), "select 1 from users"), 0);
}

/// Who connects without being a member of quarry_system, even as a member of quarry_tenant, and names nobody.
TEST_F(RowSecurity, WithoutAnActorThereIsNothing) {
  db().write([&](Write& tx) {
    tx.session().run_script("test.role", "set local role quarry_tenant");
    EXPECT_EQ(tx.value(sql::Query<std::int64_t()>{"test.count", "select count(*) from users"}), 0);
  });
}

}  // namespace
}  // namespace quarry::test
