#include "bench/lists/rows.hpp"

#include <fmt/format.h>

#include <vector>

#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/artifact.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/searches/search.hpp"

namespace quarry::bench {
namespace {

constexpr std::int64_t rows_per_transaction = 50'000;
constexpr Instant first_moment{1'760'000'000'000'000};

struct UserRow {
  UserId id;
  std::string username;
  std::string email;
  std::string google_id;
  Instant created_at;
  Instant updated_at;
};
BOOST_DESCRIBE_STRUCT(UserRow, (), (id, username, email, google_id, created_at, updated_at))

struct JobRow {
  JobId id;
  UserId user_id;
  std::string job_type;
  std::string title;
  jobs::JobStatus status;
  Instant created_at;
  Instant updated_at;
};
BOOST_DESCRIBE_STRUCT(JobRow, (), (id, user_id, job_type, title, status, created_at, updated_at))

struct ArtifactRow {
  ArtifactId id;
  UserId user_id;
  JobId job_id;
  artifacts::ArtifactType artifact_type;
  std::string source_url;
  std::string title;
  std::string content_hash;
  Instant created_at;
  Instant updated_at;
};
BOOST_DESCRIBE_STRUCT(ArtifactRow, (),
                      (id, user_id, job_id, artifact_type, source_url, title, content_hash, created_at, updated_at))

struct ResultRow {
  Uuid id;
  SearchId search_id;
  UserId user_id;
  std::string source;
  std::string title;
  std::string url;
  int position;
};
BOOST_DESCRIBE_STRUCT(ResultRow, (), (id, search_id, user_id, source, title, url, position))

/// `make(n, moment, tx)` gives the n-th row.
template <class Row, class Make>
void fill(Database& db, const sql::Table<Row>& table, std::int64_t count, Make&& make) {
  for (std::int64_t n = 0; n < count;) {
    const auto end = std::min(n + rows_per_transaction, count);
    db.write([&](Write& tx) {
      std::vector<Row> rows;
      for (auto i = n; i < end; ++i) rows.push_back(make(i, first_moment + std::chrono::milliseconds(i / 10), tx));
      tx.insert_all(table, rows);
    });
    n = end;
  }
}

}  // namespace

Tenant put_in(Database& db, std::int64_t rows) {
  auto tenant = db.write([](Write& tx) {
    Tenant made;
    made.user = accounts::create_user(tx, {.username = "tenant", .email = "tenant@example.org", .google_id = "1"}).id;
    made.job = jobs::submit(tx, {.user_id = made.user, .title = "The job with all the artifacts"}).id;
    made.search = searches::create(tx, {.user_id = made.user, .query = "everything", .sources = {"one"}}).id;
    return made;
  });
  fill<UserRow>(db, sql::Table<UserRow>("users"), rows, [](std::int64_t n, Instant at, Write& tx) {
    return UserRow{UserId{make_uuid_v7(at, tx.random())},
                   fmt::format("user{}", n),
                   fmt::format("u{}@example.org", n),
                   fmt::format("google-{}", n),
                   at,
                   at};
  });
  fill<JobRow>(db, sql::Table<JobRow>("scraping_jobs"), rows, [&](std::int64_t n, Instant at, Write& tx) {
    return JobRow{JobId{make_uuid_v7(at, tx.random())},
                  tenant.user,
                  "crawl",
                  fmt::format("Job number {}", n),
                  n % 2 == 0 ? jobs::JobStatus::completed : jobs::JobStatus::failed,
                  at,
                  at};
  });
  fill<ArtifactRow>(db, sql::Table<ArtifactRow>("artifacts"), rows, [&](std::int64_t n, Instant at, Write& tx) {
    return ArtifactRow{ArtifactId{make_uuid_v7(at, tx.random())},
                       tenant.user,
                       tenant.job,
                       artifacts::ArtifactType{},
                       fmt::format("https://example.org/page/{}", n),
                       fmt::format("Page {}", n),
                       fmt::format("{:064x}", n),
                       at,
                       at};
  });
  fill<ResultRow>(db, sql::Table<ResultRow>("search_results"), rows, [&](std::int64_t n, Instant at, Write& tx) {
    return ResultRow{make_uuid_v7(at, tx.random()),
                     tenant.search,
                     tenant.user,
                     "one",
                     fmt::format("Result {}", n),
                     fmt::format("https://example.org/{}", n),
                     static_cast<int>(n / 10)};
  });
  return tenant;
}

}  // namespace quarry::bench
