/// Garbage collection and fsck: nothing in use is taken, nothing wrong is missed.

#include "quarry/artifacts/garbage.hpp"

#include <gtest/gtest.h>

#include <shared_mutex>
#include <thread>

#include "conformance/artifacts/artifacts_test.hpp"
#include "quarry/artifacts/fsck.hpp"
#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

inline constexpr sql::Command<void(BlobHash, std::int64_t)> set_ref_count{"test.set_ref_count",
                                                                          "update blobs set ref_count = $2 where hash = $1"};
inline constexpr sql::Command<void(BlobHash, Instant)> mark{"test.mark",
                                                            "update blobs set unreferenced_since = $2 where hash = $1"};

class Garbage : public ArtifactsTest {
 protected:
  GarbageResult collect(bool dry_run = false) {
    return collect_garbage(db(), blobs(), {.dry_run = dry_run, .rows_per_transaction = 3});
  }
  FsckResult check(bool deep = false, bool repair = false) {
    return check_store(db(), blobs(), {.deep = deep, .repair = repair, .rows_per_transaction = 3});
  }
  void purge_now(ArtifactId id) {
    db().write([&](Write& tx) { purge(tx, user_, id); });
  }
  void flip_a_byte(const BlobHash& hash) {
    auto bytes = read_file(blobs().path_of(hash));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
    write_file(blobs().path_of(hash), bytes);
  }
};
QUARRY_BOTH_ENGINES(Garbage);

TEST_P(Garbage, TakesWhatNobodyRefersToAfterTheGracePeriod) {
  std::vector<ArtifactId> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(put(page(std::to_string(i))));
  const auto kept = put(page("kept")), shared = put(page("shared", "body of 0"));
  for (const auto& id : ids) purge_now(id);
  EXPECT_EQ(collect().blobs, 0);
  clock().advance(2h);
  const auto dry = collect(true);
  EXPECT_EQ(dry.blobs, 7);
  EXPECT_GT(dry.blob_bytes, 0);
  EXPECT_EQ(dry.stray_files, 0);
  EXPECT_TRUE(dry.dry_run);
  EXPECT_EQ(ref_counts().size(), 9u);
  const auto taken = collect();
  EXPECT_EQ(taken.blobs, dry.blobs);
  EXPECT_EQ(taken.blob_bytes, dry.blob_bytes);
  EXPECT_EQ(taken.stray_files, 0);
  EXPECT_EQ(ref_counts().size(), 2u);
  EXPECT_TRUE(blobs().exists(*look(kept)->blob_hash));
  EXPECT_TRUE(blobs().exists(*look(shared)->blob_hash));
  EXPECT_FALSE(blobs().exists(hash_of(as_body("body of 1"))));
  EXPECT_EQ(collect().blobs, 0);
}

TEST_P(Garbage, ADeletedArtifactKeepsItsBodyUntilItIsPurged) {
  const auto id = put(page("a"));
  db().write([&](Write& tx) { soft_delete(tx, user_, id); });
  clock().advance(24h);
  EXPECT_EQ(collect().blobs, 0);
  purge_now(id);
  clock().advance(2h);
  EXPECT_EQ(collect().blobs, 1);
}

TEST_P(Garbage, TakesFilesWithoutARowOnceTheyAreOld) {
  const auto in_use = put(page("a"));
  const auto stray = blobs().put(as_body("never committed"));
  write_file(blobs().root() / "tmp/0123.1.0", "half");
  EXPECT_EQ(collect().stray_files, 0);
  clock().advance(2h);
  EXPECT_EQ(collect(true).stray_files, 1);
  const auto taken = collect();
  EXPECT_EQ(taken.stray_files, 1);
  EXPECT_EQ(taken.stray_bytes, stray.stored_bytes);
  EXPECT_FALSE(blobs().exists(stray.hash));
  EXPECT_TRUE(blobs().exists(*look(in_use)->blob_hash));
}

