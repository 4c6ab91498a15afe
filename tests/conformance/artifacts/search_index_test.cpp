/// fsck finds a full-text index that does not say what the texts say, whichever way it went wrong, and mends it.

#include <gtest/gtest.h>

#include "conformance/artifacts/artifacts_test.hpp"
#include "quarry/artifacts/fsck.hpp"
#include "quarry/artifacts/search.hpp"

namespace quarry::test {
namespace {

class SearchIndex : public ArtifactsTest {
 protected:
  void SetUp() override {
    ArtifactsTest::SetUp();
    for (const auto* url : {"lithium", "cobalt", "nickel"}) put(page(url));
  }

  FsckResult check(bool deep, bool repair = false) { return check_store(db(), blobs(), {.deep = deep, .repair = repair}); }
  void run_script(const std::string& sql) {
    db().write([&](Write& tx) { tx.session().run_script("test.damage", sql); });
  }
  std::size_t hits(const std::string& query) {
    return db().read([&](Read& tx) { return artifacts::search(tx, {.query = query}).items.size(); });
  }

  /// What each engine lets somebody do to the index behind the stores' back.
  std::vector<std::string> damages() {
    if (db().engine() == Engine::postgres)
      return {with_vectors_by("''::tsvector"), with_vectors_by("'zirconium'::tsvector")};
    const std::string lithium = " from artifacts where source_url = 'lithium'";
    return {
        "insert into artifacts_fts (artifacts_fts) values ('delete-all')",
        "insert into artifacts_fts (artifacts_fts, rowid, title, description, content_text)"
        " select 'delete', seq, title, description, content_text" +
            lithium,
        "insert into artifacts_fts (rowid, title, description, content_text) select seq + 100, 'zirconium', null, null" +
            lithium,
        "delete from artifacts_fts_docsize where id = (select seq" + lithium + ")",
        "delete from artifacts_fts_data where id > 10",
    };
  }

 private:
  /// Rows that were indexed by another function than today's: PostgreSQL keeps what it made of a row when it was written.
  std::string with_vectors_by(const std::string& vector) {
    const auto function = db().read([](Read& tx) {
      return tx.value(
          sql::Query<std::string()>{"test.function", "select pg_get_functiondef('artifact_search_vector'::regproc)"});
    });
    return "create or replace function artifact_search_vector(title text, description text, content_text text)"
           " returns tsvector language sql immutable as $$ select " +
           vector + " $$; update artifacts set title = title where source_url = 'lithium'; " + function;
  }
};
QUARRY_BOTH_ENGINES(SearchIndex);

TEST_P(SearchIndex, IsFoundWrongAndMendedWhateverHappenedToIt) {
  const auto damages = this->damages();
  for (const auto& damage : damages) {
    ASSERT_TRUE(check(true).is_sound) << damage;
    run_script(damage);
    EXPECT_TRUE(check(false).is_sound) << "only a deep check reads the texts: " << damage;
    EXPECT_TRUE(check(false, true).problems.empty()) << damage;

    const auto found = check(true);
    EXPECT_FALSE(found.is_sound) << damage;
    EXPECT_EQ(found.repaired, 0) << damage;
    ASSERT_EQ(found.problems.size(), 1U) << damage;
    EXPECT_EQ(found.problems[0].finding, FsckFinding::wrong_search_index) << damage;
    EXPECT_TRUE(found.problems[0].blob.empty());
    const auto concerned = db().engine() == Engine::sqlite ? 3 : 1;
    EXPECT_EQ(found.wrongly_indexed, concerned) << damage;
    EXPECT_EQ(found.problems[0].artifacts, concerned) << damage;
    EXPECT_EQ(found.lost_artifacts, 0) << "no body is lost: " << damage;

    const auto mended = check(true, true);
    EXPECT_TRUE(mended.is_sound) << damage;
    EXPECT_EQ(mended.repaired, 1) << damage;
    ASSERT_EQ(mended.problems.size(), 1U) << damage;
    EXPECT_TRUE(mended.problems[0].repaired) << damage;
    EXPECT_TRUE(check(true).problems.empty()) << damage;
    EXPECT_EQ(hits("lithium"), 1U) << damage;
    EXPECT_EQ(hits("zirconium"), 0U) << damage;
  }
}

TEST_P(SearchIndex, IsWholeAfterEverythingThatAStoreDoesToAnArtifact) {
  const auto id = list_all({}).at(0).id;
  db().write([&](Write& tx) { update(tx, user_, id, {.title = "Manganese", .description = "Nodules"}); });
  EXPECT_TRUE(check(true).is_sound);
  db().write([&](Write& tx) { soft_delete(tx, user_, id); });
  EXPECT_TRUE(check(true).is_sound);
  db().write([&](Write& tx) { purge(tx, user_, id); });
  auto again = page("cobalt");
  again.content_text = "Other words";
  put(again);
  EXPECT_TRUE(check(true).is_sound);
  EXPECT_EQ(check(true).wrongly_indexed, 0);
}

TEST_P(SearchIndex, OfALargeStoreIsComparedPieceByPiece) {
  for (int i = 0; i < 120; ++i) put(page("page" + std::to_string(i), "one body"));
  int calls = 0;
  const auto found = check_store(db(), blobs(), {.deep = true, .progress = [&](const FsckResult&) { ++calls; }});
  EXPECT_TRUE(found.is_sound);
  // A shard of bodies each, and 123 artifacts; SQLite compares all of them at once.
  EXPECT_EQ(calls, 256 + (db().engine() == Engine::postgres ? 3 : 0));
}

}  // namespace
}  // namespace quarry::test
