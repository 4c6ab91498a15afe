#include "conformance/jobs/jobs_test.hpp"

namespace quarry::test {
namespace {

using jobs::JobOrder;
using store::Direction;

class JobsList : public JobsTest {
 protected:
  Page<jobs::Job> list(const jobs::ListFilter& filter = {}, const PageRequest& page = {},
                       const jobs::ListOrder& order = {}) {
    return db().read([&](Read& tx) { return jobs::list(tx, filter, page, order); });
  }
  std::vector<JobId> all_pages(
      int limit, const jobs::ListOrder& order = {}, const std::function<void()>& between = [] {}) {
    std::vector<JobId> ids;
    PageRequest request{.limit = limit};
    for (;;) {
      auto page = list({}, request, order);
      for (const auto& job : page.rows) ids.push_back(job.id);
      if (!page.next) return ids;
      request.after = *page.next;
      between();
    }
  }
};
QUARRY_BOTH_ENGINES(JobsList);

TEST_P(JobsList, EveryOrderPagesWithoutLossOrRepetition) {
  const std::vector<std::string> titles{"b", "a", "B", "ä", "a"};
  for (int i = 0; i < 5; ++i) {
    if (i % 2 == 0) clock().advance(std::chrono::seconds(1));
    submit({.title = titles[static_cast<std::size_t>(i)], .priority = 1 + i % 2});
  }
  for (const auto by : {JobOrder::created_at, JobOrder::priority, JobOrder::title})
    for (const auto direction : {Direction::ascending, Direction::descending}) {
      const jobs::ListOrder order{by, direction};
      const auto whole = all_pages(1000, order);
      ASSERT_EQ(whole.size(), 5U);
      for (const int limit : {1, 2, 5}) EXPECT_EQ(all_pages(limit, order), whole);
    }
  std::vector<std::string> sorted;
  for (const auto& job : list({}, {}, {JobOrder::title, Direction::ascending}).rows) sorted.push_back(job.title);
  EXPECT_EQ(sorted, (std::vector<std::string>{"B", "a", "a", "b", "ä"})) << "by bytes, on both engines";
}

// SL-2
TEST_P(JobsList, WhatIsSubmittedMeanwhileNeitherLosesNorRepeatsARow) {
  std::vector<JobId> before;
  for (int i = 0; i < 6; ++i) {
    clock().advance(std::chrono::milliseconds(1));
    before.insert(before.begin(), submit({}).id);
  }
  const auto paged = all_pages(2, {}, [&] {
    clock().advance(std::chrono::milliseconds(1));
    submit({});
  });
  EXPECT_EQ(paged, before);
}

// SX-15
TEST_P(JobsList, FiltersAndTotals) {
  submit({.title = "Lithium papers", .description = "100% of 'em", .keywords = {"lithium", "battery"}});
  submit({.job_type = "paper", .title = "Cobalt", .keywords = {"battery"}});
  EXPECT_EQ(list({.text = "lithium"}).rows.size(), 1U);
  EXPECT_EQ(list({.text = "100%"}).rows.size(), 1U);
  EXPECT_EQ(list({.text = "1_0"}).rows.size(), 0U) << "an underscore is an underscore";
  EXPECT_EQ(list({.keyword = "battery"}).rows.size(), 2U);
  EXPECT_EQ(list({.keyword = "batt"}).rows.size(), 0U);
  EXPECT_EQ(list({.job_type = "paper", .keyword = "battery"}).rows.size(), 1U);
  const auto page = list({}, {.limit = 1, .with_total = true});
  EXPECT_EQ(page.total, 2);
  EXPECT_EQ(list({}, {.limit = 1}).total, std::nullopt);
  EXPECT_EQ(list({}, {.limit = 1, .after = *page.next, .with_total = true}).total, 2) << "of all pages";
  EXPECT_EQ(db().read([](Read& tx) { return jobs::count(tx, {.keyword = "lithium"}); }), 1);
}

TEST_P(JobsList, ABadCursorIsAnErrorAndNotAnEmptyPage) {
  for (int i = 0; i < 3; ++i) submit({});
  const auto next = *list({}, {.limit = 1}).next;
  EXPECT_EQ(code_of([&] { list({}, {.after = "nonsense"}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { list({}, {.after = next}, {JobOrder::title, Direction::descending}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { list({}, {.after = next}, {JobOrder::created_at, Direction::ascending}); }), ErrorCode::invalid);
}

}  // namespace
}  // namespace quarry::test
