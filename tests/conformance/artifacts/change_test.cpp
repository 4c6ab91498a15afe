/// Finding, changing, deleting and listing artifacts.

#include <gmock/gmock.h>
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
  /// What `body` is refused with.
  template <class F>
  std::optional<ErrorCode> code_of(F body) {
    try {
      db().write([&](Write& tx) { body(tx); });
    } catch (const Error& error) {
      return error.code();
    }
    return std::nullopt;
  }
};
QUARRY_BOTH_ENGINES(Artifacts);

TEST_P(Artifacts, BelongToTheirOwner) {
  const auto id = put(page("https://example.org/a"));
  const auto eve = make_user(db(), "eve");
  EXPECT_FALSE(db().read([&](Read& tx) { return find(tx, eve, id); }));
  EXPECT_TRUE(db().read([&](Read& tx) { return find(tx, user_, id); }));
  EXPECT_FALSE(db().read([&](Read& tx) { return read_text(tx, eve, id); }));
  EXPECT_EQ(code_of([&](Write& tx) { update(tx, eve, id, {.title = "mine"}); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&](Write& tx) { soft_delete(tx, eve, id); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&](Write& tx) { restore(tx, eve, id); }), ErrorCode::not_found);
  EXPECT_FALSE(write([&](Write& tx) { return purge(tx, eve, id); }));
  EXPECT_FALSE(db().read([&](Read& tx) { return find(tx, ArtifactId{}); }));
  EXPECT_FALSE(look(id)->deleted_at);
}

