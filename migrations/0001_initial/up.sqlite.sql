-- The whole schema, as schema/sqlite.sql described it when this migration was written, and the default plans.
-- The migrator's own tables are already there when the migration is applied again after its down.


-- ==========================================================================================================================
-- Shared: bookkeeping of the migrations
-- ==========================================================================================================================

-- One row per applied migration: the state of this database. A row without finished_at is a migration under way, or one that
-- died.
CREATE TABLE IF NOT EXISTS schema_migrations (
  version          INTEGER PRIMARY KEY CHECK (version >= 1),
  name             TEXT NOT NULL,
  checksum         TEXT NOT NULL,           -- SHA-256 of the up file, in hex
  kind             TEXT NOT NULL DEFAULT 'applied' CHECK (kind IN ('applied', 'baseline', 'resolved', 'inferred')),
  statement_count  INTEGER NOT NULL DEFAULT 0 CHECK (statement_count >= 0),
  applied_count    INTEGER NOT NULL DEFAULT 0 CHECK (applied_count >= 0),   -- where a killed migrator goes on
  statement_hashes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(statement_hashes) AND json_type(statement_hashes) = 'array'),
  started_at       INTEGER NOT NULL,
  finished_at      INTEGER,
  duration_us      INTEGER CHECK (duration_us >= 0),
  error_message    TEXT,
  error_sqlstate   TEXT,
  error_statement  INTEGER CHECK (error_statement >= 1),   -- which statement of the file, from 1
  tool_version     TEXT NOT NULL,
  host             TEXT NOT NULL,
  os_user          TEXT NOT NULL,
  CONSTRAINT schema_migrations_counts CHECK (applied_count <= statement_count)
) STRICT;

-- Every run of every migration, up and down, failed ones too. Only ever appended to; rolling back does not touch it.
CREATE TABLE IF NOT EXISTS schema_migration_log (
  id              INTEGER PRIMARY KEY,
  version         INTEGER NOT NULL,
  name            TEXT NOT NULL,
  direction       TEXT NOT NULL CHECK (direction IN ('up', 'down')),
  checksum        TEXT NOT NULL,
  started_at      INTEGER NOT NULL,
  finished_at     INTEGER,
  outcome         TEXT NOT NULL,
  error_message   TEXT,
  error_sqlstate  TEXT,
  error_statement INTEGER,
  tool_version    TEXT NOT NULL,
  host            TEXT NOT NULL,
  os_user         TEXT NOT NULL
) STRICT;


-- ==========================================================================================================================
-- Accounts
-- ==========================================================================================================================

