/// Every order in which a list is offered is that of an index: a page that begins behind row 1,000,000 sorts nothing.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/describe.hpp>
#include <string>
#include <vector>

#include "support/migrated_database.hpp"

namespace quarry::test {
namespace {

struct Step {
  std::int64_t id;
  std::int64_t parent;
  std::int64_t notused;
  std::string detail;
};
BOOST_DESCRIBE_STRUCT(Step, (), (id, parent, notused, detail))

/// A page of a list, as the stores ask for it.
struct WantedPage {
  const char* table;
  const char* where;  ///< what the filters say
  const char* column;
};

class ListPlans : public MigratedEngines {
 protected:
  std::string plan_of(const WantedPage& page, const char* direction) {
    const auto column = [&] {
      const std::string_view name(page.column);
      const bool is_text = name == "title" || name == "username" || name == "email" || name == "query" || name == "key";
      return std::string(name) + (is_text && !is_sqlite() ? " collate \"C\"" : "");
    }();
    const auto text = fmt::format("select * from {} {} order by {} {}, id {} limit 51", page.table, page.where, column,
                                  direction, direction);
    std::string plan;
    if (is_sqlite()) {
      const auto sql = "explain query plan " + text;
      for (const auto& step : db().read([&](Read& tx) { return tx.all(sql::Query<Step()>("test.plan", sql)); }))
        plan += step.detail + "; ";
      return plan;
    }
    db().write([&](Write& tx) {
      // What an empty table tempts the planner to.
      tx.session().run_script(
          "test.plan", "set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off");
      const auto sql = "explain (costs off) " + text;
      for (const auto& line : tx.all(sql::Query<std::string()>("test.plan", sql))) plan += line + "; ";
    });
    return plan;
  }
};
QUARRY_BOTH_ENGINES(ListPlans);

TEST_P(ListPlans, NoPageSorts) {
  const std::string some_id = is_sqlite() ? "zeroblob(16)" : "'01890a5d-ac96-774b-bcce-b302099a8057'";
  const auto of_user = "where user_id = " + some_id;
  const auto of_job = "where job_id = " + some_id;
  const auto of_live_user = of_user + " and deleted_at is null";
  const auto of_live_job = of_job + " and deleted_at is null";
  const auto of_search = "where search_id = " + some_id;
  for (const auto& page : std::vector<WantedPage>{
           {"users", "where deleted_at is null", "created_at"},
           {"users", "where deleted_at is null", "username"},
           {"users", "where deleted_at is null", "email"},
           {"users", "where role = 'user' and deleted_at is null", "created_at"},
           {"user_sessions", "", "id"},
           {"user_sessions", of_user.c_str(), "id"},
           {"api_keys", "", "id"},
           {"api_keys", of_user.c_str(), "id"},
           {"searches", "", "created_at"},
           {"searches", "", "query"},
           {"searches", "where status = 'completed'", "created_at"},
           {"searches", of_user.c_str(), "created_at"},
           {"search_results", of_search.c_str(), "place"},
           {"scraping_jobs", "where deleted_at is null", "created_at"},
           {"scraping_jobs", "where deleted_at is null", "priority"},
           {"scraping_jobs", "where deleted_at is null", "title"},
           {"scraping_jobs", "where status = 'completed' and deleted_at is null", "created_at"},
           {"scraping_jobs", "where job_type = 'crawl' and deleted_at is null", "created_at"},
           {"scraping_jobs", of_live_user.c_str(), "created_at"},
           {"artifacts", "where deleted_at is null", "id"},
           {"artifacts", of_live_user.c_str(), "id"},
           {"artifacts", of_live_job.c_str(), "id"},
           {"job_logs", of_job.c_str(), "id"},
           {"usage_events", "", "id"},
           {"usage_events", of_user.c_str(), "period_start"},
           {"webhook_events", "", "id"},
       })
    for (const auto* direction : {"asc", "desc"}) {
      const auto plan = plan_of(page, direction);
      EXPECT_THAT(plan, testing::Not(testing::HasSubstr(is_sqlite() ? "TEMP B-TREE FOR ORDER BY" : "Sort")))
          << page.table << " " << page.where << " by " << page.column;
    }
}

}  // namespace
}  // namespace quarry::test
