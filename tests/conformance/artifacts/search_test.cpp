/// Full-text search: the same pages on both engines, and the same one first.

#include "quarry/artifacts/search.hpp"

#include <gtest/gtest.h>

#include "conformance/artifacts/artifacts_test.hpp"
#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

inline constexpr sql::Query<std::int64_t()> check_index{
    "test.check_fts", sql::sqlite("select count(*) from artifacts_fts where artifacts_fts match '\"zinc\"'"),
    sql::postgres("select 0::bigint")};

class Search : public ArtifactsTest {
 protected:
  void SetUp() override {
    ArtifactsTest::SetUp();
    add("battery", "Lithium batteries", "How a battery with a lithium anode stores energy. Batteries age with every cycle.");
    add("salt", "Table salt", "Sodium chloride is what the kitchen calls salt. Lithium also forms salts.");
    add("sodium", "Sodium batteries", "A cheap battery made of sodium: the solid state of the art in storing energy.");
    add("index", "Creating an index",
        "An index speeds up the search in a table. The file postgresql.conf and pg_stat_activity are described elsewhere.");
    add("zurich", "Zürich", "The city of Zürich lies at a lake. Naïve visitors buy souvenirs.");
    add("long", "Notes",
        "lithium " + std::string(2000, 'x') + " " + repeat("filler words between ", 300) + "the solitary battery");
  }
  static std::string repeat(const std::string& text, int times) {
    std::string all;
    while (times-- > 0) all += text;
    return all;
  }
  ArtifactId add(const std::string& url, const std::string& title, const std::string& text) {
    auto made = page(url);
    made.title = title;
    made.content_text = text;
    return put(made);
  }
  SearchPage look_for(const SearchRequest& request) {
    return db().read([&](Read& tx) { return search(tx, request); });
  }
  /// The URLs that were found, in alphabetical order.
  std::string found(const std::string& query) {
    std::set<std::string> urls;
    for (const auto& hit : look_for({.query = query}).items) urls.insert(hit.source_url.value_or("?"));
    std::string all;
    for (const auto& url : urls) all += (all.empty() ? "" : " ") + url;
    return all;
  }
  std::string first(const std::string& query) {
    const auto hits = look_for({.query = query, .limit = 1});
    return hits.items.empty() ? "" : hits.items[0].source_url.value_or("?");
  }
};
QUARRY_BOTH_ENGINES(Search);

TEST_P(Search, TheLanguageMeansTheSame) {
  EXPECT_EQ(found("lithium"), "battery long salt");
  EXPECT_EQ(found("LITHIUM Battery"), "battery long");
  EXPECT_EQ(found("batteries"), "battery long sodium");
  EXPECT_EQ(found("the battery"), "battery long sodium");
  EXPECT_EQ(found("\"lithium anode\""), "battery");
  EXPECT_EQ(found("\"anode lithium\""), "");
  EXPECT_EQ(found("\"solid state\""), "sodium");
  EXPECT_EQ(found("battery -cheap"), "battery long");
  EXPECT_EQ(found("energy -\"lithium anode\""), "sodium");
  EXPECT_EQ(found("zürich OR salt"), "salt zurich");
  EXPECT_EQ(found("sodium energy OR city"), "sodium zurich");
  EXPECT_EQ(found("batt*"), "battery long sodium");
  EXPECT_EQ(found("souven*"), "zurich");
  EXPECT_EQ(found("-salt lithium"), "battery long");
  EXPECT_EQ(found("nowhere"), "");
  EXPECT_EQ(found("postgresql.conf"), "index");
  EXPECT_EQ(found("pg_stat_activity"), "index");
  EXPECT_EQ(found("stat activity"), "index");
  EXPECT_EQ(found("city* lake"), "zurich");
}

TEST_P(Search, TheBestIsFirst) {
  EXPECT_EQ(first("lithium"), "battery");  // in the title
  EXPECT_EQ(first("sodium"), "sodium");    // in the title as well as in the text
  EXPECT_EQ(first("salt"), "salt");
  EXPECT_EQ(first("lithium battery"), "battery");
  EXPECT_EQ(first("index table"), "index");
  const auto hits = look_for({.query = "lithium"}).items;
  EXPECT_TRUE(std::is_sorted(hits.begin(), hits.end(), [](const auto& a, const auto& b) { return a.score > b.score; }));
}

TEST_P(Search, SnippetsShowTheWords) {
  const auto hit = look_for({.query = "anode"}).items.at(0);
  EXPECT_NE(hit.snippet.find("lithium «anode» stores"), std::string::npos) << hit.snippet;
  EXPECT_EQ(hit.title, "Lithium batteries");
  const auto far = look_for({.query = "solitary", .mark_begin = "<b>", .mark_end = "</b>"}).items.at(0);
  EXPECT_NE(far.snippet.find("<b>solitary</b> battery"), std::string::npos) << far.snippet;
  EXPECT_LT(far.snippet.size(), 400u);
  EXPECT_EQ(far.snippet.find('\n'), std::string::npos);
  EXPECT_EQ(look_for({.query = "anode", .mark_begin = "", .mark_end = ""}).items.at(0).snippet.find("«"), std::string::npos);
}