-- Who may use the system, by password, by Google account, or by both. Names and addresses are unique without regard to case
-- among the users that are not deleted.
CREATE TABLE users (
  id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  username        TEXT NOT NULL CHECK (length(username) BETWEEN 1 AND 50),
  email           TEXT NOT NULL CHECK (length(email) BETWEEN 1 AND 255),
  -- PHC string (Argon2id); bcrypt of old systems is upgraded at login
  hashed_password TEXT CHECK (length(hashed_password) <= 255),
  google_id       TEXT CHECK (length(google_id) BETWEEN 1 AND 255),
  full_name       TEXT CHECK (length(full_name) <= 100),
  role            TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin', 'moderator')),
  is_active       INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  is_verified     INTEGER NOT NULL DEFAULT 0 CHECK (is_verified IN (0, 1)),
  last_login      INTEGER,
  created_at      INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at      INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  deleted_at      INTEGER,
  CONSTRAINT users_have_a_credential CHECK (hashed_password IS NOT NULL OR google_id IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX idx_users_username ON users (lower(username)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX idx_users_email ON users (lower(email)) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX idx_users_google_id ON users (google_id) WHERE deleted_at IS NULL;
-- Lists go by one of created_at, username and email, then by id, and begin anywhere: so does an index.
CREATE INDEX idx_users_role ON users (role, created_at, id);
CREATE INDEX idx_users_active ON users (is_active, created_at, id);
CREATE INDEX idx_users_created_at ON users (created_at, id);
CREATE INDEX idx_users_username_id ON users (username, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_users_email_id ON users (email, id) WHERE deleted_at IS NULL;
CREATE TRIGGER update_users_updated_at AFTER UPDATE ON users WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE users
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;

-- Logins. The token is shown once and never stored; it is valid until the earlier of its two ends, or until it is revoked.
CREATE TABLE user_sessions (
  id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id         BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  token_hash      TEXT NOT NULL CHECK (length(token_hash) BETWEEN 1 AND 255),
  expires_at      INTEGER NOT NULL,         -- absolute end
  idle_expires_at INTEGER,                  -- end unless it is used; moved forward by use
  last_seen_at    INTEGER,
  revoked_at      INTEGER,
  ip_address      TEXT,
  user_agent      TEXT,
  created_at      INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000)
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_user_sessions_user_id ON user_sessions (user_id, id);
CREATE UNIQUE INDEX idx_user_sessions_token_hash ON user_sessions (token_hash);
CREATE INDEX idx_user_sessions_expires_at ON user_sessions (expires_at);

-- Keys for programs. A key is found by its public key_id and compared by key_hash; the secret is never stored.
CREATE TABLE api_keys (
  id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id      BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  key_name     TEXT NOT NULL CHECK (length(key_name) BETWEEN 1 AND 100),
  key_id       TEXT NOT NULL CHECK (length(key_id) BETWEEN 1 AND 64),
  key_hash     TEXT NOT NULL CHECK (length(key_hash) BETWEEN 1 AND 255),   -- HMAC-SHA-256 of the secret under the pepper
  -- for people to recognise a key by; proves nothing
  key_prefix   TEXT NOT NULL CHECK (length(key_prefix) BETWEEN 1 AND 10),
  permissions  TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(permissions) AND json_type(permissions) = 'array'),   -- scopes
  is_active    INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  expires_at   INTEGER,
  last_used_at INTEGER,                     -- coarse: written at most once a minute
  revoked_at   INTEGER,
  -- rotation: the newer of two live keys
  replaced_by  BLOB CHECK (length(replaced_by) = 16) REFERENCES api_keys (id) ON DELETE SET NULL,
  created_at   INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at   INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000)
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_api_keys_user_id ON api_keys (user_id, id);
CREATE UNIQUE INDEX idx_api_keys_key_id ON api_keys (key_id);
CREATE INDEX idx_api_keys_hash ON api_keys (key_hash);
CREATE INDEX idx_api_keys_active ON api_keys (is_active);
CREATE INDEX idx_api_keys_user_active ON api_keys (user_id, is_active);
CREATE INDEX idx_api_keys_replaced_by ON api_keys (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE TRIGGER update_api_keys_updated_at AFTER UPDATE ON api_keys WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE api_keys
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;


-- ==========================================================================================================================
-- Jobs
-- ==========================================================================================================================

-- One question asked of several sources. It fans out into one scraping job per source, which name it in search_id.
CREATE TABLE searches (
  id            BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id       BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  query         TEXT NOT NULL CHECK (length(query) BETWEEN 1 AND 500),
  status        TEXT NOT NULL DEFAULT 'pending'
                CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  sources       TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(sources) AND json_type(sources) = 'array'),
  error_message TEXT,
  created_at    INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at    INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  completed_at  INTEGER
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_searches_user_id ON searches (user_id, id);
CREATE INDEX idx_searches_user_created ON searches (user_id, created_at, id);
CREATE INDEX idx_searches_status ON searches (status, created_at, id);
CREATE INDEX idx_searches_created_at ON searches (created_at, id);
CREATE INDEX idx_searches_query ON searches (query, id);
CREATE INDEX idx_searches_user_query ON searches (user_id, query, completed_at);   -- answers that are still fresh
CREATE TRIGGER update_searches_updated_at AFTER UPDATE ON searches WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE searches
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;

-- What the sources answered. A page stands once per search and source, at the position where the source ranked it; the
-- analysis comes later.
CREATE TABLE search_results (
  id                   BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  search_id            BLOB NOT NULL CHECK (length(search_id) = 16),
  user_id              BLOB NOT NULL CHECK (length(user_id) = 16),
  source               TEXT NOT NULL CHECK (length(source) BETWEEN 1 AND 50),
  title                TEXT CHECK (length(title) <= 500),
  snippet              TEXT,
  url                  TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 1000),
  position             INTEGER CHECK (position >= 0),
  place                INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(position, 2147483647)) STORED,   -- what lists go by
  scraped_at           INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  sentiment_score      REAL,
  competitor_mentioned TEXT CHECK (competitor_mentioned IS NULL OR json_valid(competitor_mentioned)),
  keywords             TEXT CHECK (keywords IS NULL OR json_valid(keywords)),
  FOREIGN KEY (user_id, search_id) REFERENCES searches (user_id, id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_search_results_search_id ON search_results (search_id, source, url);
CREATE INDEX idx_search_results_place ON search_results (search_id, place, id);

-- What a user asked for: the unit of submission, progress, cancellation and cost. Its work is the rows of task_queue that
-- carry its id. One run of a scraper for a search is a job that carries search_id and scraper_name.
-- Invariant: open_tasks is the number of its tasks that have not ended; the transaction that ends the last one ends the job.
CREATE TABLE scraping_jobs (
  id                      BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id                 BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  job_type                TEXT NOT NULL CHECK (length(job_type) BETWEEN 1 AND 50),
  title                   TEXT NOT NULL CHECK (length(title) <= 255),
  description             TEXT,
  keywords                TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(keywords) AND json_type(keywords) = 'array'),
  expanded_keywords       TEXT CHECK (expanded_keywords IS NULL OR
                            json_valid(expanded_keywords) AND json_type(expanded_keywords) = 'array'),
  config                  TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(config) AND json_type(config) = 'object'),
  schema_version          INTEGER NOT NULL DEFAULT 1 CHECK (schema_version >= 1),   -- of config
  -- Alternatives, not IN: a list of more than two builds a table of its own on every single update (3.40).
  status                  TEXT NOT NULL DEFAULT 'pending'
                          CHECK (status = 'pending' OR status = 'running' OR status = 'completed' OR status = 'failed'
                            OR status = 'cancelled'),
  priority                INTEGER NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),   -- 1 is the highest
  progress                INTEGER NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),   -- percent
  total_items             INTEGER NOT NULL DEFAULT 0 CHECK (total_items >= 0),
  processed_items         INTEGER NOT NULL DEFAULT 0 CHECK (processed_items >= 0),   -- tasks that succeeded
  failed_items            INTEGER NOT NULL DEFAULT 0 CHECK (failed_items >= 0),
  results_count           INTEGER NOT NULL DEFAULT 0 CHECK (results_count >= 0),
  open_tasks              INTEGER NOT NULL DEFAULT 0 CHECK (open_tasks >= 0),   -- kept by the queue
  bytes_fetched           INTEGER NOT NULL DEFAULT 0 CHECK (bytes_fetched >= 0),
  -- whole units: minutes of run time
  compute_units_estimated INTEGER NOT NULL DEFAULT 0 CHECK (compute_units_estimated >= 0),
  compute_units_consumed  INTEGER NOT NULL DEFAULT 0 CHECK (compute_units_consumed >= 0),
  search_id               BLOB CHECK (length(search_id) = 16),
  scraper_name            TEXT CHECK (length(scraper_name) BETWEEN 1 AND 50),
  -- starts when that one has completed
  depends_on_job_id       BLOB CHECK (length(depends_on_job_id) = 16) REFERENCES scraping_jobs (id) ON DELETE SET NULL,
  attempt                 INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1),   -- its runs: one more with each retry of an ended job
  error_message           TEXT,
  cancel_requested_at     INTEGER,
  is_paused               INTEGER NOT NULL DEFAULT 0 CHECK (is_paused IN (0, 1)),
  scheduled_at            INTEGER,
  started_at              INTEGER,
  completed_at            INTEGER,
  created_at              INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at              INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  deleted_at              INTEGER,
  FOREIGN KEY (user_id, search_id) REFERENCES searches (user_id, id) ON DELETE CASCADE,
  CONSTRAINT scraping_jobs_not_their_own_cause CHECK (depends_on_job_id <> id)
) STRICT;
CREATE UNIQUE INDEX idx_scraping_jobs_user_id ON scraping_jobs (user_id, id);
-- Lists go by created_at, priority or title, then by id, and begin anywhere. None goes by updated_at: it moves with every task.
CREATE INDEX idx_scraping_jobs_user_created ON scraping_jobs (user_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_scraping_jobs_user_status ON scraping_jobs (user_id, status, created_at, id);
CREATE INDEX idx_scraping_jobs_status ON scraping_jobs (status, created_at, id);
CREATE INDEX idx_scraping_jobs_type ON scraping_jobs (job_type, created_at, id);
CREATE INDEX idx_scraping_jobs_priority ON scraping_jobs (priority, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_scraping_jobs_title ON scraping_jobs (title, id) WHERE deleted_at IS NULL;
CREATE INDEX idx_scraping_jobs_created_at ON scraping_jobs (created_at, id);
CREATE INDEX idx_scraping_jobs_search_id ON scraping_jobs (search_id) WHERE search_id IS NOT NULL;
CREATE INDEX idx_scraping_jobs_depends_on_job_id ON scraping_jobs (depends_on_job_id) WHERE depends_on_job_id IS NOT NULL;
CREATE TRIGGER update_scraping_jobs_updated_at AFTER UPDATE ON scraping_jobs WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE scraping_jobs
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;

-- A search is processing while jobs of it are open, and ends with the last of them; one of them that is tried again opens it
-- again. A search that was cancelled stays so. Whoever moves the job, the search moves in the same transaction.
CREATE TRIGGER scraping_jobs_move_their_search AFTER UPDATE OF status ON scraping_jobs
WHEN NEW.search_id IS NOT NULL AND NEW.status <> OLD.status
BEGIN
  UPDATE searches
  SET status = 'processing', error_message = NULL, completed_at = NULL, updated_at = NEW.updated_at
  WHERE id = NEW.search_id AND status IN ('pending', 'completed', 'failed')
    AND EXISTS (SELECT 1 FROM scraping_jobs WHERE search_id = NEW.search_id AND status IN ('pending', 'running'));
  UPDATE searches
  SET status = CASE
        WHEN EXISTS (SELECT 1 FROM scraping_jobs WHERE search_id = NEW.search_id AND status = 'completed') THEN 'completed'
        WHEN EXISTS (SELECT 1 FROM scraping_jobs WHERE search_id = NEW.search_id AND status = 'failed') THEN 'failed'
        ELSE 'cancelled' END,
      error_message = CASE
        WHEN NOT EXISTS (SELECT 1 FROM scraping_jobs WHERE search_id = NEW.search_id AND status = 'completed')
          AND EXISTS (SELECT 1 FROM scraping_jobs WHERE search_id = NEW.search_id AND status = 'failed')
        THEN 'no source could be asked: see the logs of its jobs' END,
      completed_at = coalesce(NEW.completed_at, NEW.updated_at), updated_at = NEW.updated_at
  WHERE id = NEW.search_id AND status IN ('pending', 'processing')
    AND NOT EXISTS (SELECT 1 FROM scraping_jobs WHERE search_id = NEW.search_id AND status IN ('pending', 'running'));
END;

-- What jobs.statistics says, without reading the jobs: how many a user has in each status, deleted ones left out, and what
-- those that do not run add up to. Kept by triggers, so whatever changes a job changes its totals in the same transaction.
-- The figures of a running job move with every page and are its own until it ends: whoever wants them all adds those of the
-- jobs that run. PostgreSQL spreads its writers over shards; there is one writer here, and one shard.
CREATE TABLE job_totals (
  user_id   BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  status    TEXT NOT NULL CHECK (status = 'pending' OR status = 'running' OR status = 'completed' OR status = 'failed'
              OR status = 'cancelled'),
  shard     INTEGER NOT NULL CHECK (shard >= 0),
  jobs      INTEGER NOT NULL,
  items     INTEGER NOT NULL,
  processed INTEGER NOT NULL,
  failed    INTEGER NOT NULL,
  results   INTEGER NOT NULL,
  bytes     INTEGER NOT NULL,
  PRIMARY KEY (user_id, status, shard)
) WITHOUT ROWID, STRICT;
CREATE TRIGGER scraping_jobs_total_insert AFTER INSERT ON scraping_jobs WHEN NEW.deleted_at IS NULL
BEGIN
  INSERT INTO job_totals (user_id, status, shard, jobs, items, processed, failed, results, bytes)
  VALUES (NEW.user_id, NEW.status, 0, 1, (NEW.status <> 'running') * NEW.total_items,
          (NEW.status <> 'running') * NEW.processed_items, (NEW.status <> 'running') * NEW.failed_items,
          (NEW.status <> 'running') * NEW.results_count, (NEW.status <> 'running') * NEW.bytes_fetched)
  ON CONFLICT (user_id, status, shard) DO UPDATE
  SET jobs = jobs + 1, items = items + excluded.items, processed = processed + excluded.processed,
      failed = failed + excluded.failed, results = results + excluded.results, bytes = bytes + excluded.bytes;
END;
-- In the cascade of a user's deletion the totals may have gone already.
CREATE TRIGGER scraping_jobs_total_delete AFTER DELETE ON scraping_jobs WHEN OLD.deleted_at IS NULL
BEGIN
  UPDATE job_totals
  SET jobs = jobs - 1, items = items - (OLD.status <> 'running') * OLD.total_items,
      processed = processed - (OLD.status <> 'running') * OLD.processed_items,
      failed = failed - (OLD.status <> 'running') * OLD.failed_items,
      results = results - (OLD.status <> 'running') * OLD.results_count,
      bytes = bytes - (OLD.status <> 'running') * OLD.bytes_fetched
  WHERE user_id = OLD.user_id AND status = OLD.status AND shard = 0;
END;
-- A page of a running job ends at the condition, and deleted_at has a trigger of its own, so that this one is cheap: it costs
-- by the size of what stands in it, and by the columns of OLD, of which SQLite can leave out the first 32 only.
CREATE TRIGGER scraping_jobs_total_update
AFTER UPDATE OF status, total_items, processed_items, failed_items, results_count, bytes_fetched ON scraping_jobs
WHEN NEW.status <> 'running' OR OLD.status <> 'running'
BEGIN
  INSERT INTO job_totals (user_id, status, shard, jobs, items, processed, failed, results, bytes)
  SELECT NEW.user_id, OLD.status, 0, -1, -(OLD.status <> 'running') * OLD.total_items,
         -(OLD.status <> 'running') * OLD.processed_items, -(OLD.status <> 'running') * OLD.failed_items,
         -(OLD.status <> 'running') * OLD.results_count, -(OLD.status <> 'running') * OLD.bytes_fetched
  WHERE NEW.deleted_at IS NULL
  UNION ALL
  SELECT NEW.user_id, NEW.status, 0, 1, (NEW.status <> 'running') * NEW.total_items,
         (NEW.status <> 'running') * NEW.processed_items, (NEW.status <> 'running') * NEW.failed_items,
         (NEW.status <> 'running') * NEW.results_count, (NEW.status <> 'running') * NEW.bytes_fetched
  WHERE NEW.deleted_at IS NULL
  ON CONFLICT (user_id, status, shard) DO UPDATE
  SET jobs = jobs + excluded.jobs, items = items + excluded.items, processed = processed + excluded.processed,
      failed = failed + excluded.failed, results = results + excluded.results, bytes = bytes + excluded.bytes;
END;
-- The job as it was moves; when more of it changes in the same statement, the trigger above does the rest, before or after.
CREATE TRIGGER scraping_jobs_total_move AFTER UPDATE OF user_id, deleted_at ON scraping_jobs
WHEN NEW.user_id <> OLD.user_id OR (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL)
BEGIN
  INSERT INTO job_totals (user_id, status, shard, jobs, items, processed, failed, results, bytes)
  SELECT OLD.user_id, OLD.status, 0, -1, -(OLD.status <> 'running') * OLD.total_items,
         -(OLD.status <> 'running') * OLD.processed_items, -(OLD.status <> 'running') * OLD.failed_items,
         -(OLD.status <> 'running') * OLD.results_count, -(OLD.status <> 'running') * OLD.bytes_fetched
  WHERE OLD.deleted_at IS NULL
  UNION ALL
  SELECT NEW.user_id, OLD.status, 0, 1, (OLD.status <> 'running') * OLD.total_items,
         (OLD.status <> 'running') * OLD.processed_items, (OLD.status <> 'running') * OLD.failed_items,
         (OLD.status <> 'running') * OLD.results_count, (OLD.status <> 'running') * OLD.bytes_fetched
  WHERE NEW.deleted_at IS NULL
  ON CONFLICT (user_id, status, shard) DO UPDATE
  SET jobs = jobs + excluded.jobs, items = items + excluded.items, processed = processed + excluded.processed,
      failed = failed + excluded.failed, results = results + excluded.results, bytes = bytes + excluded.bytes;
END;
-- INSERT OR REPLACE deletes the row in its way without firing the trigger of deletions, and takes the job's logs and tasks.
CREATE TRIGGER scraping_jobs_no_replace BEFORE INSERT ON scraping_jobs
WHEN EXISTS (SELECT 1 FROM scraping_jobs WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM scraping_jobs WHERE rowid = NEW.rowid)
BEGIN
  SELECT RAISE(ABORT, 'scraping_jobs has a job with this id: update it, or delete it first');
END;

-- Settings of one job beside its config, by name.
CREATE TABLE job_configurations (
  id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  job_id       BLOB NOT NULL CHECK (length(job_id) = 16),
  user_id      BLOB NOT NULL CHECK (length(user_id) = 16),
  config_key   TEXT NOT NULL CHECK (length(config_key) BETWEEN 1 AND 100),
  config_value TEXT,
  created_at   INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  FOREIGN KEY (user_id, job_id) REFERENCES scraping_jobs (user_id, id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_job_configurations_job_id ON job_configurations (job_id, config_key);
CREATE INDEX idx_job_configurations_key ON job_configurations (config_key);

-- What happened in a job, for its owner to read.
CREATE TABLE job_logs (
  id         INTEGER PRIMARY KEY,
  job_id     BLOB NOT NULL CHECK (length(job_id) = 16),
  user_id    BLOB NOT NULL CHECK (length(user_id) = 16),
  level      TEXT NOT NULL DEFAULT 'info' CHECK (level IN ('debug', 'info', 'warning', 'error')),
  message    TEXT NOT NULL,
  metadata   TEXT CHECK (metadata IS NULL OR json_valid(metadata)),
  created_at INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  FOREIGN KEY (user_id, job_id) REFERENCES scraping_jobs (user_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX idx_job_logs_job_id ON job_logs (job_id, id);
CREATE INDEX idx_job_logs_created_at ON job_logs (created_at);

-- Work that comes back by the clock (cron, UTC): a task with payload, or a whole job when job_config is given.
CREATE TABLE schedules (
  id             BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id        BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  name           TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  cron           TEXT NOT NULL CHECK (length(cron) BETWEEN 1 AND 200),
  queue          TEXT NOT NULL CHECK (length(queue) BETWEEN 1 AND 100),   -- by name: made when the first task is enqueued
  task_type      TEXT NOT NULL DEFAULT '' CHECK (length(task_type) <= 100),
  payload        TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload)),
  job_config     TEXT CHECK (job_config IS NULL OR json_valid(job_config) AND json_type(job_config) = 'object'),
  priority       INTEGER NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),
  is_enabled     INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  -- when it is due and its last run has not ended
  overlap_policy TEXT NOT NULL DEFAULT 'skip' CHECK (overlap_policy IN ('skip', 'allow')),
  -- when times passed while nobody was there to see them
  misfire_policy TEXT NOT NULL DEFAULT 'run_once' CHECK (misfire_policy IN ('skip', 'run_once', 'run_all')),
  next_run_at    INTEGER,                   -- null: never again
  last_run_at    INTEGER,
  last_job_id    BLOB CHECK (length(last_job_id) = 16) REFERENCES scraping_jobs (id) ON DELETE SET NULL,
  last_task_id   INTEGER,                   -- no foreign key: tasks go when their retention ends
  created_at     INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at     INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000)
) STRICT;
CREATE UNIQUE INDEX idx_schedules_user_name ON schedules (user_id, name);
CREATE INDEX idx_schedules_due ON schedules (next_run_at) WHERE is_enabled;
CREATE INDEX idx_schedules_last_job_id ON schedules (last_job_id) WHERE last_job_id IS NOT NULL;
CREATE TRIGGER update_schedules_updated_at AFTER UPDATE ON schedules WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE schedules
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;


-- ==========================================================================================================================
-- Queue
-- ==========================================================================================================================

-- A queue by name. Pausing one stops claims, not enqueues.
CREATE TABLE queues (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
  is_paused  INTEGER NOT NULL DEFAULT 0 CHECK (is_paused IN (0, 1)),
  created_at INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000)
) STRICT;

-- How many tasks a queue has in each status, without counting them: the sum over the shards, of which each writer takes one,
-- so that writers do not wait for each other's row. A single shard may be negative; the sum never is.
CREATE TABLE queue_counts (
  queue_id INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
  status   TEXT NOT NULL CHECK (status IN
             ('scheduled', 'pending', 'blocked', 'paused', 'processing', 'completed', 'failed', 'cancelled', 'dead')),
  shard    INTEGER NOT NULL CHECK (shard BETWEEN 0 AND 15),
  n        INTEGER NOT NULL,
  PRIMARY KEY (queue_id, status, shard)
) WITHOUT ROWID, STRICT;

-- A host that tasks name by host_id: how politely it must be treated, and when it may be asked next. due_at is null while
-- there is nothing to start there, so the index over it holds the hosts that matter and claiming never looks at the tasks of
-- the others.
-- Invariants: pending = its tasks in status 'pending', in_flight = its tasks in status 'processing'.
CREATE TABLE hosts (
  id                INTEGER PRIMARY KEY,
  host_key          TEXT NOT NULL UNIQUE CHECK (length(host_key) BETWEEN 1 AND 300),
  delay_ms          INTEGER NOT NULL DEFAULT 0 CHECK (delay_ms >= 0),   -- between two starts
  max_in_flight     INTEGER NOT NULL DEFAULT 1000000 CHECK (max_in_flight >= 1),
  in_flight         INTEGER NOT NULL DEFAULT 0 CHECK (in_flight >= 0),
  pending           INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
  next_at           INTEGER NOT NULL DEFAULT 0,   -- earliest next start, by the delay
  blocked_until     INTEGER NOT NULL DEFAULT 0,   -- by backoff, Retry-After or an operator
  backoff_count     INTEGER NOT NULL DEFAULT 0 CHECK (backoff_count >= 0),   -- in a row
  last_backoff_at   INTEGER,
  robots_txt        TEXT,
  robots_fetched_at INTEGER,
  robots_status     INTEGER,                -- HTTP status of that fetch
  created_at        INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  due_at            INTEGER GENERATED ALWAYS AS
                      (CASE WHEN pending > 0 AND in_flight < max_in_flight THEN max(next_at, blocked_until) END) STORED
) STRICT;
CREATE INDEX idx_hosts_due ON hosts (due_at) WHERE due_at IS NOT NULL;

-- The work itself. Everything that claiming, promoting, reaping and purging look for has a partial index of its own, so
-- finished rows cost them nothing. lease_token fences: it grows with every claim, and who comes with an old one is refused.
CREATE TABLE task_queue (
  id                  INTEGER PRIMARY KEY,
  queue_id            INTEGER NOT NULL REFERENCES queues (id),
  user_id             BLOB CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  job_id              BLOB CHECK (length(job_id) = 16) REFERENCES scraping_jobs (id) ON DELETE CASCADE,
  task_type           TEXT NOT NULL DEFAULT '' CHECK (length(task_type) <= 100),
  payload             TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload)),
  -- Alternatives, not IN: a list of more than two builds a table of its own on every single update (3.40).
  status              TEXT NOT NULL DEFAULT 'pending' CHECK (
                           status = 'pending'        -- may run now, if its host permits
                        OR status = 'processing'     -- leased to a worker
                        OR status = 'completed'      -- done
                        OR status = 'scheduled'      -- due later; retries wait here too
                        OR status = 'blocked'        -- waits for another job
                        OR status = 'paused'         -- held back until somebody resumes it
                        OR status = 'failed'         -- given up without (another) retry
                        OR status = 'cancelled'
                        OR status = 'dead'),         -- retries or stalls used up: the dead letters
  priority            INTEGER NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),   -- 1 is the highest
  scheduled_at        INTEGER NOT NULL,
  -- order of claiming: scheduled_at in us + (priority - 1) * aging step; waiting long enough wins
  rank                INTEGER NOT NULL,
  host_id             INTEGER REFERENCES hosts (id),
  unique_key          TEXT CHECK (length(CAST(unique_key AS BLOB)) BETWEEN 1 AND 2600),   -- what an index entry can hold
  -- the key is given free when the task ends
  unique_while_active INTEGER NOT NULL DEFAULT 0 CHECK (unique_while_active IN (0, 1)),
  lease_token         INTEGER NOT NULL DEFAULT 0,
  lease_until         INTEGER,
  worker              TEXT,
  retry_count         INTEGER NOT NULL DEFAULT 0 CHECK (retry_count >= 0),
  max_retries         INTEGER NOT NULL DEFAULT 3 CHECK (max_retries >= 0),
  -- leases that ran out: the worker died, or the task kills it
  stall_count         INTEGER NOT NULL DEFAULT 0 CHECK (stall_count >= 0),
  max_stalls          INTEGER NOT NULL DEFAULT 9 CHECK (max_stalls >= 0),
  cancel_requested    INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
  error_message       TEXT,
  result              TEXT CHECK (result IS NULL OR json_valid(result)),
  created_at          INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  started_at          INTEGER,
  completed_at        INTEGER,              -- ended, in whatever way
  CONSTRAINT task_queue_ended CHECK ((completed_at IS NOT NULL)
    = (status = 'completed' OR status = 'failed' OR status = 'cancelled' OR status = 'dead')),
  CONSTRAINT task_queue_lease CHECK ((status = 'processing') = (lease_until IS NOT NULL))
) STRICT;
CREATE INDEX idx_task_queue_ready ON task_queue (queue_id, rank, id) WHERE status = 'pending' AND host_id IS NULL;
CREATE INDEX idx_task_queue_host_ready ON task_queue (host_id, queue_id, rank, id)
  WHERE status = 'pending' AND host_id IS NOT NULL;