TEST_P(Garbage, AWrongCountCostsNoBody) {
  const auto id = put(page("a"));
  const auto hash = *look(id)->blob_hash;
  db().write([&](Write& tx) {
    tx.run(set_ref_count, hash, 0);
    tx.run(mark, hash, tx.now());
  });
  clock().advance(2h);
  EXPECT_EQ(collect().blobs, 0);
  EXPECT_TRUE(blobs().exists(hash));
  const auto found = check();
  EXPECT_EQ(found.wrong_ref_counts, 1);
  EXPECT_FALSE(found.is_sound);
  ASSERT_EQ(found.problems.size(), 1u);
  EXPECT_EQ(found.problems[0].finding, FsckFinding::wrong_ref_count);
  EXPECT_EQ(found.problems[0].blob, to_string(hash));
  const auto repaired = check(false, true);
  EXPECT_EQ(repaired.repaired, 1);
  EXPECT_TRUE(repaired.is_sound);
  EXPECT_EQ(refs(hash), 1);
}

TEST_P(Garbage, FsckCountsTooManyReferencesAsWrongToo) {
  const auto a = put(page("a")), b = put(page("b"));
  const auto hash = *look(a)->blob_hash, other = *look(b)->blob_hash;
  db().write([&](Write& tx) { tx.run(set_ref_count, hash, 7); });
  db().write([&](Write& tx) { tx.run(mark, other, tx.now()); });
  EXPECT_EQ(check().wrong_ref_counts, 2);
  EXPECT_EQ(check(false, true).repaired, 2);
  EXPECT_EQ(check().wrong_ref_counts, 0);
}

TEST_P(Garbage, ASoundStoreIsSound) {
  for (int i = 0; i < 20; ++i) put(page(std::to_string(i), "body " + std::to_string(i % 15)));
  int calls = 0;
  const auto found = check_store(db(), blobs(), {.deep = true, .progress = [&](const FsckResult&) { ++calls; }});
  EXPECT_TRUE(found.is_sound);
  EXPECT_EQ(found.blobs, 15);
  EXPECT_EQ(found.bodies_hashed, 15);
  EXPECT_GT(found.stored_bytes, 0);
  EXPECT_TRUE(found.problems.empty());
  EXPECT_GT(calls, 0);
}

TEST_P(Garbage, MissingAndDamagedBodiesAreFoundAndHealedByPuttingAgain) {
  const auto lost = page("lost", easy_body(3000)), rotten = page("rotten", hard_body(3000)),
             twin = page("twin", hard_body(3000));
  const auto id = put(lost);
  put(rotten);
  put(twin);
  put(page("whole"));
  std::filesystem::remove(blobs().path_of(lost.blob.hash));
  flip_a_byte(rotten.blob.hash);
  const auto quick = check();
  EXPECT_EQ(quick.missing, 1);
  EXPECT_EQ(quick.damaged, 0);  // the size is right, and nothing was read
  EXPECT_FALSE(quick.is_sound);
  const auto deep = check(true, true);
  EXPECT_EQ(deep.missing, 1);
  EXPECT_EQ(deep.damaged, 1);
  EXPECT_EQ(deep.lost_artifacts, 3);
  EXPECT_EQ(deep.repaired, 0);
  EXPECT_FALSE(deep.is_sound);
  EXPECT_THROW(blobs().get(*look(id)->blob_hash), Error);
  blobs().put(as_body(easy_body(3000)));
  blobs().put(as_body(hard_body(3000)));
  EXPECT_TRUE(check(true).is_sound);
}