TEST_P(Artifacts, AreThereOrNamedAsMissing) {
  const auto id = put(page("https://example.org/a"));
  EXPECT_TRUE(write([&](Write& tx) { return exists(tx, id); }));
  EXPECT_EQ(write([&](Write& tx) { return get(tx, id).source_url; }), "https://example.org/a");
  const auto eve = make_user(db(), "eve");
  EXPECT_FALSE(db().read({.actor = Actor::user(eve)}, [&](Read& tx) { return exists(tx, id); }));
  write([&](Write& tx) { return soft_delete(tx, user_, id); });
  EXPECT_FALSE(write([&](Write& tx) { return exists(tx, id); }));
  EXPECT_TRUE(write([&](Write& tx) { return get(tx, id).deleted_at; }));
  write([&](Write& tx) { return purge(tx, user_, id); });
  EXPECT_FALSE(write([&](Write& tx) { return exists(tx, id); }));
  try {
    write([&](Write& tx) { return get(tx, id); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.client_message(), testing::HasSubstr(to_string(id)));
  }
  for (const auto change : {soft_delete, restore})
    EXPECT_EQ(code_of([&](Write& tx) { change(tx, user_, id); }), ErrorCode::not_found);
}

TEST_P(Artifacts, AStaleChangeIsRefused) {
  const auto id = put(page("https://example.org/a"));
  const auto seen = look(id)->updated_at;
  const auto changed = write([&](Write& tx) { return update(tx, user_, id, {.title = "First", .unchanged_since = seen}); });
  EXPECT_EQ(changed.title, "First");
  EXPECT_GT(changed.updated_at, seen) << "although the clock stands";
  EXPECT_EQ(code_of([&](Write& tx) { update(tx, user_, id, {.title = "Second", .unchanged_since = seen}); }),
            ErrorCode::conflict);
  EXPECT_EQ(code_of([&](Write& tx) { update(tx, user_, id, {.unchanged_since = seen}); }), ErrorCode::conflict);
  EXPECT_EQ(look(id)->title, "First");
  write([&](Write& tx) { return update(tx, user_, id, {.title = "Third", .unchanged_since = changed.updated_at}); });
  EXPECT_EQ(look(id)->title, "Third");
  EXPECT_EQ(code_of([&](Write& tx) { update(tx, user_, ArtifactId{}, {.title = "x"}); }), ErrorCode::not_found);
}

TEST_P(Artifacts, OnlyWhatIsNamedChanges) {
  auto made = page("https://example.org/a");
  made.description = "old";
  made.keywords = {"k"};
  const auto id = put(made);
  const auto before = look(id);
  write([&](Write& tx) { return update(tx, user_, id, {.title = "New", .tags = std::vector<std::string>{"t1", "t2"}}); });
  auto now = look(id);
  EXPECT_EQ(now->title, "New");
  EXPECT_EQ(now->description, "old");
  EXPECT_EQ(now->keywords, std::vector<std::string>{"k"});
  EXPECT_EQ(now->tags, (std::vector<std::string>{"t1", "t2"}));
  EXPECT_GT(now->updated_at, before->updated_at);
  write([&](Write& tx) {
    return update(tx, user_, id, {.description = "", .keywords = std::vector<std::string>{}, .is_public = true});
  });
  now = look(id);
  EXPECT_FALSE(now->description);
  EXPECT_TRUE(now->keywords.empty());
  EXPECT_TRUE(now->is_public);
  EXPECT_EQ(now->title, "New");
  EXPECT_THROW(write([&](Write& tx) { return update(tx, user_, id, {.title = "\xC3"}); }), Error);
  const std::vector<std::string> with_none{"a", ""};
  EXPECT_EQ(code_of([&](Write& tx) { update(tx, user_, id, {.keywords = with_none}); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&](Write& tx) { update(tx, user_, id, {.tags = with_none}); }), ErrorCode::invalid);
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
  EXPECT_EQ(code_of([&](Write& tx) { update(tx, user_, id, {.title = "x"}); }), ErrorCode::not_found);
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
  a.description = "With a description";
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
    for (const auto& artifact : list_all(filter)) found.push_back(artifact.id);
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
  EXPECT_EQ(ids({.text = "TITLE OF"}), (Ids{ic, ib, ia}));
  EXPECT_EQ(ids({.text = "example.org/b"}), Ids{ib});
  EXPECT_EQ(ids({.text = "%"}), Ids{});
  EXPECT_EQ(ids({.text = "a description"}), Ids{ia});
  EXPECT_EQ(ids({.user_id = user_, .job_id = job_, .type = ArtifactType::web_page, .keyword = "salt", .tag = "x"}), Ids{ia});
}

TEST_P(Artifacts, PagesOfAListMeetWithoutGapOrOverlap) {
  std::set<ArtifactId> all;
  for (int i = 0; i < 23; ++i) {
    all.insert(put(page("https://example.org/" + std::to_string(i), "same")));
    clock().advance(1ms);
  }
  for (const auto direction : {store::Direction::descending, store::Direction::ascending}) {
    std::vector<ArtifactId> seen;
    int pages = 0;
    std::optional<std::string> next = "";
    for (; next; ++pages) {
      const PageRequest wanted{.limit = 5, .after = *next, .with_total = true};
      const auto part = db().read([&](Read& tx) { return list(tx, {.job_id = job_}, wanted, {.direction = direction}); });
      for (const auto& artifact : part.rows) seen.push_back(artifact.id);
      EXPECT_EQ(part.total, 23);
      next = part.next;
    }
    EXPECT_EQ(pages, 5);
    if (direction == store::Direction::descending)
      EXPECT_EQ(seen, std::vector(all.rbegin(), all.rend()));
    else
      EXPECT_EQ(seen, std::vector(all.begin(), all.end()));
  }
  EXPECT_THROW(list_all({}, 0), Error);
  EXPECT_THROW(list_all({}, 1001), Error);
}

TEST_P(Artifacts, ACursorOfAnotherListIsRefused) {
  for (const auto* url : {"https://example.org/a", "https://example.org/b"}) put(page(url));
  const auto next = db().read([](Read& tx) { return list(tx, {}, {.limit = 1}).next; });
  ASSERT_TRUE(next);
  const auto other_way = ArtifactListOrder{.direction = store::Direction::ascending};
  EXPECT_EQ(code_of([&](Write& tx) { list(tx, {}, {.after = *next}, other_way); }), ErrorCode::invalid);
  for (const auto& cursor : {to_string(ArtifactId{}), to_string(user_), next->substr(1), *next + "A", std::string("x")})
    EXPECT_EQ(code_of([&](Write& tx) { list(tx, {}, {.after = cursor}); }), ErrorCode::invalid) << cursor;
}

TEST_P(Artifacts, AUserPurgesTheirOwnAlone) {
  const auto eve = make_user(db(), "eve");
  const auto id = put(page("https://example.org/a"));
  write([&](Write& tx) { return soft_delete(tx, user_, id); });
  clock().advance(1min);
  const auto as_eve = WriteOptions{.actor = Actor::user(eve)}, as_owner = WriteOptions{.actor = Actor::user(user_)};
  const auto all = [&](Write& tx) { return purge_deleted(tx, tx.now()); };
  const auto of_job = [&](Write& tx) { return purge_of_job(tx, job_); };
  EXPECT_EQ(db().write(as_eve, all), 0);
  EXPECT_EQ(db().write(as_eve, of_job), 0);
  EXPECT_TRUE(look(id));
  EXPECT_EQ(db().write(as_owner, all), 1);
  put(page("https://example.org/b"));
  EXPECT_EQ(db().write(as_owner, of_job), 1);
}

}  // namespace
}  // namespace quarry::test
