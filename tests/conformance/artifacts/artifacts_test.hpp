#pragma once
/// What the tests of artifacts share: a database with the whole schema, a user with jobs, a blob store beside it, and a
/// check that counts and rows agree, at the end of every test.

#include <set>
#include <string>

#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/artifacts/store.hpp"
#include "support/migrated_database.hpp"
#include "unit/artifacts/blob_bodies.hpp"

namespace quarry::test {

using namespace std::chrono_literals;
using namespace artifacts;

inline constexpr sql::Command<void(UserId, std::string, std::string)> insert_user{
    "test.insert_user", "insert into users (id, username, email, hashed_password) values ($1, $2, $3, '!')"};
inline constexpr sql::Command<void(JobId, UserId)> insert_job{
    "test.insert_job", "insert into scraping_jobs (id, user_id, job_type, title) values ($1, $2, 'crawl', 'A crawl')"};

struct RefCount {
  BlobHash hash;
  std::int64_t ref_count = 0;
  std::int64_t rows = 0;
  bool is_marked = false;
};
BOOST_DESCRIBE_STRUCT(RefCount, (), (hash, ref_count, rows, is_marked))
inline constexpr sql::Query<RefCount()> all_ref_counts{
    "test.ref_counts",
    "select hash, ref_count, (select count(*) from artifacts where blob_hash = hash) as rows,"
    " unreferenced_since is not null as is_marked from blobs order by hash"};

inline UserId make_user(Database& db, const std::string& name) {
  return db.write([&](Write& tx) {
    const auto id = tx.new_id<UserId>();
    tx.run(insert_user, id, name, name + "@example.org");
    return id;
  });
}

inline JobId make_job(Database& db, UserId user) {
  return db.write([&](Write& tx) {
    const auto id = tx.new_id<JobId>();
    tx.run(insert_job, id, user);
    return id;
  });
}

class ArtifactsTest : public MigratedEngines {
 protected:
  void SetUp() override {
    user_ = make_user(db(), "ada");
    job_ = make_job(db(), user_);
    blobs();  // made here, so that threads may use it
  }
  /// Every count equals the rows it stands for, is marked if and only if it is 0, and no row refers to a missing body.
  void TearDown() override {
    for (const auto& blob : ref_counts()) {
      EXPECT_EQ(blob.ref_count, blob.rows) << to_string(blob.hash);
      EXPECT_EQ(blob.is_marked, blob.ref_count == 0) << to_string(blob.hash);
      if (blob.rows > 0) {
        EXPECT_EQ(blobs().verify(blob.hash).state, BlobState::whole) << to_string(blob.hash);
      }
    }
  }

  std::vector<RefCount> ref_counts() {
    return db().read([](Read& tx) { return tx.all(all_ref_counts); });
  }
  std::int64_t refs(const BlobHash& hash) {
    for (const auto& blob : ref_counts())
      if (blob.hash == hash) return blob.ref_count;
    return -1;
  }

  FileBlobStore& blobs() {
    if (!blobs_) {
      const std::shared_ptr<const Clock> clock(&this->clock(), [](const Clock*) {});
      blobs_ = std::make_unique<FileBlobStore>(database().folder() / "blobs", FileBlobStoreOptions{.clock = clock});
    }
    return *blobs_;
  }

  /// A page of the job, with a body that differs from page to page.
  NewArtifact page(const std::string& url, const std::string& body = "") {
    NewArtifact made;
    made.user_id = user_;
    made.job_id = job_;
    made.source_url = url;
    made.title = "Title of " + url;
    made.content_text = "Text of " + url;
    made.mime_type = "text/html";
    made.http_status = 200;
    made.fetched_at = clock().now();
    made.blob = blobs().put(as_body(body.empty() ? "body of " + url : body));
    return made;
  }
  ArtifactId put(const NewArtifact& artifact) {
    return db().write([&](Write& tx) { return put_artifact(tx, artifact); });
  }
  std::optional<Artifact> look(ArtifactId id) {
    return db().read([&](Read& tx) { return find(tx, id); });
  }
  std::vector<Artifact> list_all(const ArtifactFilter& filter, int limit = 100) {
    return db().read([&](Read& tx) { return list(tx, filter, {.limit = limit}).rows; });
  }
  std::int64_t count_all(const ArtifactFilter& filter) {
    return db().read([&](Read& tx) { return count(tx, filter); });
  }

  UserId user_;
  JobId job_;

 private:
  std::unique_ptr<FileBlobStore> blobs_;
};

}  // namespace quarry::test
