#include "conformance/searches/searches_fixture.hpp"

namespace quarry::test {
namespace {

using jobs::JobStatus;
using searches::SearchOrder;
using searches::SearchStatus;
using store::Direction;

class Searches : public SearchesTest {
 protected:
  std::vector<searches::Search> list(const searches::SearchFilter& filter = {},
                                     const searches::SearchListOrder& order = {}) {
    return db().read([&](Read& tx) { return searches::list(tx, filter, {}, order).rows; });
  }
};
QUARRY_BOTH_ENGINES(Searches);

TEST_P(Searches, AreMadeInOneSpelling) {
  const auto made = create("  solid \t state\nbattery ", {"papers", "news"});
  EXPECT_EQ(made.query, "solid state battery");
  EXPECT_EQ(made.sources, (std::vector<std::string>{"news", "papers"}));
  EXPECT_EQ(made.status, SearchStatus::pending);
  EXPECT_EQ(get(made.id).created_at, clock().now());
  EXPECT_TRUE(db().read([&](Read& tx) { return searches::exists(tx, made.id); }));
}

TEST_P(Searches, BadInputIsNamed) {
  EXPECT_EQ(code_of([&] { create("   "); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { create(std::string(501, 'x')); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { create("x\xff"); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { create("x", {}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { create("x", {"a", "a"}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { create("x", {std::string(51, 'a')}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { get({}); }), ErrorCode::not_found);
  user_ = {};
  EXPECT_EQ(code_of([&] { create(); }), ErrorCode::not_found);
}

TEST_P(Searches, ListFilterSortAndPage) {
  for (const auto* query : {"b", "a", "C", "a_c"}) {
    clock().advance(std::chrono::seconds(1));
    create(query, {query == std::string("a") ? "papers" : "news"});
  }
  EXPECT_EQ(list().front().query, "a_c");
  std::vector<std::string> sorted;
  for (const auto& search : list({}, {SearchOrder::query, Direction::ascending})) sorted.push_back(search.query);
  EXPECT_EQ(sorted, (std::vector<std::string>{"C", "a", "a_c", "b"}));
  EXPECT_EQ(list({.source = "papers"}).size(), 1U);
  EXPECT_EQ(list({.text = "c"}).size(), 2U);
  EXPECT_EQ(list({.text = "_"}).size(), 1U);
  EXPECT_EQ(list({.status = SearchStatus::completed}).size(), 0U);
  const auto first = db().read([](Read& tx) { return searches::list(tx, {}, {.limit = 3, .with_total = true}); });
  EXPECT_EQ(first.total, 4);
  ASSERT_TRUE(first.next);
  const auto second = db().read([&](Read& tx) { return searches::list(tx, {}, {.limit = 3, .after = *first.next}); });
  EXPECT_EQ(second.rows.size(), 1U);
  EXPECT_EQ(second.rows[0].query, "b");
  EXPECT_EQ(second.next, std::nullopt);
}

TEST_P(Searches, TheStateMachineIsATable) {
  constexpr std::array all{SearchStatus::pending, SearchStatus::processing, SearchStatus::completed, SearchStatus::failed,
                           SearchStatus::cancelled};
  for (const auto from : all)
    for (const auto to : all) {
      const auto search = create();
      if (from != SearchStatus::pending) db().write([&](Write& tx) { searches::change_status(tx, search.id, from); });
      const auto code = code_of([&] { db().write([&](Write& tx) { searches::change_status(tx, search.id, to); }); });
      EXPECT_EQ(code, searches::may_become(from, to) ? std::nullopt : std::optional(ErrorCode::conflict))
          << searches::to_string(from) << " to " << searches::to_string(to);
      EXPECT_EQ(get(search.id).status, searches::may_become(from, to) ? to : from);
    }
}

TEST_P(Searches, AFreshAnswerIsFound) {
  const searches::NewSearch wanted{.user_id = user_, .query = " lithium ", .sources = {"news", "papers"}};
  const auto fresh = [&](const searches::NewSearch& search) {
    return db().read([&](Read& tx) { return searches::find_fresh(tx, search, std::chrono::hours(1)); });
  };
  const auto search = create("lithium", {"papers", "news"});
  EXPECT_FALSE(fresh(wanted)) << "it has not been answered";
  db().write([&](Write& tx) { searches::change_status(tx, search.id, SearchStatus::completed); });
  ASSERT_TRUE(fresh(wanted));
  EXPECT_EQ(fresh(wanted)->id, search.id);
  EXPECT_FALSE(fresh({.user_id = user_, .query = "lithium", .sources = {"news"}}));
  EXPECT_FALSE(fresh({.user_id = user_, .query = "Lithium", .sources = {"news", "papers"}}));
  clock().advance(std::chrono::hours(1));
  EXPECT_TRUE(fresh(wanted));
  clock().advance(std::chrono::microseconds(1));
  EXPECT_FALSE(fresh(wanted));
}

TEST_P(Searches, PurgeWantsTheJobsGoneFirst) {
  const auto search = create("x", {"papers"});
  job_of(search.id, "papers");
  EXPECT_EQ(code_of([&] { db().write([&](Write& tx) { searches::purge(tx, search.id); }); }), ErrorCode::conflict);
  const auto lone = create();
  db().write([&](Write& tx) {
    searches::add_results(tx, lone.id, std::vector<searches::NewResult>{{.source = "news", .url = "http://h/"}});
  });
  EXPECT_TRUE(db().write([&](Write& tx) { return searches::purge(tx, lone.id); }));
  EXPECT_FALSE(db().write([&](Write& tx) { return searches::purge(tx, lone.id); }));
}

}  // namespace
}  // namespace quarry::test
