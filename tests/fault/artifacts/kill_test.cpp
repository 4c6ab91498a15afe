/// kill -9 at every system call between the first byte of a body and the answer to the commit, and at every one of a
/// collection: the rows never refer to a body that is not there, and a round of pages is there whole or not at all.

#include <gtest/gtest.h>

#include <cstdlib>

#include "conformance/artifacts/artifacts_test.hpp"
#include "fault/artifacts/traced_process.hpp"
#include "quarry/artifacts/fsck.hpp"

namespace quarry::test {
namespace {

class KilledWriter : public MigratedEngines {
 protected:
  void SetUp() override {
    user_ = make_user(db(), "ada");
    job_ = make_job(db(), user_);
    std::filesystem::create_directory(folder());
  }
  std::filesystem::path folder() { return database().folder() / "blobs"; }
  /// Real time, as the killed program's.
  FileBlobStore store() { return FileBlobStore(folder(), {.create = false}); }

  Traced kill_put(int at, const std::string& round) {
    return kill_at_system_call(QUARRY_FAULT_WRITER,
                               {"put", database().url(), folder().string(), to_string(user_), to_string(job_), round}, at);
  }
  Traced kill_collect(int at) {
    return kill_at_system_call(QUARRY_FAULT_WRITER, {"collect", database().url(), folder().string()}, at);
  }
  void expect_sound(int at) {
    auto blobs = store();
    const auto found = check_store(db(), blobs, {.deep = true});
    EXPECT_TRUE(found.is_sound) << "killed at call " << at << ": missing " << found.missing << ", damaged " << found.damaged
                                << ", wrong counts " << found.wrong_ref_counts;
  }
  std::int64_t pages_of(const std::string& round) {
    return db().read([&](Read& tx) { return count(tx, {.keyword = "round" + round}); });
  }
  std::size_t files() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) count += entry.is_regular_file();
    return count;
  }
  std::size_t bodies_in_use() {
    std::set<std::optional<BlobHash>> hashes;
    for (PageRequest request{.limit = 1000};;) {
      const auto page = db().read([&](Read& tx) { return list(tx, {.job_id = job_}, request); });
      for (const auto& artifact : page.rows) hashes.insert(artifact.blob_hash);
      if (!page.next) return hashes.size();
      request.after = *page.next;
    }
  }
  static int step() { return std::getenv("QUARRY_TEST_LONG") ? 1 : 3; }

  UserId user_;
  JobId job_;
};
QUARRY_BOTH_ENGINES(KilledWriter);

TEST_P(KilledWriter, LeavesAllOfARoundOrNothingOfIt) {
  ASSERT_TRUE(kill_put(1'000'000, "warm").finished);
  int whole = 0, at = 1;
  for (;; at += step()) {
    const auto round = std::to_string(at);
    const auto traced = kill_put(at, round);
    if (!traced.can_trace) GTEST_SKIP() << "this process may not trace another";
    if (traced.finished) break;
    const auto pages = pages_of(round);
    EXPECT_TRUE(pages == 0 || pages == 3) << "killed at call " << at << ": " << pages << " pages";
    whole += pages == 3;
    expect_sound(at);
    ASSERT_LT(at, 2000);
  }
  EXPECT_GT(at, 30) << "so few calls cannot be a put and a commit";
  EXPECT_LT(whole, at / step());
  // What the dead have left is garbage, and the collector takes all of it.
  auto blobs = store();
  const auto taken = collect_garbage(db(), blobs, {.grace = std::chrono::microseconds(0)});
  EXPECT_GT(taken.stray_files + taken.abandoned_files, 0);
  expect_sound(at);
  EXPECT_EQ(files(), bodies_in_use());
}

TEST_P(KilledWriter, ACollectorLeavesWhatIsInUseAndFinishesNextTime) {
  for (int round = 0; round < 3; ++round) ASSERT_TRUE(kill_put(1'000'000, std::to_string(round)).finished);
  const auto stored = db().read([&](Read& tx) { return list(tx, {.job_id = job_}, {.limit = 1000}); });
  ASSERT_EQ(stored.rows.size(), 9u);
  const auto live = database().open({.clock = std::make_shared<SystemClock>()});
  const auto purge_now = [&](ArtifactId id) { live.write([&](Write& tx) { purge(tx, user_, id); }); };
  // Rounds 0 and 1 go; the body that all rounds share stays in use.
  for (const auto& artifact : stored.rows)
    if (artifact.title != "2") purge_now(artifact.id);
  const auto make_garbage = [&] {
    auto blobs = store();
    blobs.put(as_body("without a row"));
    NewArtifact made;
    made.user_id = user_;
    made.blob = blobs.put(as_body("with a row"));
    purge_now(live.write([&](Write& tx) { return put_artifact(tx, made); }));
    write_file(folder() / "tmp/left.1.1", "half");
  };
  int at = 1;
  for (;; at += 2 * step()) {
    make_garbage();
    const auto traced = kill_collect(at);
    if (!traced.can_trace) GTEST_SKIP() << "this process may not trace another";
    expect_sound(at);
    EXPECT_EQ(pages_of("2"), 3);
    if (traced.finished) break;
    ASSERT_LT(at, 100'000);
    // Rows go first, call by call; the long walk over the files is sampled.
    if (at > 60) at += at / 5;
  }
  EXPECT_GT(at, 20);
  EXPECT_EQ(files(), 3u);
}

}  // namespace
}  // namespace quarry::test
