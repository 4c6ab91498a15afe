/// Each kind of damage to a folder of backups has its own error, and restores nothing.

#include "conformance/backup/backup_test.hpp"
#include "quarry/backup/retention.hpp"
#include "quarry/backup/sealed.hpp"

namespace quarry::test {
namespace {

using backup::Damage;

class BackupDamage : public BackupTest {
 protected:
  void SetUp() override {
    BackupTest::SetUp();
    put({"one", "two"});
    made_ = make();
  }
  std::filesystem::path part(const std::string& name) { return dir() / made_.name / name; }
  std::vector<std::filesystem::path> parts() {
    std::vector<std::filesystem::path> all{part("manifest.sealed"), part("database.sealed"), part("bodies")};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir() / "bodies"))
      if (entry.is_regular_file()) all.push_back(entry.path());
    return all;
  }
  /// Verifying and restoring must both find it, and nothing may have been restored.
  void expect(Damage what, const std::string& where) {
    EXPECT_EQ(damage([&] { restore(); }), what) << where;
    EXPECT_FALSE(other_exists()) << where;
    EXPECT_EQ(damage([&] { verify(made_.name); }), what) << where;
    EXPECT_FALSE(backup::latest_verified(dir())) << "it says that it failed";
    // As it was before.
    auto summary = read_file(part("backup.json"));
    write_file(part("backup.json"), summary_);
  }
  void remember() { summary_ = read_file(part("backup.json")); }

  backup::Summary made_;
  std::string summary_;
};
QUARRY_BOTH_ENGINES(BackupDamage);

TEST_P(BackupDamage, AFlippedBitInAnyPart) {
  remember();
  for (const auto& file : parts()) {
    const auto whole = read_file(file);
    // Each try restores twice, which takes PostgreSQL seconds; the unit tests flip every bit.
    auto places = is_sqlite() ? std::vector{std::size_t{3}, whole.size() / 3, whole.size() - 2} : std::vector<std::size_t>{};
    places.push_back(whole.size() / 2);
    for (const auto at : places) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 4);
      write_file(file, bytes);
      expect(Damage::changed, file.filename().string() + " at " + std::to_string(at));
    }
    write_file(file, whole);
  }
  verify(made_.name);
}

TEST_P(BackupDamage, ACutPart) {
  remember();
  for (const auto& file : parts()) {
    const auto whole = read_file(file);
    write_file(file, whole.substr(0, whole.size() - 20));
    expect(Damage::cut, file.filename());
    write_file(file, whole);
  }
}

TEST_P(BackupDamage, ADamagedBodyIsStoredAgainByTheNextBackup) {
  const auto body = parts().back();
  const auto whole = read_file(body);
  auto bytes = whole;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write_file(body, bytes);
  EXPECT_EQ(damage([&] { verify(made_.name); }), Damage::changed) << "it is set aside";
  EXPECT_EQ(make().bodies_new, 1);
  verify(made_.name);
  // What is not even a body needs nobody to look for it.
  std::vector<std::string> cuts{whole.substr(0, 100)};
  if (is_sqlite()) cuts.insert(cuts.end(), {std::string(), whole.substr(0, whole.size() - 1), whole + "x"});
  for (const auto& cut : cuts) {
    write_file(body, cut);
    EXPECT_EQ(make().bodies_new, 1) << cut.size();
    verify(made_.name);
  }
  EXPECT_EQ(backup::prune(dir(), {.days = 1}).bodies_removed, 1) << "what was set aside";
  EXPECT_EQ(restore().bodies, 2);
  expect_sound(other_url(), other_blobs(), 2);
}

