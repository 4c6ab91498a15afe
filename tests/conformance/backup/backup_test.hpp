#pragma once
/// A database with artifacts, a folder of backups, and places to restore to.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "conformance/artifacts/artifacts_test.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/fsck.hpp"
#include "quarry/backup/backup.hpp"
#include "quarry/backup/error.hpp"
#include "support/migrated_database.hpp"
#include "support/postgres_admin.hpp"
#include "unit/backup/backup_keys.hpp"

namespace quarry::test {

class BackupTest : public MigratedEngines {
 protected:
  void SetUp() override { new_key_file(key_file()); }
  void TearDown() override {
    if (is_postgres()) run_as_admin("drop database if exists " + other_name());
  }

  std::filesystem::path key_file() { return database().folder() / "keys"; }
  std::filesystem::path dir() { return database().folder() / "backups"; }
  std::filesystem::path blobs() { return database().folder() / "blobs"; }
  std::filesystem::path other_blobs() { return database().folder() / "other-blobs"; }
  backup::Keys keys() { return backup::Keys::from_key_file(key_file()); }

  /// Somewhere that is not there yet.
  std::string other_url() {
    if (is_sqlite()) return "sqlite:" + (database().folder() / "other.db").string();
    return url_of_database(database().url(), other_name());
  }
  std::string other_name() {
    const auto url = database().url();
    const auto path = url.substr(0, url.find('?'));
    return path.substr(path.rfind('/') + 1) + "_restored";
  }

  /// An artifact with a body of its own for each text.
  void put(const std::vector<std::string>& texts) {
    std::filesystem::create_directory(blobs());
    artifacts::FileBlobStore store(blobs(), {});
    if (!user_) {
      user_ = make_user(db(), "ada");
      job_ = make_job(db(), *user_);
    }
    for (const auto& text : texts) {
      const auto staged = store.put(std::as_bytes(std::span(text)));
      staged_ = staged;
      db().write([&](Write& tx) {
        artifacts::NewArtifact page;
        page.user_id = *user_;
        page.job_id = *job_;
        page.source_url = "https://example.org/" + std::to_string(std::hash<std::string>{}(text));
        page.title = text.substr(0, 20);
        page.blob = staged;
        artifacts::put_artifacts(tx, std::span(&page, 1));
      });
    }
  }
  static std::int64_t artifacts_in(const Database& database) {
    static constexpr sql::Query<std::int64_t()> count{"test.artifacts", "select count(*) from artifacts"};
    return database.read([](Read& tx) { return tx.value(count); });
  }
  /// Everything is there, bodies included.
  void expect_sound(const std::string& url, const std::filesystem::path& folder, std::int64_t artifacts) {
    const auto restored = Database::open(url, {.create = false});
    EXPECT_EQ(artifacts_in(restored), artifacts);
    artifacts::FileBlobStore store(folder, {.create = false});
    const auto found = artifacts::check_store(restored, store, {.deep = true});
    EXPECT_TRUE(found.is_sound) << found.missing << " missing, " << found.damaged << " damaged";
  }
  backup::Summary make(backup::BackupOptions options = {}) {
    if (!options.blobs) options.blobs = blobs();
    return backup::create(database().url(), dir(), keys(), options);
  }
  backup::Restored restore(backup::RestoreOptions options = {}) {
    if (!options.blobs) options.blobs = other_blobs();
    return backup::restore(dir(), other_url(), keys(), options);
  }
  backup::Summary verify(const std::string& name) {
    return backup::verify(dir(), name, keys(), {.scratch_url = is_postgres() ? database().url() : ""});
  }
  bool other_exists() {
    if (is_sqlite()) return std::filesystem::exists(database().folder() / "other.db");
    return run_as_admin("select 1 from pg_database where datname = '" + other_name() + "'").size() == 1;
  }
  static std::optional<backup::Damage> damage(const std::function<void()>& action) {
    try {
      action();
    } catch (const backup::BackupError& error) {
      return error.damage();
    }
    return std::nullopt;
  }
  static std::optional<ErrorCode> code(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    return std::nullopt;
  }

  std::optional<UserId> user_;
  std::optional<JobId> job_;
  std::optional<artifacts::StagedBlob> staged_;  ///< the last body
};

}  // namespace quarry::test
