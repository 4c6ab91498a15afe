/// A backup is made, shown, verified and restored, while others write.

#include <atomic>
#include <thread>

#include "conformance/backup/backup_test.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class BackupRoundTrip : public BackupTest {};
QUARRY_BOTH_ENGINES(BackupRoundTrip);

// SL-8
TEST_P(BackupRoundTrip, GivesTheSameDatabaseAndBodies) {
  put({"one", "two", std::string(300'000, 'x')});
  const auto made = make();
  EXPECT_TRUE(made.verified_at);
  EXPECT_EQ(made.engine, is_sqlite() ? "sqlite" : "postgresql");
  EXPECT_EQ(made.bodies, 3);
  EXPECT_EQ(made.bodies_new, 3);
  EXPECT_EQ(made.bodies_missing, 0);
  EXPECT_GT(made.rows, 5);
  ASSERT_THAT(backup::Repository::open(dir()).list(), SizeIs(1));

  const auto restored = restore();
  EXPECT_EQ(restored.name, made.name);
  EXPECT_EQ(restored.bodies, 3);
  EXPECT_FALSE(restored.checked) << "it had been compared before";
  expect_sound(other_url(), other_blobs(), 3);
}

TEST_P(BackupRoundTrip, AnotherBackupStoresOnlyNewBodies) {
  put({"one", "two"});
  make();
  put({"three"});
  const auto second = make();
  EXPECT_EQ(second.bodies, 3);
  EXPECT_EQ(second.bodies_new, 1);
  restore({.name = second.name});
  expect_sound(other_url(), other_blobs(), 3);
}

TEST_P(BackupRoundTrip, ShowsOneMomentWhileOthersWrite) {
  put({"one"});
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  // Each commit adds two artifacts, so that an odd number of them would be half a commit.
  std::thread writer([&] {
    for (int i = 0; !stop; ++i, ++written)
      db().write([&](Write& tx) {
        for (const char* which : {"a", "b"}) {
          artifacts::NewArtifact page;
          page.user_id = *user_;
          page.job_id = *job_;
          page.source_url = "https://example.org/" + std::to_string(i) + which;
          page.title = "one of two";
          page.blob = *staged_;
          artifacts::put_artifacts(tx, std::span(&page, 1));
        }
      });
  });
  while (written < 20) std::this_thread::yield();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(make().verified_at);
  stop = true;
  writer.join();
  restore();
  EXPECT_EQ(artifacts_in(Database::open(other_url(), {.create = false})) % 2, 1);
}

TEST_P(BackupRoundTrip, WithoutVerificationItIsCheckedWhenItIsRestored) {
  put({"one"});
  const auto made = make({.verify = false});
  EXPECT_FALSE(made.verified_at);
  EXPECT_EQ(code([&] { restore(); }), ErrorCode::not_found) << "the newest verified one: there is none";
  EXPECT_TRUE(restore({.name = made.name}).checked);
  expect_sound(other_url(), other_blobs(), 1);
  EXPECT_TRUE(verify(made.name).verified_at);
  EXPECT_EQ(backup::latest_verified(dir())->name, made.name);
}

TEST_P(BackupRoundTrip, AHostThatOnlyWritesVerifiesWhatItMakesAndOpensNothing) {
  put({"one"});
  const auto public_file = database().folder() / "public";
  write_file(public_file, keys().public_text());
  const auto writer = backup::Keys::from_public_key_file(public_file);
  const auto made = backup::create(database().url(), dir(), writer, {.blobs = blobs()});
  EXPECT_TRUE(made.verified_at);
  put({"two"});
  const auto second =
      backup::create(database().url(), dir(), backup::Keys::from_public_key_file(public_file), {.blobs = blobs()});
  EXPECT_EQ(second.bodies_new, 1);
  EXPECT_EQ(damage([&] { backup::restore(dir(), other_url(), writer); }), backup::Damage::wrong_key);
  restore();
  expect_sound(other_url(), other_blobs(), 2);
}

TEST_P(BackupRoundTrip, TheDatabaseKnowsOfItsBackups) {
  put({"one"});
  const auto known = [&] { return db().read([](Read& tx) { return backup::last_verified(tx); }); };
  EXPECT_FALSE(known());
  const auto made = make();
  ASSERT_TRUE(known());
  EXPECT_EQ(known()->name, made.name);
  EXPECT_EQ(known()->verified_at, made.verified_at);
  write_file(database().folder() / "no-folder", "");
  EXPECT_TRUE(code(
      [&] { make({.scratch = database().folder() / "missing", .scratch_url = "postgresql://nobody@127.0.0.1:1/none"}); }));
  EXPECT_EQ(known()->name, made.name);
  EXPECT_TRUE(known()->failed_at);
  make();
  EXPECT_FALSE(known()->failed_at);
}

TEST_P(BackupRoundTrip, ABodyThatTheStoreHasLostIsCountedAndTheRestIsKept) {
  put({"one", "two"});
  std::filesystem::remove_all(blobs());
  put({"three"});
  const auto made = make();
  EXPECT_EQ(made.bodies, 1);
  EXPECT_EQ(made.bodies_missing, 2);
}

TEST_P(BackupRoundTrip, APassphraseDoesToo) {
  put({"one"});
  const auto file = database().folder() / "passphrase";
  write_secret_file(file, "correct horse battery staple\n");
  backup::create(database().url(), dir(), backup::Keys::from_passphrase_file(file), {.blobs = blobs()});
  backup::restore(dir(), other_url(), backup::Keys::from_passphrase_file(file), {.blobs = other_blobs()});
  expect_sound(other_url(), other_blobs(), 1);
  EXPECT_EQ(damage([&] { verify(backup::latest_verified(dir())->name); }), backup::Damage::wrong_key);
  EXPECT_TRUE(backup::latest_verified(dir())) << "a wrong key says nothing of the backup";
}

}  // namespace
}  // namespace quarry::test
