#include "conformance/schema/live_drifts.hpp"
#include "quarry/schema/sql_text.hpp"

namespace quarry::schema::test {
namespace {

/// What somebody does who knows `writable_schema`: the table's text is another one, its rows stay.
std::string edit(const std::string& table, const std::string& from, const std::string& to) {
  return "pragma writable_schema = on; update sqlite_schema set sql = replace(sql, " + quoted_text(from) + ", " +
         quoted_text(to) + ") where name = " + quoted_text(table) + "; pragma writable_schema = off";
}

std::vector<LiveDrift> tables_and_columns_of_sqlite() {
  return {
      {"table_dropped", "drop table cache", "table cache is missing"},
      {"table_added", "create table notes (id integer primary key, note text) strict", "table notes is extra"},
      {"table_renamed", "alter table webhook_events rename to webhook_inbox", "table webhook_events is missing", 2},
      {"column_dropped", "alter table hosts drop column robots_txt", "column hosts.robots_txt is missing"},
      {"column_added", "alter table users add column nickname text", "column users.nickname is extra"},
      {"column_renamed", "alter table webhook_events rename column attempts to tries",
       "column webhook_events.attempts is missing", 2},
      {"type_changed", edit("task_queue", "worker              TEXT", "worker              ANY"),
       "column task_queue.worker is changed"},
      {"default_changed", edit("task_queue", "DEFAULT 3 CHECK (max_retries >= 0)", "DEFAULT 30 CHECK (max_retries >= 0)"),
       "default 30 check ( max_retries > = 0 )"},
      {"default_dropped", edit("users", "is_verified     INTEGER NOT NULL DEFAULT 0", "is_verified     INTEGER NOT NULL"),
       "column users.is_verified is changed"},
      {"default_added", edit("users", "full_name       TEXT", "full_name       TEXT DEFAULT ''"),
       "column users.full_name is changed"},
      {"not_null_dropped", edit("users", "email           TEXT NOT NULL", "email           TEXT"),
       "column users.email is changed"},
      {"not_null_added", edit("webhook_events", "processed_at        INTEGER", "processed_at        INTEGER NOT NULL"),
       "column webhook_events.processed_at is changed"},
      {"collation_added", edit("users", "full_name       TEXT", "full_name       TEXT COLLATE NOCASE"),
       "column users.full_name is changed"},
      {"generated_otherwise", edit("hosts", "max(next_at, blocked_until)", "min(next_at, blocked_until)"),
       "column hosts.due_at is changed"},
      {"no_longer_strict", edit("user_sessions", ") WITHOUT ROWID, STRICT", ") WITHOUT ROWID"),
       "options is without rowid, should be without rowid , strict"},
  };
}

std::vector<LiveDrift> rules_of_tables() {
  return {
      {"check_dropped",
       edit("users", ",\n  CONSTRAINT users_have_a_credential CHECK (hashed_password IS NOT NULL OR google_id IS NOT NULL)",
            ""),
       "constraint users.users_have_a_credential is missing"},
      {"check_of_a_column_dropped", edit("job_logs", " CHECK (level IN ('debug', 'info', 'warning', 'error'))", ""),
       "column job_logs.level is changed"},
      {"enum_value_added", edit("users", "'moderator')", "'moderator', 'root')"), "column users.role is changed"},
      {"check_changed", edit("task_queue", "CHECK (priority BETWEEN 1 AND 10)", "CHECK (priority BETWEEN 1 AND 100)"),
       "column task_queue.priority is changed"},
      {"check_added", edit("users", "deleted_at      INTEGER,", "deleted_at      INTEGER, CHECK (email LIKE '%@%'),"),
       "constraint users.check ( email like '%@%' ) is extra"},
      {"foreign_key_dropped",
       edit("user_sessions", " CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE",
            " CHECK (length(user_id) = 16)"),
       "column user_sessions.user_id is changed"},
      {"foreign_key_action",
       edit("user_sessions", "REFERENCES users (id) ON DELETE CASCADE", "REFERENCES users (id) ON DELETE SET NULL"),
       "column user_sessions.user_id is changed"},
      {"foreign_key_of_two_columns_dropped",
       edit("artifacts", ",\n  FOREIGN KEY (user_id, job_id) REFERENCES scraping_jobs (user_id, id) ON DELETE CASCADE", ""),
       "constraint artifacts.foreign key"},
      {"foreign_key_deferred",
       edit("api_keys", "REFERENCES api_keys (id) ON DELETE SET NULL",
            "REFERENCES api_keys (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED"),
       "column api_keys.replaced_by is changed"},
  };
}

std::vector<LiveDrift> indexes_and_triggers() {
  return {
      {"index_dropped", "drop index idx_task_queue_ready", "index task_queue.idx_task_queue_ready is missing"},
      {"index_added", "create index own on users (full_name)", "index users.own is extra"},
      {"index_columns", "drop index idx_job_logs_job_id; create index idx_job_logs_job_id on job_logs (job_id)",
       "index job_logs.idx_job_logs_job_id is changed"},
      {"index_predicate", "drop index idx_task_queue_lease; create index idx_task_queue_lease on task_queue (lease_until)",
       "index task_queue.idx_task_queue_lease is changed"},
      {"index_not_unique",
       "drop index idx_users_email; create index idx_users_email on users (lower(email)) where deleted_at is null",
       "index users.idx_users_email is changed"},
      {"index_expression",
       "drop index idx_users_email; create unique index idx_users_email on users (email) where deleted_at is null",
       "index users.idx_users_email is changed"},
      {"index_order", "drop index idx_users_created_at; create index idx_users_created_at on users (created_at desc, id)",
       "index users.idx_users_created_at is changed"},
      {"trigger_dropped", "drop trigger audit_logs_no_delete", "trigger audit_logs.audit_logs_no_delete is missing"},
      {"trigger_of_totals_dropped", "drop trigger scraping_jobs_total_update",
       "trigger scraping_jobs.scraping_jobs_total_update is missing"},
      {"trigger_changed",
       "drop trigger usage_events_no_delete; create trigger usage_events_no_delete before delete on usage_events when 0 "
       "begin select raise(abort, 'usage_events is append-only'); end",
       "trigger usage_events.usage_events_no_delete is changed"},
      {"trigger_added", "create trigger spy after insert on users begin delete from cache; end",
       "trigger users.spy is extra"},
      {"full_text_trigger_dropped", "drop trigger artifacts_fts_update",
       "trigger artifacts.artifacts_fts_update is missing"},
  };
}

std::vector<LiveDrift> the_rest() {
  return {
      {"view_added", "create view admins as select * from users where role = 'admin'", "view admins is extra"},
      {"full_text_dropped", "drop table artifacts_fts", "table artifacts_fts is missing"},
      {"full_text_without_stemming",
       "drop table artifacts_fts; create virtual table artifacts_fts using fts5 (title, description, content_text, "
       "content = 'artifacts', content_rowid = 'seq')",
       "table artifacts_fts is changed"},
      {"full_text_columns",
       "drop table artifacts_fts; create virtual table artifacts_fts using fts5 (title, description, content = 'artifacts', "
       "content_rowid = 'seq', tokenize = 'porter unicode61')",
       "table artifacts_fts is changed"},
      {"full_text_content_gone", "drop table artifacts_fts_data", "artifacts_fts_data"},
      {"full_text_settings_gone", "drop table artifacts_fts_config", "artifacts_fts_config"},
      {"full_text_segments_gone", "drop table artifacts_fts_idx", "artifacts_fts_idx"},
      {"plan_deleted", "delete from subscription_plans where id = 'starter'", "row subscription_plans.starter is missing"},
      {"plans_deleted", "delete from subscription_plans where id <> 'enterprise'", "row subscription_plans.free is missing",
       3},
      {"free_plan_withdrawn", "update subscription_plans set is_active = 0 where id = 'free'",
       "row subscription_plans.free is changed: active is no"},
      {"table_of_plans_dropped", "drop table subscription_plans", "table subscription_plans is missing"},
      {"several_at_once",
       "drop index idx_users_role; drop trigger artifacts_fts_insert; drop table rate_limits; " +
           edit("users", "'moderator')", "'moderator', 'root')"),
       "table rate_limits is missing", 4},
  };
}

}  // namespace

std::vector<LiveDrift> live_sqlite_drifts() {
  auto all = tables_and_columns_of_sqlite();
  for (const auto& more : {rules_of_tables(), indexes_and_triggers(), the_rest()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace quarry::schema::test