TEST_P(Garbage, FsckGoesOnAfterABodyThatCannotBeOpened) {
  std::vector<std::filesystem::path> paths;
  for (int i = 0; i < 4; ++i) {
    const auto made = page(std::to_string(i), hard_body(1000 + static_cast<std::size_t>(i)));
    put(made);
    paths.push_back(blobs().path_of(made.blob.hash));
  }
  const auto elsewhere = paths[0].parent_path() / "elsewhere";
  std::filesystem::rename(paths[0], elsewhere);
  std::filesystem::create_symlink(elsewhere, paths[0]);
  std::filesystem::remove(paths[1]);
  std::filesystem::remove(paths[2]);
  std::filesystem::create_directory(paths[2]);
  const auto found = check();
  EXPECT_EQ(found.missing, 1);
  EXPECT_EQ(found.damaged + found.unreadable, 2);
  EXPECT_EQ(found.lost_artifacts, 3);
  EXPECT_FALSE(found.is_sound);
  EXPECT_THROW(blobs().get(parse_blob_hash(paths[0].filename().string())), Error);
  for (const auto& path : {paths[0], paths[2], elsewhere}) std::filesystem::remove(path);
  for (int i = 0; i < 4; ++i) blobs().put(as_body(hard_body(1000 + static_cast<std::size_t>(i))));
  EXPECT_TRUE(check(true).is_sound);
}

TEST_P(Garbage, ACutFileIsFoundWithoutReadingEverything) {
  const auto made = page("a", hard_body(5000));
  put(made);
  write_file(blobs().path_of(made.blob.hash), hard_body(4000));
  const auto found = check();
  EXPECT_EQ(found.damaged, 1);
  ASSERT_EQ(found.problems.size(), 1u);
  EXPECT_EQ(found.problems[0].finding, FsckFinding::damaged_body);
  blobs().put(as_body(hard_body(5000)));
}

TEST_P(Garbage, FsckRemovesOldStraysOnlyWhenItRepairs) {
  const auto stray = blobs().put(as_body("never committed"));
  EXPECT_EQ(check(false, true).stray_files, 0);
  clock().advance(2h);
  const auto found = check();
  EXPECT_EQ(found.stray_files, 1);
  EXPECT_TRUE(found.is_sound);
  EXPECT_TRUE(blobs().exists(stray.hash));
  EXPECT_EQ(check(false, true).repaired, 1);
  EXPECT_FALSE(blobs().exists(stray.hash));
}

/// Writers put, commit and purge the same few bodies while the collector runs without pause. Time leaps by more than the
/// grace period, but never between a writer's put and its commit: that is the whole contract.
TEST_P(Garbage, NeverTakesWhatAWriterHasPut) {
  std::shared_mutex time;
  std::atomic<bool> done{false};
  std::atomic<int> missing{0};
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; ++t)
    writers.emplace_back([&, t] {
      SeededRandom random(static_cast<std::uint64_t>(t) + 1);
      for (int i = 0; i < 60; ++i) {
        ArtifactId id;
        BlobHash hash;
        {
          const std::shared_lock no_leap(time);
          const auto made =
              page("w" + std::to_string(t) + "/" + std::to_string(i), "body " + std::to_string(random.below(4)));
          hash = made.blob.hash;
          id = put(made);
        }
        for (auto looks = random.below(3) + 1; looks > 0; --looks) missing += blobs().verify(hash).state != BlobState::whole;
        purge_now(id);
      }
    });
  std::thread leaper([&] {
    // Not beyond the machine's own clock, by which a file is dated until its writer has dated it.
    for (int leaps = 0; !done && leaps < 1000; ++leaps) {
      const std::unique_lock leap(time);
      clock().advance(2h);
    }
  });
  std::int64_t taken = 0;
  std::thread collector([&] {
    while (!done) {
      const auto result = collect();
      taken += result.blobs + result.stray_files;
    }
  });
  for (auto& writer : writers) writer.join();
  done = true;
  leaper.join();
  collector.join();
  EXPECT_EQ(missing, 0);
  clock().advance(2h);
  EXPECT_GT(taken + collect().blobs, 0);
  EXPECT_EQ(count_all({}), 0);
}

}  // namespace
}  // namespace quarry::test