CREATE INDEX idx_task_queue_scheduled ON task_queue (scheduled_at) WHERE status = 'scheduled';
CREATE INDEX idx_task_queue_lease ON task_queue (lease_until) WHERE status = 'processing';
CREATE INDEX idx_task_queue_finished ON task_queue (completed_at) WHERE completed_at IS NOT NULL;
CREATE UNIQUE INDEX idx_task_queue_unique ON task_queue (queue_id, unique_key)
  WHERE unique_key IS NOT NULL AND (NOT unique_while_active OR completed_at IS NULL);
CREATE INDEX idx_task_queue_job ON task_queue (job_id, status) WHERE job_id IS NOT NULL;
CREATE INDEX idx_task_queue_user ON task_queue (user_id) WHERE user_id IS NOT NULL;

-- One row per attempt that ended otherwise than by success; the successful one is the task's own row.
CREATE TABLE task_attempts (
  id            INTEGER PRIMARY KEY,
  task_id       INTEGER NOT NULL REFERENCES task_queue (id) ON DELETE CASCADE,
  attempt       INTEGER NOT NULL CHECK (attempt >= 1),
  lease_token   INTEGER NOT NULL,
  worker        TEXT,
  outcome       TEXT NOT NULL CHECK (outcome IN ('failed', 'stalled', 'released', 'cancelled')),
  error_message TEXT,
  started_at    INTEGER,
  ended_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX idx_task_attempts_task_id ON task_attempts (task_id);


-- ==========================================================================================================================
-- Artifacts
-- ==========================================================================================================================

-- A body, stored once however often it was seen. The key is the SHA-256 of the body before compression; the bytes lie in the
-- blob store. Collected when nothing has referred to it for a while: unreferenced_since is set when ref_count falls to 0.
CREATE TABLE blobs (
  hash               BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
  size_bytes         INTEGER NOT NULL CHECK (size_bytes >= 0),
  stored_bytes       INTEGER NOT NULL CHECK (stored_bytes >= 0),
  encoding           TEXT NOT NULL DEFAULT 'none' CHECK (encoding IN ('none', 'zstd')),
  storage            TEXT NOT NULL DEFAULT 'fs' CHECK (storage IN ('fs', 's3')),
  ref_count          INTEGER NOT NULL DEFAULT 0 CHECK (ref_count >= 0),   -- artifacts that name it
  created_at         INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  unreferenced_since INTEGER
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_blobs_unreferenced_since ON blobs (unreferenced_since) WHERE unreferenced_since IS NOT NULL;

-- What was fetched or put: the facts about it and its text; the bytes are a blob. One artifact per page and job, which makes
-- storing a page twice impossible and a repeated task harmless.
CREATE TABLE artifacts (
  -- the row's number in artifacts_fts; VACUUM leaves it alone
  seq           INTEGER PRIMARY KEY,
  id            BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  job_id        BLOB CHECK (length(job_id) = 16),   -- null: put by hand
  user_id       BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  artifact_type TEXT NOT NULL
                CHECK (artifact_type IN
                  ('web_page', 'paper', 'government_doc', 'social_media', 'pdf', 'image', 'video', 'audio')),
  source_url    TEXT CHECK (length(CAST(source_url AS BLOB)) <= 2600),   -- what an index entry can hold
  title         TEXT CHECK (length(title) <= 500),
  description   TEXT,
  content_hash  TEXT NOT NULL CHECK (length(content_hash) = 64),   -- SHA-256 of the body, in hex
  blob_hash     BLOB REFERENCES blobs (hash),   -- the same in bytes, once the body is stored
  file_size     INTEGER CHECK (file_size >= 0),
  mime_type     TEXT CHECK (length(mime_type) <= 100),
  minio_path    TEXT CHECK (length(minio_path) <= 500),   -- key in the blob store; null where it follows from blob_hash
  content_text  TEXT,
  keywords      TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(keywords) AND json_type(keywords) = 'array'),
  tags          TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags) AND json_type(tags) = 'array'),
  is_public     INTEGER NOT NULL DEFAULT 0 CHECK (is_public IN (0, 1)),
  http_status   INTEGER CHECK (http_status BETWEEN 100 AND 599),
  fetched_at    INTEGER,
  created_at    INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at    INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  deleted_at    INTEGER,
  FOREIGN KEY (user_id, job_id) REFERENCES scraping_jobs (user_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX idx_artifacts_user_id ON artifacts (user_id, id);
CREATE UNIQUE INDEX idx_artifacts_job_source_url ON artifacts (job_id, source_url) WHERE deleted_at IS NULL;
CREATE INDEX idx_artifacts_job_id ON artifacts (job_id, id);
CREATE INDEX idx_artifacts_type ON artifacts (artifact_type);
CREATE INDEX idx_artifacts_content_hash ON artifacts (content_hash);
CREATE INDEX idx_artifacts_blob_hash ON artifacts (blob_hash) WHERE blob_hash IS NOT NULL;
CREATE INDEX idx_artifacts_created_at ON artifacts (created_at);

-- The full-text index over artifacts. It keeps no copy of the text, so it must be told the old words to forget them
-- ('delete'): an UPDATE or DELETE of the index itself would leave them behind.
CREATE VIRTUAL TABLE artifacts_fts USING fts5 (
  title, description, content_text, content = 'artifacts', content_rowid = 'seq', tokenize = 'porter unicode61'
);
CREATE TRIGGER artifacts_fts_insert AFTER INSERT ON artifacts
BEGIN
  INSERT INTO artifacts_fts (rowid, title, description, content_text)
  VALUES (NEW.seq, NEW.title, NEW.description, NEW.content_text);
END;
CREATE TRIGGER artifacts_fts_delete AFTER DELETE ON artifacts
BEGIN
  INSERT INTO artifacts_fts (artifacts_fts, rowid, title, description, content_text)
  VALUES ('delete', OLD.seq, OLD.title, OLD.description, OLD.content_text);
END;
CREATE TRIGGER artifacts_fts_update AFTER UPDATE OF seq, title, description, content_text ON artifacts
BEGIN
  INSERT INTO artifacts_fts (artifacts_fts, rowid, title, description, content_text)
  VALUES ('delete', OLD.seq, OLD.title, OLD.description, OLD.content_text);
  INSERT INTO artifacts_fts (rowid, title, description, content_text)
  VALUES (NEW.seq, NEW.title, NEW.description, NEW.content_text);
END;
CREATE TRIGGER update_artifacts_updated_at AFTER UPDATE ON artifacts WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE artifacts
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;

-- Free tags of an artifact: a type (keyword, user, privacy, ...), a key and a value.
CREATE TABLE metadata_tags (
  id          BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  artifact_id BLOB NOT NULL CHECK (length(artifact_id) = 16),
  user_id     BLOB NOT NULL CHECK (length(user_id) = 16),
  tag_type    TEXT NOT NULL CHECK (length(tag_type) BETWEEN 1 AND 50),
  tag_key     TEXT NOT NULL CHECK (length(tag_key) BETWEEN 1 AND 100),
  tag_value   TEXT,
  created_at  INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  FOREIGN KEY (user_id, artifact_id) REFERENCES artifacts (user_id, id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_metadata_tags_artifact_id ON metadata_tags (artifact_id);
CREATE INDEX idx_metadata_tags_type_key ON metadata_tags (tag_type, tag_key);

-- What was drawn out of an artifact: the fields of a job's config, links, an analysis.
CREATE TABLE content_extractions (
  id               BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  artifact_id      BLOB NOT NULL CHECK (length(artifact_id) = 16),
  user_id          BLOB NOT NULL CHECK (length(user_id) = 16),
  extraction_type  TEXT NOT NULL CHECK (length(extraction_type) BETWEEN 1 AND 50),
  extracted_data   TEXT CHECK (extracted_data IS NULL OR json_valid(extracted_data)),
  confidence_score REAL CHECK (confidence_score BETWEEN 0 AND 1),
  created_at       INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  FOREIGN KEY (user_id, artifact_id) REFERENCES artifacts (user_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX idx_content_extractions_artifact_id ON content_extractions (artifact_id);
CREATE INDEX idx_content_extractions_type ON content_extractions (extraction_type);


-- ==========================================================================================================================
-- Cache
-- ==========================================================================================================================

-- Values that may be forgotten. What has expired is absent, whether it has been removed yet or not.
CREATE TABLE cache (
  key          TEXT NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
  value        TEXT NOT NULL,
  expires_at   INTEGER,                     -- null: only by eviction
  size_bytes   INTEGER NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),   -- counts against the byte budget
  hit_count    INTEGER NOT NULL DEFAULT 0 CHECK (hit_count >= 0),
  -- coarse; the oldest goes first
  last_used_at INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  created_at   INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000)
) STRICT;
CREATE INDEX idx_cache_expires ON cache (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX idx_cache_last_used_at ON cache (last_used_at, size_bytes);   -- the budget is summed over it


-- ==========================================================================================================================
-- Limits
-- ==========================================================================================================================

-- API calls per user and endpoint, by GCRA: tat, the theoretical arrival time, is the whole state of the limit. The counter
-- and its window are for people to look at.
CREATE TABLE api_rate_limits (
  id            BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id       BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  endpoint      TEXT NOT NULL CHECK (length(endpoint) BETWEEN 1 AND 100),
  request_count INTEGER NOT NULL DEFAULT 0 CHECK (request_count >= 0),
  window_start  INTEGER NOT NULL,
  tat           INTEGER,
  created_at    INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000)
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_api_rate_limits_user_endpoint ON api_rate_limits (user_id, endpoint);
CREATE INDEX idx_api_rate_limits_window ON api_rate_limits (window_start);

-- The same for scrapers, by name.
CREATE TABLE rate_limits (
  id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  scraper_name    TEXT NOT NULL CHECK (length(scraper_name) BETWEEN 1 AND 50),
  last_request_at INTEGER,
  request_count   INTEGER NOT NULL DEFAULT 0 CHECK (request_count >= 0),
  reset_at        INTEGER,
  tat             INTEGER
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_rate_limits_scraper ON rate_limits (scraper_name);


-- ==========================================================================================================================
-- Billing
-- ==========================================================================================================================

-- What can be subscribed to. The first migration inserts free, starter, professional and enterprise.
CREATE TABLE subscription_plans (
  id                      TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 50),
  name                    TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  compute_units_per_month INTEGER NOT NULL CHECK (compute_units_per_month >= 0),   -- whole units: minutes of run time
  max_concurrent_tasks    INTEGER NOT NULL CHECK (max_concurrent_tasks >= 1),
  price_cents             INTEGER NOT NULL CHECK (price_cents >= 0),
  provider_variant_id     TEXT UNIQUE CHECK (length(provider_variant_id) BETWEEN 1 AND 100),   -- null: not for sale
  is_active               INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  created_at              INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at              INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000)
) WITHOUT ROWID, STRICT;
CREATE TRIGGER update_subscription_plans_updated_at AFTER UPDATE ON subscription_plans WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE subscription_plans
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;

-- A user's subscription as the payment provider last described it. Cancelled ones keep their plan until ends_at. Older news
-- than provider_updated_at is ignored.
CREATE TABLE user_subscriptions (
  id                       BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id                  BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  plan_id                  TEXT NOT NULL REFERENCES subscription_plans (id),
  provider                 TEXT NOT NULL DEFAULT 'lemonsqueezy' CHECK (length(provider) BETWEEN 1 AND 50),
  provider_subscription_id TEXT CHECK (length(provider_subscription_id) BETWEEN 1 AND 100),   -- null: given, not sold
  provider_customer_id     TEXT CHECK (length(provider_customer_id) BETWEEN 1 AND 100),
  status                   TEXT NOT NULL
                           CHECK (status IN ('on_trial', 'active', 'paused', 'past_due', 'unpaid', 'cancelled', 'expired')),
  current_period_start     INTEGER NOT NULL,
  current_period_end       INTEGER NOT NULL,
  cancel_at_period_end     INTEGER NOT NULL DEFAULT 0 CHECK (cancel_at_period_end IN (0, 1)),
  trial_ends_at            INTEGER,
  renews_at                INTEGER,
  ends_at                  INTEGER,
  -- periods begin on it, or on the month's last day
  anchor_day               INTEGER NOT NULL CHECK (anchor_day BETWEEN 1 AND 31),
  provider_updated_at      INTEGER,
  created_at               INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at               INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  CONSTRAINT user_subscriptions_period CHECK (current_period_end > current_period_start)
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_user_subscriptions_user_id ON user_subscriptions (user_id);
CREATE INDEX idx_user_subscriptions_plan_id ON user_subscriptions (plan_id);
CREATE UNIQUE INDEX idx_user_subscriptions_provider_subscription_id ON user_subscriptions (provider_subscription_id);
CREATE TRIGGER update_user_subscriptions_updated_at AFTER UPDATE ON user_subscriptions WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE user_subscriptions
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;

-- The balance of a user in one period [period_start, period_end), in micro-units. It equals the sum over usage_events, and
-- is changed in the statement that writes the event.
CREATE TABLE usage_periods (
  user_id      BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  period_start INTEGER NOT NULL,
  period_end   INTEGER NOT NULL,
  granted      INTEGER NOT NULL DEFAULT 0,
  used         INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
  reserved     INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  created_at   INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at   INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  PRIMARY KEY (user_id, period_start),
  CONSTRAINT usage_periods_period CHECK (period_end > period_start)
) WITHOUT ROWID, STRICT;
CREATE TRIGGER update_usage_periods_updated_at AFTER UPDATE ON usage_periods WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE usage_periods
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE user_id = NEW.user_id AND period_start = NEW.period_start;
END;

-- The ledger of compute units: only appended to. The same event_id with the same content is the same event, and counts once;
-- with another, it is a conflict. Rows go only with their user.
CREATE TABLE usage_events (
  id             BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  event_id       TEXT NOT NULL UNIQUE CHECK (length(event_id) BETWEEN 1 AND 255),
  user_id        BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  kind           TEXT NOT NULL CHECK (kind IN ('grant', 'reserve', 'settle', 'release', 'expire', 'adjust')),
  units          INTEGER NOT NULL,          -- micro-units; only an adjustment may be negative
  period_start   INTEGER NOT NULL,
  -- the reserve event that a settle, release or expire ends, once
  reservation_id BLOB CHECK (length(reservation_id) = 16) REFERENCES usage_events (id),
  job_id         BLOB CHECK (length(job_id) = 16),   -- no foreign keys: the ledger outlives jobs and tasks
  task_id        INTEGER,
  payload_hash   BLOB NOT NULL CHECK (length(payload_hash) = 32),   -- SHA-256 of all other columns
  created_at     INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  FOREIGN KEY (user_id, period_start) REFERENCES usage_periods (user_id, period_start),
  CONSTRAINT usage_events_sign CHECK (units >= 0 OR kind = 'adjust')
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_usage_events_user_period ON usage_events (user_id, period_start, id);
CREATE UNIQUE INDEX idx_usage_events_reservation_id ON usage_events (reservation_id) WHERE reservation_id IS NOT NULL;
CREATE INDEX idx_usage_events_job_id ON usage_events (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX idx_usage_events_task_id ON usage_events (task_id) WHERE task_id IS NOT NULL;

-- The cascade of a user's deletion comes when the user is already gone.
CREATE TRIGGER usage_events_no_update BEFORE UPDATE ON usage_events
BEGIN
  SELECT RAISE(ABORT, 'usage_events is append-only');
END;
CREATE TRIGGER usage_events_no_delete BEFORE DELETE ON usage_events WHEN EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id)
BEGIN
  SELECT RAISE(ABORT, 'usage_events is append-only');
END;
-- INSERT OR REPLACE deletes the row in its way without firing the trigger before.
CREATE TRIGGER usage_events_no_replace BEFORE INSERT ON usage_events
WHEN EXISTS (SELECT 1 FROM usage_events WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM usage_events WHERE event_id = NEW.event_id)
  OR EXISTS (SELECT 1 FROM usage_events WHERE reservation_id = NEW.reservation_id)
BEGIN
  SELECT RAISE(ABORT, 'usage_events is append-only: it has an event with this id');
END;

-- One row per user and day (UTC), for charts and invoices to show.
CREATE TABLE usage_analytics (
  id                 BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id            BLOB NOT NULL CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE CASCADE,
  date               TEXT NOT NULL CHECK (date IS date(date, '+0 days')),
  tasks_executed     INTEGER NOT NULL DEFAULT 0 CHECK (tasks_executed >= 0),
  compute_units_used INTEGER NOT NULL DEFAULT 0 CHECK (compute_units_used >= 0),   -- micro-units, as in the ledger
  api_calls          INTEGER NOT NULL DEFAULT 0 CHECK (api_calls >= 0),
  created_at         INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at         INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000)
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_usage_analytics_user_date ON usage_analytics (user_id, date);
CREATE TRIGGER update_usage_analytics_updated_at AFTER UPDATE ON usage_analytics WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE usage_analytics
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;

-- The inbox of the payment provider's calls: stored first, as they came, then handled. The same body twice is one event.
CREATE TABLE webhook_events (
  id                  BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  provider            TEXT NOT NULL CHECK (length(provider) BETWEEN 1 AND 50),
  body_sha256         BLOB NOT NULL UNIQUE CHECK (length(body_sha256) = 32),
  event_name          TEXT NOT NULL CHECK (length(event_name) BETWEEN 1 AND 100),
  object_type         TEXT CHECK (length(object_type) <= 100),
  object_id           TEXT CHECK (length(object_id) <= 100),
  subscription_id     TEXT CHECK (length(subscription_id) <= 100),   -- whose events are applied together, in their order
  customer_id         TEXT CHECK (length(customer_id) <= 100),   -- the provider's; with the next, whose names the body holds
  checkout_user_id    BLOB CHECK (length(checkout_user_id) = 16),   -- custom_data.user_id: no foreign key, it may be anything
  provider_updated_at INTEGER,              -- orders the events of one object
  test_mode           INTEGER NOT NULL DEFAULT 0 CHECK (test_mode IN (0, 1)),
  raw_body            BLOB NOT NULL,        -- as it came, or encrypted
  key_id              TEXT CHECK (length(key_id) BETWEEN 1 AND 64),   -- of the key that the body is encrypted under
  -- parked: waits for an object that is not known yet
  status              TEXT NOT NULL DEFAULT 'received' CHECK (status IN ('received', 'processed', 'failed', 'parked')),
  attempts            INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  error_message       TEXT,
  received_at         INTEGER NOT NULL,
  processed_at        INTEGER
) STRICT;
CREATE INDEX idx_webhook_events_waiting ON webhook_events (received_at) WHERE status <> 'processed';
CREATE INDEX idx_webhook_events_object ON webhook_events (object_type, object_id, provider_updated_at);
CREATE INDEX idx_webhook_events_subscription_id ON webhook_events (subscription_id) WHERE subscription_id IS NOT NULL;


-- ==========================================================================================================================
-- System
-- ==========================================================================================================================

-- Settings of the whole system. A sensitive value is stored encrypted, under the key that key_id names.
CREATE TABLE system_config (
  id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  key          TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 100),
  value        TEXT,
  type         TEXT NOT NULL DEFAULT 'string' CHECK (type IN ('string', 'integer', 'boolean', 'json')),
  description  TEXT,
  is_sensitive INTEGER NOT NULL DEFAULT 0 CHECK (is_sensitive IN (0, 1)),
  key_id       TEXT CHECK (length(key_id) BETWEEN 1 AND 64),
  created_at   INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  updated_at   INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  CONSTRAINT system_config_encrypted
    CHECK (CASE WHEN is_sensitive THEN value IS NULL OR key_id IS NOT NULL ELSE key_id IS NULL END)
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_system_config_key ON system_config (key);
CREATE INDEX idx_system_config_key_id ON system_config (key_id) WHERE key_id IS NOT NULL;
CREATE TRIGGER update_system_config_updated_at AFTER UPDATE ON system_config WHEN NEW.updated_at IS OLD.updated_at
BEGIN
  UPDATE system_config
  SET updated_at = max(unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000, OLD.updated_at + 1)
  WHERE id = NEW.id;
END;

-- Who did what, written in the transaction that did it, and never changed: each row carries the hash of the one before.
-- user_id is no part of the hash, because it becomes null when the user is deleted; user_digest, which stays, is.
CREATE TABLE audit_logs (
  id            BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  user_id       BLOB CHECK (length(user_id) = 16) REFERENCES users (id) ON DELETE SET NULL,
  user_digest   BLOB CHECK (length(user_digest) = 32),   -- SHA-256 of the entry's id and the user's
  action        TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
  resource_type TEXT CHECK (length(resource_type) <= 50),
  resource_id   BLOB CHECK (length(resource_id) = 16),
  details       TEXT CHECK (details IS NULL OR json_valid(details)),
  ip_address    TEXT,
  user_agent    TEXT,
  chain_seq     INTEGER NOT NULL CHECK (chain_seq >= 1),   -- without gaps
  prev_hash     BLOB CHECK (length(prev_hash) = 32),
  hash          BLOB NOT NULL CHECK (length(hash) = 32),
  created_at    INTEGER NOT NULL DEFAULT (unixepoch('now') * 1000000 + substr(strftime('%f', 'now'), 4) * 1000),
  CONSTRAINT audit_logs_chained CHECK ((chain_seq = 1) = (prev_hash IS NULL))
) STRICT;
CREATE INDEX idx_audit_logs_user_id ON audit_logs (user_id, chain_seq);
CREATE INDEX idx_audit_logs_action ON audit_logs (action, chain_seq);
CREATE INDEX idx_audit_logs_created_at ON audit_logs (created_at);
CREATE INDEX idx_audit_logs_chain_seq ON audit_logs (chain_seq);

-- The SET NULL of a user's deletion comes when the user is already gone, and changes nothing else.
CREATE TRIGGER audit_logs_no_update BEFORE UPDATE ON audit_logs
WHEN NOT (NEW.user_id IS NULL AND OLD.user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id)
  AND (NEW.id, NEW.user_digest, NEW.action, NEW.resource_type, NEW.resource_id, NEW.details, NEW.ip_address, NEW.user_agent,
       NEW.chain_seq, NEW.prev_hash, NEW.hash, NEW.created_at)
    IS (OLD.id, OLD.user_digest, OLD.action, OLD.resource_type, OLD.resource_id, OLD.details, OLD.ip_address, OLD.user_agent,
        OLD.chain_seq, OLD.prev_hash, OLD.hash, OLD.created_at))
BEGIN
  SELECT RAISE(ABORT, 'audit_logs is append-only');
END;
CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs
BEGIN
  SELECT RAISE(ABORT, 'audit_logs is append-only');
END;
-- INSERT OR REPLACE deletes the row in its way without firing the trigger before.
CREATE TRIGGER audit_logs_no_replace BEFORE INSERT ON audit_logs
WHEN EXISTS (SELECT 1 FROM audit_logs WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM audit_logs WHERE rowid = NEW.rowid)
BEGIN
  SELECT RAISE(ABORT, 'audit_logs is append-only: it has an entry with this id');
END;

-- The default plans.
INSERT INTO subscription_plans (id, name, compute_units_per_month, max_concurrent_tasks, price_cents)
VALUES ('free', 'Free', 100, 1, 0),
       ('starter', 'Starter', 1000, 3, 1900),
       ('professional', 'Professional', 5000, 10, 4900),
       ('enterprise', 'Enterprise', 25000, 50, 9900);