TEST_P(Search, HostileInputIsNeverASyntaxError) {
  for (const auto* text : {"\"",
                           "'",
                           "lithium'",
                           "'); drop table artifacts; --",
                           "lithium & | ! <-> salt",
                           "a:* b:A",
                           "NEAR(lithium salt, 3)",
                           "title:lithium",
                           "{title content_text}: salt",
                           "^lithium",
                           "lithium AND",
                           "NOT lithium salt",
                           "((lithium",
                           "lithium))",
                           "*lithium",
                           "lith**",
                           "\\",
                           "\\'",
                           "lithium\\",
                           "salt + lithium",
                           "-- salt",
                           "/* salt */",
                           "$1 ?1 :a @b salt",
                           "\u0085 salt",
                           "\U0001F600 salt",
                           "\uFEFF salt",
                           "salt\x02\x03",
                           "1e308 0x10 -5 3.14 1.2.3.4",
                           "user@example.org http://example.org/a?b=c#d",
                           "<b>salt</b> &amp;",
                           "%s%n%d",
                           "a\tb\nc\rd",
                           "''\"''\"",
                           "salt -\U0001F600",
                           "\"\U0001F600\" salt",
                           "x'y\"z* OR -\"q'r\" salt*"}) {
    try {
      look_for({.query = text});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid) << text << ": " << error.what();
    }
  }
  EXPECT_EQ(found("salt \U0001F600"), "salt");
  EXPECT_THROW(look_for({.query = "the"}), Error);
  EXPECT_THROW(look_for({.query = ""}), Error);
  EXPECT_THROW(look_for({.query = "-salt"}), Error);
  EXPECT_THROW(look_for({.query = "salt", .limit = 0}), Error);
  EXPECT_THROW(look_for({.query = "salt", .cursor = "elsewhere"}), Error);
  EXPECT_THROW(look_for({.query = "salt", .cursor = std::string(48, 'z')}), Error);
  EXPECT_THROW(look_for({.query = "salt", .cursor = std::string(48, '0')}), Error);
}

/// Defect CI-2 of an older system: old words still found after an update, deleted rows still found.
TEST_P(Search, FollowsEveryChange) {
  const auto id = add("metal", "A metal", "zinc zinc zinc");
  EXPECT_EQ(found("zinc"), "metal");
  add("metal", "A metal", "copper");
  EXPECT_EQ(found("zinc"), "");
  EXPECT_EQ(found("copper"), "metal");
  EXPECT_EQ(db().read([](Read& tx) { return tx.value(check_index); }), 0);
  db().write([&](Write& tx) { update(tx, user_, id, {.title = "Alloys", .description = "bronze"}); });
  EXPECT_EQ(found("metal"), "");
  EXPECT_EQ(found("bronze alloy"), "metal");
  db().write([&](Write& tx) { soft_delete(tx, user_, id); });
  EXPECT_EQ(found("copper"), "");
  db().write([&](Write& tx) { restore(tx, user_, id); });
  EXPECT_EQ(found("copper"), "metal");
  db().write([&](Write& tx) { purge(tx, user_, id); });
  EXPECT_EQ(found("copper"), "");
  if (is_sqlite()) {
    db().write([](Write& tx) {
      tx.session().run_script("test.integrity",
                              "insert into artifacts_fts (artifacts_fts, rank) values ('integrity-check', 1)");
    });
  }
}

TEST_P(Search, FiltersByOwnerAndJob) {
  const auto eve = make_user(db(), "eve");
  const auto job = make_job(db(), user_);
  auto made = page("elsewhere");
  made.content_text = "lithium in another job";
  made.job_id = job;
  put(made);
  EXPECT_EQ(look_for({.query = "lithium", .user_id = eve}).items.size(), 0u);
  EXPECT_EQ(look_for({.query = "lithium", .user_id = user_}).items.size(), 4u);
  EXPECT_EQ(look_for({.query = "lithium", .job_id = job}).items.size(), 1u);
  EXPECT_EQ(look_for({.query = "lithium", .user_id = user_, .job_id = job_}).items.size(), 3u);
}

TEST_P(Search, PagesMeetWithoutGapOrOverlap) {
  for (int i = 0; i < 23; ++i)
    add("many" + std::to_string(i), "Copper", "copper " + repeat("copper ", i % 5) + std::to_string(i));
  std::set<ArtifactId> seen;
  std::size_t hits = 0;
  int pages = 0;
  double last = 1e300;
  std::optional<std::string> cursor;
  do {
    const auto part = look_for({.query = "copper", .limit = 5, .cursor = cursor});
    for (const auto& hit : part.items) {
      EXPECT_LE(hit.score, last);
      last = hit.score;
      seen.insert(hit.id);
      ++hits;
    }
    cursor = part.next;
    if (cursor) {
      EXPECT_THROW(look_for({.query = "copper many", .cursor = cursor}), Error) << "of another question";
    }
    ASSERT_LT(++pages, 10);
  } while (cursor);
  EXPECT_EQ(pages, 5);
  EXPECT_EQ(hits, 23u);
  EXPECT_EQ(seen.size(), 23u);
}

}  // namespace
}  // namespace quarry::test