TEST_P(BackupDamage, ASummaryThatWasLostIsMadeAgain) {
  for (const auto& text : {std::string(), std::string(100'000, ' '), std::string("[[[[")}) {
    write_file(part("backup.json"), text);
    const auto listed = backup::Repository::open(dir()).list();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_TRUE(listed[0].failure);
    EXPECT_EQ(code([&] { restore(); }), ErrorCode::corrupt) << "nobody knows what it was";
    verify(made_.name);
    const auto again = backup::latest_verified(dir());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->rows, made_.rows);
    EXPECT_EQ(again->created_at, made_.created_at);
    EXPECT_EQ(again->sealed_bytes, made_.sealed_bytes);
    EXPECT_EQ(again->bodies_digest, made_.bodies_digest);
    EXPECT_EQ(again->engine, made_.engine);
    EXPECT_EQ(again->database, made_.database);
  }
  EXPECT_EQ(backup::prune(dir(), {.days = 1}).bodies_removed, 0);
  restore();
}

TEST_P(BackupDamage, OneDamagedSummaryHidesNoOtherBackup) {
  const auto second = make();
  write_file(part("backup.json"), std::string(100'000, ' '));
  EXPECT_EQ(restore().name, second.name);
}

/// What the newest one is cannot be told, and an older one is not silently taken for it.
TEST_P(BackupDamage, ADamagedSummaryOfTheNewestBackupIsToldOf) {
  const auto newest = make();
  const auto file = dir() / newest.name / "backup.json";
  const auto whole = read_file(file);
  const auto told = [&] {
    try {
      restore();
    } catch (const backup::BackupError& error) {
      EXPECT_THAT(error.client_message(), testing::HasSubstr(newest.name));
      EXPECT_THAT(error.client_message(), testing::HasSubstr("quarry backup verify"));
      EXPECT_THAT(error.client_message(), testing::HasSubstr("--backup"));
      return std::optional(error.damage());
    }
    return std::optional<Damage>();
  };
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_file(file, bytes);
    ASSERT_EQ(told(), Damage::changed) << "at " << at << ": " << bytes;
  }
  for (const auto size : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
    write_file(file, whole.substr(0, size));
    EXPECT_EQ(told(), Damage::changed) << size;
  }
  std::filesystem::remove(file);
  EXPECT_EQ(told(), Damage::missing);
  EXPECT_FALSE(other_exists());
  restore({.name = made_.name});
  EXPECT_EQ(code([&] { restore({.replace = true}); }), ErrorCode::corrupt);
  verify(newest.name);
  EXPECT_EQ(restore({.replace = true}).name, newest.name);
}

TEST_P(BackupDamage, ABodyThatCannotBeRestoredLeavesNoOthersBehind) {
  put({"three", "four"});
  made_ = make();
  const auto staged = [&] {
    std::size_t files = 0;
    if (std::filesystem::exists(other_blobs()))
      for (const auto& entry : std::filesystem::recursive_directory_iterator(other_blobs()))
        files += entry.is_regular_file();
    return files;
  };
  const auto body = parts().back();
  const auto whole = read_file(body);
  auto bytes = whole;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write_file(body, bytes);
  EXPECT_EQ(damage([&] { restore(); }), Damage::changed);
  EXPECT_FALSE(std::filesystem::exists(other_blobs())) << "it was not there before";
  // In a store that is there, one file of a run that was killed among others.
  const auto left = other_blobs() / "tmp" / ".quarry-backup-scratch-00000001";
  std::filesystem::create_directories(left);
  write_file(left / std::string(64, 'a'), "half a body");
  write_file(other_blobs() / "tmp" / "somebody-elses", "on its way in");
  EXPECT_EQ(damage([&] { restore(); }), Damage::changed);
  EXPECT_EQ(staged(), 1U);
  EXPECT_FALSE(other_exists());
  write_file(body, whole);
  EXPECT_EQ(restore().bodies, 4);
  EXPECT_EQ(staged(), 5U);
}

TEST_P(BackupDamage, AMissingPart) {
  remember();
  for (const auto& file : parts()) {
    const auto whole = read_file(file);
    std::filesystem::remove(file);
    expect(Damage::missing, file.filename());
    write_file(file, whole);
  }
}

TEST_P(BackupDamage, PartsThatWereSwapped) {
  const auto second = make();
  made_ = second;
  remember();
  for (const auto* name : {"manifest.sealed", "database.sealed"}) {
    const auto whole = read_file(part(name));
    for (const auto& other : backup::Repository::open(dir()).list())
      if (other.name != second.name) write_file(part(name), read_file(dir() / other.name / name));
    EXPECT_EQ(damage([&] { restore({.name = second.name}); }), Damage::swapped) << name;
    EXPECT_EQ(damage([&] { verify(second.name); }), Damage::swapped) << name;
    write_file(part(name), whole);
    write_file(part("backup.json"), summary_);
  }
  const auto bodies = parts();
  ASSERT_EQ(bodies.size(), 5U);
  const auto first = read_file(bodies[3]);
  write_file(bodies[3], read_file(bodies[4]));
  EXPECT_EQ(damage([&] { restore({.name = second.name}); }), Damage::swapped);
  write_file(bodies[3], first);
  EXPECT_FALSE(other_exists());
}

TEST_P(BackupDamage, ADatabaseSealedAnewUnderTheSameNameIsNotTheOneOfTheManifest) {
  const auto file = part("database.sealed");
  std::string plain;
  {
    backup::SealedReader reader(file, keys(), backup::PartKind::database, backup::subject_of(made_.name));
    plain = backup::read_sealed(reader, 1U << 30);
  }
  std::filesystem::remove(file);
  backup::SealedWriter writer(file, keys(), {.kind = backup::PartKind::database, .subject = backup::subject_of(made_.name)});
  writer.write(plain);
  writer.finish();
  EXPECT_EQ(damage([&] { restore(); }), Damage::swapped);
  EXPECT_FALSE(other_exists());
}

TEST_P(BackupDamage, AnotherKey) {
  new_key_file(database().folder() / "other-keys");
  const auto other = backup::Keys::from_key_file(database().folder() / "other-keys");
  EXPECT_EQ(damage([&] { backup::restore(dir(), other_url(), other); }), Damage::wrong_key);
  EXPECT_FALSE(other_exists());
}

TEST_P(BackupDamage, RetentionRemovesNoBodyWhileAListIsDamaged) {
  put({"three"});
  // By the test's clock it is older than the first one, which was made by the system's.
  const auto older = make({.clock = std::shared_ptr<const Clock>(&clock(), [](const Clock*) {})});
  const auto list = read_file(part("bodies"));
  write_file(part("bodies"), "short");
  const auto pruned = backup::prune(dir(), {.days = 1});
  EXPECT_THAT(pruned.removed, testing::IsEmpty()) << "nor a backup that only this one covers";
  EXPECT_EQ(pruned.bodies_removed, 0);
  write_file(part("bodies"), list);
  const auto after = backup::prune(dir(), {.days = 1});
  EXPECT_THAT(after.removed, testing::ElementsAre(older.name));
  EXPECT_EQ(after.bodies_removed, 1);
}

}  // namespace
}  // namespace quarry::test
