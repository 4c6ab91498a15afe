/// What a writer or a collector does, as a program of its own that a test kills at any system call:
///
///     artifact-fault-writer put DATABASE FOLDER USER JOB ROUND      three bodies and their artifacts, in one transaction
///     artifact-fault-writer collect DATABASE FOLDER                 garbage collection without a grace period
///
/// It stops itself when everything is open, so that the test can begin to count.

#include <csignal>
#include <cstdio>
#include <string>

#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/garbage.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "unit/artifacts/blob_bodies.hpp"

namespace quarry::test {
namespace {

using namespace artifacts;

void put_round(const Database& db, BlobStore& store, UserId user, JobId job, const std::string& round) {
  // One of them is the same in every round: it is there already, and its count goes up.
  const std::string texts[] = {easy_body(3000) + round, hard_body(2000) + round, "the same each time"};
  std::vector<std::span<const std::byte>> bodies;
  for (const auto& text : texts) bodies.push_back(as_body(text));
  const auto staged = store.put_many(bodies);
  std::vector<NewArtifact> pages(staged.size());
  for (std::size_t i = 0; i < staged.size(); ++i) {
    pages[i].user_id = user;
    pages[i].job_id = job;
    pages[i].source_url = "round " + round + " page " + std::to_string(i);
    pages[i].title = round;
    pages[i].keywords = {"round" + round};
    pages[i].blob = staged[i];
  }
  db.write([&](Write& tx) { put_artifacts(tx, pages); });
}

int run(const std::vector<std::string>& args) {
  const auto db = Database::open(args.at(1));
  db.read([](Read& tx) { tx.now(); });
  FileBlobStore store(args.at(2), {.create = false});
  std::raise(SIGSTOP);
  if (args.at(0) == "put")
    put_round(db, store, {parse_uuid(args.at(3))}, {parse_uuid(args.at(4))}, args.at(5));
  else
    collect_garbage(db, store, {.grace = std::chrono::microseconds(0), .rows_per_transaction = 2});
  return 0;
}

}  // namespace
}  // namespace quarry::test

int main(int argc, char** argv) {
  try {
    return quarry::test::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
