/// Finding, changing, deleting and listing artifacts.

#include <gtest/gtest.h>

#include "conformance/artifacts/artifacts_test.hpp"
#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

class Artifacts : public ArtifactsTest {
 protected:
  template <class F>
  auto write(F body) {
    return db().write([&](Write& tx) { return body(tx); });
  }
};
QUARRY_BOTH_ENGINES(Artifacts);

TEST_P(Artifacts, BelongToTheirOwner) {
  const auto id = put(page("https://example.org/a"));
  const auto eve = make_user(db(), "eve");
  EXPECT_FALSE(db().read([&](Read& tx) { return find(tx, eve, id); }));
  EXPECT_TRUE(db().read([&](Read& tx) { return find(tx, user_, id); }));
  EXPECT_FALSE(db().read([&](Read& tx) { return read_text(tx, eve, id); }));
  EXPECT_FALSE(write([&](Write& tx) { return update(tx, eve, id, {.title = "mine"}); }));
  EXPECT_FALSE(write([&](Write& tx) { return soft_delete(tx, eve, id); }));
  EXPECT_FALSE(write([&](Write& tx) { return purge(tx, eve, id); }));
  EXPECT_FALSE(db().read([&](Read& tx) { return find(tx, ArtifactId{}); }));
}

TEST_P(Artifacts, OnlyWhatIsNamedChanges) {
  auto made = page("https://example.org/a");
  made.description = "old";
  made.keywords = {"k"};
  const auto id = put(made);
  const auto before = look(id);
  EXPECT_TRUE(write([&](Write& tx) {
    return update(tx, user_, id, {.title = "New", .tags = std::vector<std::string>{"t1", "t2"}});
  }));
  auto now = look(id);
  EXPECT_EQ(now->title, "New");
  EXPECT_EQ(now->description, "old");
  EXPECT_EQ(now->keywords, std::vector<std::string>{"k"});
  EXPECT_EQ(now->tags, (std::vector<std::string>{"t1", "t2"}));
  EXPECT_GT(now->updated_at, before->updated_at);
  EXPECT_TRUE(write([&](Write& tx) {
    return update(tx, user_, id, {.description = "", .keywords = std::vector<std::string>{}, .is_public = true});
  }));
  now = look(id);
  EXPECT_FALSE(now->description);
  EXPECT_TRUE(now->keywords.empty());
  EXPECT_TRUE(now->is_public);
  EXPECT_EQ(now->title, "New");
  EXPECT_THROW(write([&](Write& tx) { return update(tx, user_, id, {.title = "\xC3"}); }), Error);
}

TEST_P(Artifacts, DeletionHidesAndCanBeTakenBack) {
  const auto made = page("https://example.org/a");
  const auto id = put(made);
  EXPECT_TRUE(write([&](Write& tx) { return soft_delete(tx, user_, id); }));
  EXPECT_FALSE(write([&](Write& tx) { return soft_delete(tx, user_, id); }));
  EXPECT_TRUE(look(id)->deleted_at);
  EXPECT_EQ(count_all({}), 0);
  EXPECT_EQ(count_all({.deleted = true}), 1);
  EXPECT_FALSE(db().read([&](Read& tx) { return find_by_url(tx, job_, made.source_url); }));
  EXPECT_FALSE(write([&](Write& tx) { return update(tx, user_, id, {.title = "x"}); }));
  EXPECT_EQ(refs(made.blob.hash), 1);
  EXPECT_TRUE(write([&](Write& tx) { return restore(tx, user_, id); }));
  EXPECT_FALSE(write([&](Write& tx) { return restore(tx, user_, id); }));
  EXPECT_FALSE(look(id)->deleted_at);
}

