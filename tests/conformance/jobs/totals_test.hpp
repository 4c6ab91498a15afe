#pragma once
/// Two users, Ada and Bob, with jobs in every status, and SQL that is written once for both engines.

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "conformance/jobs/jobs_test.hpp"
#include "conformance/queue/counters.hpp"
#include "quarry/jobs/statistics.hpp"

namespace quarry::jobs {
inline bool operator==(const StatusCount& a, const StatusCount& b) { return a.status == b.status && a.n == b.n; }
inline bool operator==(const Statistics& a, const Statistics& b) {
  return a.jobs == b.jobs && a.by_status == b.by_status && a.items == b.items && a.processed_items == b.processed_items &&
         a.failed_items == b.failed_items && a.results == b.results && a.bytes_fetched == b.bytes_fetched &&
         a.success_rate == b.success_rate;
}
}  // namespace quarry::jobs

namespace quarry::test {

class TotalsTest : public JobsTest {
 protected:
  /// In `text`, `$NEW_ID`, `$NOW`, `$ADA` and `$BOB` stand for values, `$STATUS` for the cast that PostgreSQL wants.
  std::string sql_of(std::string text) const {
    const std::pair<const char*, const char*> holes[] = {
        {"$NEW_ID", is_sqlite() ? "randomblob(16)" : "gen_random_uuid()"},
        {"$NOW", is_sqlite() ? "1772366400000000" : "now()"},
        {"$ADA", is_sqlite() ? "x'00000000000070008000000000000001'" : "'00000000-0000-7000-8000-000000000001'::uuid"},
        {"$BOB", is_sqlite() ? "x'00000000000070008000000000000002'" : "'00000000-0000-7000-8000-000000000002'::uuid"},
        {"$STATUS", is_sqlite() ? "" : "::job_status"}};
    for (const auto& [hole, with] : holes)
      for (std::size_t at = 0; (at = text.find(hole, at)) != std::string::npos;)
        text.replace(at, std::string_view(hole).size(), with);
    return text;
  }
  void run(Write& tx, std::string_view text) { tx.session().run_script("test.run", sql_of(std::string(text))); }

  /// Of each of the two `jobs` jobs in each status, and as many that are deleted; some of them of a search.
  void seed(int jobs) {
    const auto count = std::to_string(jobs);
    db().write([&](Write& tx) {
      run(tx,
          "insert into users (id, username, email, google_id) values ($ADA, 'ada', 'ada@example.org', 'a'),"
          " ($BOB, 'bob', 'bob@example.org', 'b');"
          "insert into searches (id, user_id, query) select id, id, 'q' from users where username in ('ada', 'bob');"
          "insert into scraping_jobs (id, user_id, job_type, title, status, total_items, processed_items, failed_items,"
          " results_count, bytes_fetched, search_id, deleted_at)"
          " with recursive n (n) as (select 1 union all select n + 1 from n where n < " +
              count +
              "), s (status) as (values ('pending'$STATUS), ('running'), ('completed'), ('failed'), ('cancelled'))"
              " select $NEW_ID, u.id, 'crawl', 't', s.status, 100 + n, 10 * n, n, 7 * n, 5000000000 * n,"
              " case when n = 1 then u.id end, case when d.d = 1 then $NOW end"
              " from users u cross join s cross join n cross join (select 0 as d union all select 1) d"
              " where u.username in ('ada', 'bob')");
    });
    db().read([](Read& tx) { expect_totals_equal_jobs(tx); });
  }

  /// Does it, compares the totals, and takes it back.
  void tries(const std::string& way, std::string_view what) {
    SCOPED_TRACE(std::string(what));
    struct Undo {};
    try {
      db().write([&](Write& tx) {
        run(tx, way);
        expect_totals_equal_jobs(tx);
        throw Undo{};
      });
    } catch (const Undo&) {
    } catch (const Error& error) {
      ADD_FAILURE() << error.what() << ": " << error.engine_message();
    }
  }

  jobs::Statistics figures(std::optional<UserId> user) {
    return db().read([&](Read& tx) { return jobs::statistics(tx, user); });
  }
};

}  // namespace quarry::test
