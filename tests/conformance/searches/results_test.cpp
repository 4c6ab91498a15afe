#include "conformance/searches/searches_fixture.hpp"

namespace quarry::test {
namespace {

using searches::NewResult;

class SearchResults : public SearchesTest {
 protected:
  std::int64_t add(SearchId search, const std::vector<NewResult>& results) {
    return db().write([&](Write& tx) { return searches::add_results(tx, search, results); });
  }
  std::vector<searches::SearchResult> list(SearchId search, const searches::ResultFilter& filter = {}) {
    return db().read([&](Read& tx) { return searches::list_results(tx, search, filter).rows; });
  }
};
QUARRY_BOTH_ENGINES(SearchResults);

TEST_P(SearchResults, KeepPositionAndAreUniquePerSourceAndUrl) {
  const auto search = create().id;
  EXPECT_EQ(add(search, {{.source = "news", .title = "Second", .url = "http://b/", .position = 2},
                         {.source = "news", .title = "First", .snippet = "words", .url = "http://a/", .position = 1},
                         {.source = "papers", .url = "http://a/"},
                         {.source = "news", .title = "Twice", .url = "http://a/", .position = 9}}),
            3);
  EXPECT_EQ(add(search, {{.source = "news", .url = "http://a/", .position = 5}}), 0);
  const auto found = list(search);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].title, "First");
  EXPECT_EQ(found[0].position, 1);
  EXPECT_EQ(found[0].snippet, "words");
  EXPECT_EQ(found[0].user_id, user_);
  EXPECT_EQ(found[1].title, "Second");
  EXPECT_EQ(found[2].source, "papers") << "without a position, so last";
  EXPECT_EQ(add(create().id, {{.source = "news", .url = "http://a/"}}), 1) << "another search";
}

TEST_P(SearchResults, ManyComeInAtOnceAndPageByPage) {
  const auto search = create().id;
  std::vector<NewResult> many;
  for (int i = 1; i <= 2'345; ++i)
    many.push_back({.source = "news", .title = "t", .url = "http://h/" + std::to_string(i), .position = i});
  EXPECT_EQ(add(search, many), 2'345);
  PageRequest request{.limit = 1000};
  int expected = 1;
  for (;;) {
    const auto page = db().read([&](Read& tx) { return searches::list_results(tx, search, {}, request); });
    for (const auto& row : page.rows) EXPECT_EQ(row.position, expected++);
    if (!page.next) break;
    request.after = *page.next;
  }
  EXPECT_EQ(expected, 2'346);
  EXPECT_EQ(db().read([&](Read& tx) { return searches::count_results(tx, search); }), 2'345);
}

TEST_P(SearchResults, AnalysisComesAfterwardsAndInBulk) {
  const auto search = create().id;
  add(search, {{.source = "news", .title = "Lithium falls", .url = "http://a/", .position = 1},
               {.source = "news", .title = "Cobalt", .url = "http://b/", .position = 2}});
  const auto rows = list(search);
  db().write([&](Write& tx) {
    searches::analyse(
        tx, std::vector<searches::Analysis>{{.id = rows[0].id, .sentiment_score = -0.5, .keywords = Json{R"(["lithium"])"}},
                                            {.id = rows[1].id, .competitor_mentioned = Json{R"({"acme": 2})"}}});
  });
  db().write([&](Write& tx) {
    searches::analyse(tx, std::vector<searches::Analysis>{{.id = rows[0].id, .competitor_mentioned = Json{"[]"}}});
  });
  const auto found = list(search);
  EXPECT_EQ(found[0].sentiment_score, -0.5) << "what was not named stays";
  EXPECT_EQ(found[0].keywords->text, R"(["lithium"])");
  EXPECT_TRUE(found[0].competitor_mentioned);
  EXPECT_EQ(found[1].sentiment_score, std::nullopt);
  EXPECT_EQ(list(search, {.analysed_only = true}).size(), 1U);
  EXPECT_EQ(list(search, {.text = "COBALT"}).size(), 1U);
  EXPECT_EQ(list(search, {.source = "papers"}).size(), 0U);
}

TEST_P(SearchResults, AnAnalysisOfNothingWritesNothing) {
  const auto search = create().id;
  add(search, {{.source = "news", .url = "http://a/"}});
  const auto id = list(search)[0].id;
  EXPECT_EQ(code_of([&] {
              db().write([&](Write& tx) {
                searches::analyse(tx, std::vector<searches::Analysis>{{.id = id, .sentiment_score = 1.0}, {.id = {}}});
              });
            }),
            ErrorCode::not_found);
  EXPECT_EQ(list(search)[0].sentiment_score, std::nullopt);
  db().write([&](Write& tx) {
    const std::vector<searches::Analysis> half{{.id = id, .sentiment_score = 1.0}, {.id = {}}};
    EXPECT_EQ(code_of([&] { searches::analyse(tx, half); }), ErrorCode::not_found);
  });
  EXPECT_EQ(list(search)[0].sentiment_score, std::nullopt) << "also when the caller goes on";
  EXPECT_EQ(code_of([&] {
              db().write([&](Write& tx) {
                searches::analyse(tx, std::vector<searches::Analysis>{{.id = id, .keywords = Json{"no json"}}});
              });
            }),
            ErrorCode::invalid);
}

TEST_P(SearchResults, BadOnesAreRefusedWhole) {
  const auto search = create().id;
  const auto refused = [&](NewResult bad) {
    return code_of([&] { add(search, {{.source = "news", .url = "http://good/"}, std::move(bad)}); });
  };
  EXPECT_EQ(refused({.source = "", .url = "http://a/"}), ErrorCode::invalid);
  EXPECT_EQ(refused({.source = "news", .url = ""}), ErrorCode::invalid);
  EXPECT_EQ(refused({.source = "news", .url = std::string(1001, 'x')}), ErrorCode::invalid);
  EXPECT_EQ(refused({.source = "news", .url = "http://a/", .position = -1}), ErrorCode::invalid);
  EXPECT_EQ(list(search).size(), 0U);
  EXPECT_EQ(code_of([&] { add({}, {}); }), ErrorCode::not_found);
  EXPECT_EQ(add(search, {{.source = "news", .title = std::string(600, 'x'), .url = "http://a/"}}), 1);
  EXPECT_EQ(list(search)[0].title->size(), 500U) << "titles come from the web: they are cut, not refused";
}

}  // namespace
}  // namespace quarry::test
