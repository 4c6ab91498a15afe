/// SQLite: a user, a job, an artifact by id, and a value of the cache, each beside the same statement stepped in C.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/raw/raw_rows.h"
#include "bench/support/scratch.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/cache/cache.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/jobs/submit.hpp"

namespace quarry::bench {
namespace {

constexpr std::size_t rows = 2'000;

/// One database that all of them read.
struct Stored {
  Scratch scratch{Engine::sqlite};
  UserId user;
  std::vector<JobId> jobs;
  std::vector<ArtifactId> artifacts;
  std::vector<std::string> keys;

  Stored() {
    artifacts::FileBlobStore blobs(scratch.path("blobs"), artifacts::FileBlobStoreOptions{.durable = false});
    const std::string body = "a page";
    const auto blob = blobs.put(std::as_bytes(std::span(body)));
    scratch.db().write([&](Write& tx) {
      user = accounts::ensure_local_user(tx);
      for (std::size_t i = 0; i < rows; ++i) {
        jobs.push_back(
            jobs::submit(tx, {.user_id = user, .title = fmt::format("Job number {}", i), .keywords = {"lithium"}}).id);
        artifacts.push_back(artifacts::put_artifact(tx, {.user_id = user,
                                                         .job_id = jobs.back(),
                                                         .source_url = fmt::format("http://example.org/{}", i),
                                                         .title = "A page about lithium",
                                                         .content_text = "lithium",
                                                         .blob = blob}));
        keys.push_back(fmt::format("rates:{}", i));
        cache::set(tx, keys.back(), "a value of some forty characters, no more", {});
      }
    });
  }
  std::string path() const { return scratch.url().substr(7); }
};
Stored& stored() {
  static Stored made;
  return made;
}

template <class Key>
void raw(benchmark::State& state, const char* sql, const std::vector<Key>& keys) {
  auto* reader = raw_reader_open(stored().path().c_str(), sql);
  std::size_t i = 0;
  for (auto _ : state) {
    const auto& key = keys[++i * 7919 % keys.size()];
    std::int64_t bytes = 0;
    if constexpr (std::is_same_v<Key, std::string>)
      bytes = raw_reader_find_text(reader, key.data(), static_cast<int>(key.size()));
    else
      bytes = raw_reader_find_blob(reader, key.value.bytes.data(), 16);
    if (bytes < 0) state.SkipWithError("missing row");
    benchmark::DoNotOptimize(bytes);
  }
  raw_reader_close(reader);
}

template <class Key, class Get>
void ours(benchmark::State& state, const std::vector<Key>& keys, Get get) {
  auto& db = stored().scratch.db();
  std::size_t i = 0;
  for (auto _ : state) {
    const auto& key = keys[++i * 7919 % keys.size()];
    auto row = db.read([&](Read& tx) { return get(tx, key); });
    if (!row) state.SkipWithError("missing row");
    benchmark::DoNotOptimize(row);
  }
}

std::vector<UserId> users() { return {stored().user}; }

void user_raw(benchmark::State& state) {
  raw(state,
      "select id, username, email, google_id, full_name, role, is_active, is_verified, last_login, created_at, updated_at, "
      "deleted_at"
      " from users where id = ?",
      users());
}
BENCHMARK(user_raw)->Name("sqlite_get_user/raw");
void user_quarry(benchmark::State& state) {
  ours(state, users(), [](Read& tx, UserId id) { return accounts::find_user(tx, id); });
}
BENCHMARK(user_quarry)->Name("sqlite_get_user/quarry");

void job_raw(benchmark::State& state) {
  raw(state,
      "select id, user_id, job_type, title, description, keywords, expanded_keywords, config, schema_version, status, "
      "priority,"
      " progress, total_items, processed_items, failed_items, results_count, open_tasks, bytes_fetched, depends_on_job_id,"
      " search_id, scraper_name, error_message, cancel_requested_at, is_paused, scheduled_at, started_at, completed_at,"
      " created_at, updated_at from scraping_jobs where id = ? and deleted_at is null",
      stored().jobs);
}
BENCHMARK(job_raw)->Name("sqlite_get_job/raw");
void job_quarry(benchmark::State& state) {
  ours(state, stored().jobs, [](Read& tx, JobId id) { return jobs::find(tx, id); });
}
BENCHMARK(job_quarry)->Name("sqlite_get_job/quarry");

void artifact_raw(benchmark::State& state) {
  raw(state,
      "select id, user_id, job_id, artifact_type, source_url, title, description, content_hash, blob_hash, file_size, "
      "mime_type,"
      " keywords, tags, is_public, http_status, fetched_at, created_at, updated_at, deleted_at from artifacts where id = ?",
      stored().artifacts);
}
BENCHMARK(artifact_raw)->Name("sqlite_get_artifact/raw");
void artifact_quarry(benchmark::State& state) {
  ours(state, stored().artifacts, [](Read& tx, ArtifactId id) { return artifacts::find(tx, id); });
}
BENCHMARK(artifact_quarry)->Name("sqlite_get_artifact/quarry");

void cache_raw(benchmark::State& state) {
  raw(state, "select value, expires_at from cache where key = ? and (expires_at is null or expires_at > 1)", stored().keys);
}
BENCHMARK(cache_raw)->Name("sqlite_cache_get/raw");
void cache_quarry(benchmark::State& state) {
  ours(state, stored().keys, [](Read& tx, const std::string& key) { return cache::get(tx, key); });
}
BENCHMARK(cache_quarry)->Name("sqlite_cache_get/quarry");

/// No match: the bar is a rate.
void cache_memory(benchmark::State& state) {
  cache::Cache cache(stored().scratch.db(), {.max_stale = std::chrono::hours(1)});
  const auto& keys = stored().keys;
  for (const auto& key : keys) cache.get(key);
  std::size_t i = 0;
  for (auto _ : state) {
    auto value = cache.get(keys[++i * 7919 % keys.size()]);
    if (!value) state.SkipWithError("missing value");
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(cache_memory)->Name("cache_hit_in_memory");

}  // namespace
}  // namespace quarry::bench
