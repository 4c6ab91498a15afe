-- quarry: destructive
-- Leaves an empty database and the migrator's own tables, which remember what was here.

DROP FUNCTION quarry_audit_head();
DROP TABLE audit_logs;
DROP TABLE system_config;
DROP TABLE webhook_events;
DROP TABLE usage_analytics;
DROP TABLE usage_events;
DROP TABLE usage_periods;
DROP TABLE user_subscriptions;
DROP TABLE subscription_plans;
DROP TABLE rate_limits;
DROP TABLE api_rate_limits;
DROP TABLE cache;
DROP TABLE content_extractions;
DROP TABLE metadata_tags;
DROP TABLE artifacts;
DROP TABLE blobs;
DROP TABLE task_attempts;
DROP TABLE task_queue;
DROP TABLE hosts;
DROP TABLE queue_counts;
DROP TABLE queues;
DROP TABLE schedules;
DROP TABLE job_logs;
DROP TABLE job_configurations;
DROP TABLE job_totals;
DROP TABLE scraping_jobs;
DROP TABLE search_results;
DROP TABLE searches;
DROP TABLE api_keys;
DROP TABLE user_sessions;
DROP TABLE users;

DROP FUNCTION keep_job_totals();
DROP FUNCTION add_to_job_totals(uuid, job_status, bigint, bigint, bigint, bigint, bigint, bigint);
DROP FUNCTION move_search_of_job();
DROP FUNCTION refuse_tenant();
DROP FUNCTION keep_audit_logs();
DROP FUNCTION keep_usage_events();
DROP FUNCTION artifact_search_vector(text, text, text);
DROP FUNCTION update_updated_at_column();

DROP TYPE webhook_status;
DROP TYPE usage_kind;
DROP TYPE subscription_status;
DROP TYPE artifact_type;
DROP TYPE blob_storage;
DROP TYPE blob_encoding;
DROP TYPE task_outcome;
DROP TYPE task_status;
DROP TYPE misfire_policy;
DROP TYPE overlap_policy;
DROP TYPE log_level;
DROP TYPE job_status;
DROP TYPE search_status;
DROP TYPE user_role;
DROP FUNCTION quarry_actor();
-- The roles stay: other databases of the server may use them.