TEST_P(Artifacts, APageStoredAnewKeepsTheDeletedOneOut) {
  const auto old = put(page("https://example.org/a", "old"));
  write([&](Write& tx) { return soft_delete(tx, user_, old); });
  const auto fresh = put(page("https://example.org/a", "new"));
  EXPECT_NE(old, fresh);
  try {
    write([&](Write& tx) { return restore(tx, user_, old); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict);
  }
  write([&](Write& tx) { return purge(tx, user_, fresh); });
  EXPECT_TRUE(write([&](Write& tx) { return restore(tx, user_, old); }));
}

TEST_P(Artifacts, PurgingEndsTheReference) {
  const auto a = page("https://example.org/a", "same"), b = page("https://example.org/b", "same");
  const auto first = put(a), second = put(b);
  EXPECT_TRUE(write([&](Write& tx) { return purge(tx, user_, first); }));
  EXPECT_FALSE(look(first));
  EXPECT_EQ(refs(a.blob.hash), 1);
  write([&](Write& tx) { return soft_delete(tx, user_, second); });
  EXPECT_TRUE(write([&](Write& tx) { return purge(tx, user_, second); }));
  EXPECT_EQ(refs(a.blob.hash), 0);
  EXPECT_FALSE(write([&](Write& tx) { return purge(tx, user_, second); }));
}

TEST_P(Artifacts, OldDeletionsArePurgedInBatches) {
  std::vector<ArtifactId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(put(page("https://example.org/" + std::to_string(i), "same")));
  for (const auto& id : ids) {
    write([&](Write& tx) { return soft_delete(tx, user_, id); });
    clock().advance(1min);
  }
  const auto before = clock().now() - 90s;
  EXPECT_EQ(write([&](Write& tx) { return purge_deleted(tx, before, 3); }), 3);
  EXPECT_EQ(write([&](Write& tx) { return purge_deleted(tx, before, 3); }), 1);
  EXPECT_EQ(write([&](Write& tx) { return purge_deleted(tx, before, 3); }), 0);
  EXPECT_TRUE(look(ids.back()));
}

TEST_P(Artifacts, ListsAndCountsByEveryCondition) {
  const auto other = make_job(db(), user_);
  auto a = page("https://example.org/a"), b = page("https://example.org/b"), c = page("https://example.org/c");
  a.keywords = {"lithium", "salt"};
  a.tags = {"x"};
  b.keywords = {"lithium"};
  b.type = ArtifactType::pdf;
  c.job_id = other;
  c.keywords = {"Lithium", "lith"};
  const auto ia = put(a);
  clock().advance(1ms);
  const auto ib = put(b);
  clock().advance(1ms);
  const auto ic = put(c);
  const auto ids = [&](const ArtifactFilter& filter) {
    std::vector<ArtifactId> found;
    for (const auto& artifact : list_all(filter).items) found.push_back(artifact.id);
    EXPECT_EQ(count_all(filter), static_cast<std::int64_t>(found.size()));
    return found;
  };
  using Ids = std::vector<ArtifactId>;
  EXPECT_EQ(ids({}), (Ids{ic, ib, ia}));
  EXPECT_EQ(ids({.user_id = user_}), (Ids{ic, ib, ia}));
  EXPECT_EQ(ids({.user_id = make_user(db(), "eve")}), Ids{});
  EXPECT_EQ(ids({.job_id = job_}), (Ids{ib, ia}));
  EXPECT_EQ(ids({.type = ArtifactType::pdf}), Ids{ib});
  EXPECT_EQ(ids({.keyword = "lithium"}), (Ids{ib, ia}));
  EXPECT_EQ(ids({.keyword = "nothing' or '1'='1"}), Ids{});
  EXPECT_EQ(ids({.tag = "x"}), Ids{ia});
  EXPECT_EQ(ids({.blob_hash = c.blob.hash}), Ids{ic});
  EXPECT_EQ(ids({.user_id = user_, .job_id = job_, .type = ArtifactType::web_page, .keyword = "salt", .tag = "x"}), Ids{ia});
}

TEST_P(Artifacts, PagesOfAListMeetWithoutGapOrOverlap) {
  std::set<ArtifactId> all;
  for (int i = 0; i < 23; ++i) {
    all.insert(put(page("https://example.org/" + std::to_string(i), "same")));
    clock().advance(1ms);
  }
  std::vector<ArtifactId> seen;
  std::optional<ArtifactId> before;
  int pages = 0;
  do {
    const auto part = db().read([&](Read& tx) { return list(tx, {.job_id = job_}, 5, before); });
    for (const auto& artifact : part.items) seen.push_back(artifact.id);
    before = part.next;
    ++pages;
  } while (before);
  EXPECT_EQ(pages, 5);
  EXPECT_EQ(seen, std::vector(all.rbegin(), all.rend()));
  EXPECT_THROW(list_all({}, 0), Error);
  EXPECT_THROW(list_all({}, 1001), Error);
}

}  // namespace
}  // namespace quarry::test
