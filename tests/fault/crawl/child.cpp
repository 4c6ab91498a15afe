/// One crawl in a process of its own, for others to kill: `crawl-child DATABASE BLOBS URL`. Goes on with what a former one
/// left.

#include <cstdio>

#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/crawl/worker.hpp"
#include "quarry/jobs/find.hpp"

int main(int argc, char** argv) {
  using namespace quarry;
  if (argc != 4) return 64;
  try {
    auto db = Database::open(argv[1]);
    artifacts::FileBlobStore blobs(argv[2]);
    auto config =
        crawl::parse_job_config(R"({"fields": {"title": {"type": "text", "selector": "title"}}, "follow": {"maxDepth": 1000},
                                              "request": {"delayMs": 0}})");
    config.target_url = crawl::Url::parse(argv[3]);
    const auto job = db.write([&](Write& tx) {
      return crawl::start_crawl(
                 tx, {.user_id = accounts::ensure_local_user(tx), .config = config, .politeness = {.delay_ms = 0}})
          .job.id;
    });
    crawl::WorkerOptions options;
    options.fetcher.allow_private = true;
    options.politeness.delay_ms = 0;
    options.commit_max = 8;  // many transactions to be killed in
    options.finished = [&] { return !jobs::is_open(db.read([&](Read& tx) { return jobs::get(tx, job).status; })); };
    crawl::Worker(db, blobs, options).run({});
  } catch (const Error& error) {
    std::fprintf(stderr, "%s (%s) %s\n", error.what(), error.query_name().c_str(), error.engine_message().c_str());
    return 1;
  }
  return 0;
}
