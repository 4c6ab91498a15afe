#include "conformance/schema/live_drifts.hpp"

namespace quarry::schema::test {
namespace {

/// A constraint by the same name and another definition.
std::string redefined(const std::string& table, const std::string& constraint, const std::string& definition) {
  return "alter table " + table + " drop constraint " + constraint + "; alter table " + table + " add constraint " +
         constraint + " " + definition;
}

std::vector<LiveDrift> tables_and_columns_of_postgres() {
  return {
      {"table_dropped", "drop table cache", "table cache is missing"},
      {"table_added", "create table notes (id bigint)", "table notes is extra"},
      {"table_renamed", "alter table webhook_events rename to webhook_inbox", "table webhook_events is missing", 2},
      {"table_unlogged", "alter table cache set unlogged", "persistence is unlogged, should be not set"},
      {"table_options", "alter table task_queue reset (fillfactor)", "table task_queue is changed: options"},
      {"table_replica_identity", "alter table users replica identity full", "replica identity is full"},
      {"column_dropped", "alter table hosts drop column robots_txt", "column hosts.robots_txt is missing"},
      {"column_added", "alter table users add column nickname text", "column users.nickname is extra"},
      {"column_renamed", "alter table users rename column last_login to seen", "column users.last_login is missing", 4},
      {"type_changed", "alter table task_queue alter column worker type varchar(100)",
       "type is character varying(100), should be text"},
      {"type_widened", "alter table hosts alter column robots_status type bigint", "type is bigint, should be integer"},
      {"type_no_longer_an_enum",
       "alter table job_logs alter column level drop default, alter column level type text, alter column level set default "
       "'info'",
       "type is text, should be log_level"},
      {"default_changed", "alter table task_queue alter column max_retries set default 30", "default is 30, should be 3"},
      {"default_dropped", "alter table users alter column created_at drop default", "default is not set, should be now()"},
      {"default_added", "alter table users alter column full_name set default ''", "default is ''::text, should be not set"},
      {"not_null_dropped", "alter table users alter column email drop not null", "not null is not set, should be yes"},
      {"not_null_added", "alter table webhook_events alter column processed_at set not null",
       "not null is yes, should be not set"},
      {"identity_always", "alter table job_logs alter column id set generated always", "identity is always"},
      {"identity_dropped", "alter table job_logs alter column id drop identity",
       "identity is not set, should be by default"},
      {"identity_step", "alter table task_attempts alter column id set increment by 5",
       "sequence is start 1 increment 5 minvalue 1"},
      {"collation_changed", "alter table hosts alter column host_key type text collate \"C\"", "collation is \"C\""},
      {"storage_changed", "alter table artifacts alter column content_text set storage external", "storage is external"},
      {"generated_no_more", "alter table hosts alter column due_at drop expression", "column hosts.due_at is changed"},
  };
}

std::vector<LiveDrift> keys_and_checks() {
  const std::string fk = "foreign key (user_id) references users (id) ";
  const std::string sessions_fk = "user_sessions_user_id_fkey";
  return {
      {"primary_key_dropped", "alter table cache drop constraint cache_pkey", "constraint cache.cache_pkey is missing"},
      {"unique_dropped", "alter table queues drop constraint queues_name_key",
       "constraint queues.queues_name_key is missing"},
      {"unique_added", "alter table hosts add constraint one_due unique (due_at, id)", "constraint hosts.one_due is extra"},
      {"foreign_key_dropped", "alter table user_sessions drop constraint user_sessions_user_id_fkey",
       "constraint user_sessions.user_sessions_user_id_fkey is missing"},
      {"foreign_key_action", redefined("user_sessions", sessions_fk, fk + "on delete set null"), "ON DELETE SET NULL"},
      {"foreign_key_update_action", redefined("user_sessions", sessions_fk, fk + "on update cascade on delete cascade"),
       "ON UPDATE CASCADE"},
      {"foreign_key_deferred",
       "alter table user_sessions alter constraint user_sessions_user_id_fkey deferrable initially deferred",
       "DEFERRABLE INITIALLY DEFERRED"},
      {"foreign_key_not_valid", redefined("user_sessions", sessions_fk, fk + "on delete cascade not valid"),
       "constraint user_sessions.user_sessions_user_id_fkey is invalid"},
      {"foreign_key_not_enforced", "alter table user_sessions disable trigger all",
       "enforced is no, its triggers are off, should be not set"},
      {"foreign_key_not_enforced_from_the_other_side", "alter table subscription_plans disable trigger all",
       "constraint user_subscriptions.user_subscriptions_plan_id_fkey is changed: enforced is no", 2},
      {"check_dropped", "alter table users drop constraint users_have_a_credential",
       "constraint users.users_have_a_credential is missing"},
      {"check_changed", redefined("task_queue", "task_queue_priority_check", "check (priority between 1 and 100)"),
       "constraint task_queue.task_queue_priority_check is changed"},
      {"check_added", "alter table users add constraint no_gmail check (email not like '%@gmail.com')",
       "constraint users.no_gmail is extra"},
      {"check_not_valid",
       redefined("users", "users_have_a_credential",
                 "check (hashed_password is not null or google_id is not null) not valid"),
       "constraint users.users_have_a_credential is invalid"},
      {"key_with_an_invalid_index", "update pg_index set indisvalid = false where indexrelid = 'queues_name_key'::regclass",
       "enforced is no, its index is invalid, should be not set"},
  };
}

std::vector<LiveDrift> indexes_and_types() {
  return {
      {"index_dropped", "drop index idx_task_queue_ready", "index task_queue.idx_task_queue_ready is missing"},
      {"index_added", "create index own on users (full_name)", "index users.own is extra"},
      {"index_columns", "drop index idx_job_logs_job_id; create index idx_job_logs_job_id on job_logs (job_id)",
       "index job_logs.idx_job_logs_job_id is changed"},
      {"index_method", "drop index idx_users_role; create index idx_users_role on users using hash (role)", "USING hash"},
      {"index_predicate", "drop index idx_task_queue_lease; create index idx_task_queue_lease on task_queue (lease_until)",
       "index task_queue.idx_task_queue_lease is changed"},
      {"index_not_unique",
       "drop index idx_users_email; create index idx_users_email on users (lower(email)) where deleted_at is null",
       "index users.idx_users_email is changed"},
      {"index_operators",
       "drop index idx_audit_logs_details; create index idx_audit_logs_details on audit_logs using gin (details "
       "jsonb_path_ops)",
       "index audit_logs.idx_audit_logs_details is changed"},
      {"index_more_columns", "drop index idx_users_role; create index idx_users_role on users (role) include (email)",
       "INCLUDE (email)"},
      {"index_options", "alter index idx_users_role set (fillfactor = 50)", "fillfactor"},
      {"index_invalid", "update pg_index set indisvalid = false where indexrelid = 'idx_users_role'::regclass",
       "index users.idx_users_role is invalid"},
      {"index_of_partitions_incomplete",
       "drop index idx_audit_logs_action; create index idx_audit_logs_action on only audit_logs (action, chain_seq)",
       "index audit_logs.idx_audit_logs_action is invalid"},
      {"enum_value_added", "alter type user_role add value 'root'", "enum user_role is changed"},
      {"enum_value_renamed", "alter type overlap_policy rename value 'allow' to 'permit'", "enum overlap_policy is changed"},
      {"enum_added", "create type mood as enum ('ok')", "enum mood is extra"},
      {"domain_added", "create domain short as text check (length(value) < 9)", "domain short is extra"},
      {"sequence_added", "create sequence numbers", "sequence numbers is extra"},
      {"view_added", "create view admins as select * from users where role = 'admin'", "view admins is extra"},
  };
}

std::vector<LiveDrift> code() {
  const std::string returns_anything = "language plpgsql as $$ begin return new; end $$";
  return {
      {"trigger_dropped", "drop trigger audit_logs_append_only on audit_logs",
       "trigger audit_logs.audit_logs_append_only is missing"},
      {"trigger_disabled", "alter table usage_events disable trigger usage_events_append_only",
       "trigger usage_events.usage_events_append_only is changed: state is disable, should be enable"},
      {"trigger_of_totals_disabled", "alter table scraping_jobs disable trigger scraping_jobs_total_update",
       "trigger scraping_jobs.scraping_jobs_total_update is changed: state is disable, should be enable"},
      {"trigger_disabled_on_a_partition", "alter table audit_logs_default disable trigger audit_logs_append_only",
       "otherwise on is audit_logs_default"},
      {"trigger_for_replicas_only", "alter table users enable replica trigger update_users_updated_at",
       "state is enable replica"},
      {"trigger_changed",
       "drop trigger update_users_updated_at on users; create trigger update_users_updated_at before update on users for "
       "each row execute function update_updated_at_column()",
       "trigger users.update_users_updated_at is changed"},
      {"trigger_added", "create trigger spy after insert on users for each row execute function update_updated_at_column()",
       "trigger users.spy is extra"},
      {"rule_added", "create rule quiet as on delete to users do instead nothing", "rule users.quiet is extra"},
      {"function_body", "create or replace function keep_usage_events() returns trigger " + returns_anything,
       "function keep_usage_events() is changed"},
      {"function_dropped", "drop function quarry_audit_head()", "function quarry_audit_head() is missing"},
      {"function_added", "create function one() returns integer language sql as 'select 1'", "function one() is extra"},
      {"function_with_its_callers_rights", "alter function quarry_audit_head() security invoker",
       "function quarry_audit_head() is changed"},
      {"function_volatility", "alter function quarry_actor() volatile", "function quarry_actor() is changed"},
      {"function_settings", "alter function keep_audit_logs() set search_path = pg_temp",
       "function keep_audit_logs() is changed"},
      {"function_of_another_owner", "alter function quarry_audit_head() owner to quarry_system", "owner is quarry_system",
       2},
  };
}

std::vector<LiveDrift> rights() {
  return {
      {"row_security_off", "alter table users disable row level security", "row security is not set, should be yes"},
      {"row_security_not_forced", "alter table users no force row level security",
       "force row security is not set, should be yes"},
      {"policy_dropped", "drop policy users_tenant on users", "policy users.users_tenant is missing"},
      {"policy_open", "alter policy users_tenant on users using (true)", "policy users.users_tenant is changed"},
      {"policy_for_everybody", "alter policy users_tenant on users to public", "policy users.users_tenant is changed"},
      {"policy_without_check",
       "drop policy api_keys_tenant on api_keys; create policy api_keys_tenant on api_keys to quarry_tenant using (user_id "
       "= "
       "(select quarry_actor()))",
       "policy api_keys.api_keys_tenant is changed"},
      {"policy_added", "create policy everyone on api_keys using (true)", "policy api_keys.everyone is extra"},
      {"grant_revoked", "revoke insert on task_queue from quarry_tenant", "grant on task_queue to quarry_tenant is changed"},
      {"grant_all_revoked", "revoke all on task_queue from quarry_system",
       "grant on task_queue to quarry_system is missing"},
      {"grant_added", "grant select on webhook_events to quarry_tenant",
       "grant on webhook_events to quarry_tenant is extra"},
      {"grant_on_a_partitioned_table", "grant select on audit_logs to public", "grant on audit_logs to public is extra"},
      {"grant_revoked_on_a_partitioned_table", "revoke insert on audit_logs from quarry_tenant",
       "grant on audit_logs to quarry_tenant is changed"},
      {"grant_for_everybody", "grant select on users to public", "grant on users to public is extra"},
      {"grant_on_a_column", "grant update (role) on users to public", "grant on users (role) to public is extra"},
      {"column_opened_to_tenants", "grant update (role) on users to quarry_tenant",
       "grant on users (role) to quarry_tenant is extra"},
      {"column_closed_to_tenants", "revoke update (email) on users from quarry_tenant",
       "grant on users (email) to quarry_tenant is missing"},
      {"column_that_may_be_inserted", "grant insert (max_in_flight) on hosts to quarry_tenant",
       "grant on hosts (max_in_flight) to quarry_tenant is extra"},
      {"table_opened_over_its_columns", "grant update, delete on users to quarry_tenant",
       "grant on users to quarry_tenant is changed"},
      {"table_opened_and_columns_closed",
       "grant update on hosts to quarry_tenant; revoke update on hosts from quarry_tenant",
       "grant on hosts (pending) to quarry_tenant is missing", 3},
      {"grant_to_be_handed_on", "grant select on users to quarry_tenant with grant option", "select with grant option"},
      {"grant_of_the_owner_revoked", "revoke delete on users from current_user", "grant on users to its owner is extra"},
      {"function_for_everybody", "grant execute on function quarry_audit_head() to public",
       "grant on function quarry_audit_head() to public is extra"},
      {"function_for_nobody", "revoke execute on function quarry_actor() from public",
       "grant on function quarry_actor() to public is missing"},
      {"type_for_nobody", "revoke usage on type user_role from public", "grant on type user_role to public is missing"},
      {"schema_closed", "revoke usage on schema public from quarry_tenant, public",
       "grant on schema to quarry_tenant is missing"},
      {"schema_open_to_tenants", "grant create on schema public to quarry_tenant",
       "grant on schema to quarry_tenant is changed"},
      {"grants_for_the_future", "alter default privileges in schema public grant select on tables to public",
       "to public is extra"},
      {"table_of_another_owner", "alter table cache owner to quarry_system", "owner is quarry_system", 2},
  };
}

std::vector<LiveDrift> partitions_and_rows() {
  return {
      {"partition_dropped", "drop table audit_logs_default", "table audit_logs_default is missing"},
      {"partition_detached", "alter table audit_logs detach partition audit_logs_default",
       "partition of is not set, should be audit_logs"},
      {"month_without_row_security", "alter table audit_logs_2026_04 disable row level security",
       "table audit_logs_2026_04 is changed: row security is not set, should be yes"},
      {"month_for_everybody", "grant select on audit_logs_2026_04 to public",
       "grant on audit_logs_2026_04 to public is extra"},
      {"month_that_can_be_truncated", "drop trigger audit_logs_no_truncate on audit_logs_2026_04",
       "trigger audit_logs_2026_04.audit_logs_no_truncate is missing"},
      {"month_without_its_policy", "drop policy audit_logs_2026_04_tenant on audit_logs_2026_04",
       "policy audit_logs_2026_04.audit_logs_2026_04_tenant is missing"},
      {"month_that_can_be_changed", "alter table audit_logs_2026_04 disable trigger audit_logs_append_only",
       "otherwise on is audit_logs_2026_04"},
      {"month_by_hand",
       "create table audit_logs_2031_01 partition of audit_logs for values from ('2031-01-01') to ('2031-02-01')",
       "table audit_logs_2031_01 is changed: row security", 0},
      {"plan_deleted", "delete from subscription_plans where id = 'starter'", "row subscription_plans.starter is missing"},
      {"plans_deleted", "delete from subscription_plans where id <> 'enterprise'", "row subscription_plans.free is missing",
       3},
      {"free_plan_withdrawn", "update subscription_plans set is_active = false where id = 'free'",
       "row subscription_plans.free is changed: active is no"},
      {"table_of_plans_dropped", "drop table subscription_plans cascade", "table subscription_plans is missing", 2},
      {"several_at_once",
       "drop index idx_users_role; drop trigger audit_logs_append_only on audit_logs; drop table rate_limits; alter table "
       "users disable row level security; alter type user_role add value 'root'",
       "table rate_limits is missing", 5},
  };
}

}  // namespace

std::vector<LiveDrift> live_postgres_drifts() {
  auto all = tables_and_columns_of_postgres();
  for (const auto& more : {keys_and_checks(), indexes_and_types(), code(), rights(), partitions_and_rows()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<LiveDrift> live_role_drifts() {
  return {
      {"tenants_beyond_policies", "alter role quarry_tenant bypassrls", "role quarry_tenant is changed: bypassrls is yes"},
      {"tenants_superusers", "alter role quarry_tenant superuser", "superuser is yes"},
      {"tenants_log_in", "alter role quarry_tenant login", "login is yes"},
      {"tenants_are_the_system", "grant quarry_system to quarry_tenant", "member of is quarry_system"},
      {"tenants_read_all_data", "grant pg_read_all_data to quarry_tenant", "member of is pg_read_all_data"},
      {"tenants_make_roles", "alter role quarry_tenant createrole createdb", "createrole is yes"},
      {"system_with_settings", "alter role quarry_system set row_security = off", "settings is row_security=off"},
  };
}

}  // namespace quarry::schema::test
