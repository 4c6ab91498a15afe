/// Putting artifacts: once per page, with the body's references counted in the same transaction.

#include <gtest/gtest.h>

#include <thread>

#include "conformance/artifacts/artifacts_test.hpp"
#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

class PutArtifacts : public ArtifactsTest {};
QUARRY_BOTH_ENGINES(PutArtifacts);

TEST_P(PutArtifacts, KeepsEverything) {
  auto made = page("https://example.org/a");
  made.type = ArtifactType::paper;
  made.description = "About lithium — in short";
  made.keywords = {"lithium", "it's \"quoted\", {braced}"};
  made.tags = {"to read"};
  const auto id = put(made);
  const auto found = look(id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user_id, user_);
  EXPECT_EQ(found->job_id, job_);
  EXPECT_EQ(found->artifact_type, ArtifactType::paper);
  EXPECT_EQ(found->source_url, made.source_url);
  EXPECT_EQ(found->title, made.title);
  EXPECT_EQ(found->description, made.description);
  EXPECT_EQ(found->content_hash, to_string(made.blob.hash));
  EXPECT_EQ(found->blob_hash, made.blob.hash);
  EXPECT_EQ(found->file_size, made.blob.size_bytes);
  EXPECT_EQ(found->mime_type, "text/html");
  EXPECT_EQ(found->keywords, made.keywords);
  EXPECT_EQ(found->tags, made.tags);
  EXPECT_FALSE(found->is_public);
  EXPECT_EQ(found->http_status, 200);
  EXPECT_EQ(found->fetched_at, clock().now());
  EXPECT_EQ(found->created_at, clock().now());
  EXPECT_FALSE(found->deleted_at);
  EXPECT_EQ(db().read([&](Read& tx) { return read_text(tx, user_, id); }), made.content_text);
  EXPECT_EQ(as_text(blobs().get(*found->blob_hash)), "body of https://example.org/a");
  EXPECT_EQ(db().read([&](Read& tx) { return find_by_url(tx, job_, made.source_url)->id; }), id);
  EXPECT_EQ(refs(made.blob.hash), 1);
}

TEST_P(PutArtifacts, AnEmptyTextIsNoText) {
  NewArtifact bare;
  bare.user_id = user_;
  bare.blob = blobs().put(as_body(""));
  const auto found = look(put(bare));
  EXPECT_FALSE(found->job_id || found->source_url || found->title || found->description || found->mime_type ||
               found->http_status);
  EXPECT_EQ(found->file_size, 0);
}

TEST_P(PutArtifacts, ThePageIsReplacedAndItsReferenceMoves) {
  const auto first = page("https://example.org/a", "old");
  const auto id = put(first);
  clock().advance(1s);
  auto second = page("https://example.org/a", "new");
  second.title = "Another title";
  EXPECT_EQ(put(second), id);
  EXPECT_EQ(refs(first.blob.hash), 0);
  EXPECT_EQ(refs(second.blob.hash), 1);
  const auto found = look(id);
  EXPECT_EQ(found->title, "Another title");
  EXPECT_EQ(found->blob_hash, second.blob.hash);
  EXPECT_EQ(found->created_at, clock().now() - 1s);
  EXPECT_EQ(found->updated_at, clock().now());
  EXPECT_EQ(put(first), id);
  EXPECT_EQ(refs(first.blob.hash), 1);
  EXPECT_EQ(count_all({}), 1);
}

TEST_P(PutArtifacts, ARepeatedTaskLeavesWhatOneRunLeaves) {
  const std::vector<NewArtifact> pages{page("https://example.org/a", "same"), page("https://example.org/b", "same"),
                                       page("https://example.org/c")};
  std::vector<ArtifactId> first;
  for (int run = 0; run < 3; ++run) {
    const auto ids = db().write([&](Write& tx) { return put_artifacts(tx, pages); });
    if (run == 0) first = ids;
    EXPECT_EQ(ids, first);
  }
  EXPECT_EQ(count_all({}), 3);
  EXPECT_EQ(refs(pages[0].blob.hash), 2);
  EXPECT_EQ(refs(pages[2].blob.hash), 1);
}

TEST_P(PutArtifacts, TheLastOfABatchStays) {
  const std::vector<NewArtifact> pages{page("https://example.org/a", "1"), page("https://example.org/b", "2"),
                                       page("https://example.org/a", "3")};
  const auto ids = db().write([&](Write& tx) { return put_artifacts(tx, pages); });
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(look(ids[0])->blob_hash, pages[2].blob.hash);
  EXPECT_EQ(refs(pages[0].blob.hash), -1);  // nothing was ever stored about it
}

TEST_P(PutArtifacts, BodiesSwapWithinABatch) {
  const auto a = page("https://example.org/a", "x"), b = page("https://example.org/b", "y");
  db().write([&](Write& tx) { put_artifacts(tx, std::vector{a, b}); });
  const auto c = page("https://example.org/a", "y"), d = page("https://example.org/b", "x");
  db().write([&](Write& tx) { put_artifacts(tx, std::vector{c, d}); });
  EXPECT_EQ(refs(a.blob.hash), 1);
  EXPECT_EQ(refs(b.blob.hash), 1);
}

// SL-14
TEST_P(PutArtifacts, PagesOfSeveralJobsAndByHand) {
  const auto other = make_job(db(), user_);
  auto in_other = page("https://example.org/a", "same"), by_hand = page("https://example.org/a", "same");
  in_other.job_id = other;
  by_hand.job_id = std::nullopt;
  const std::vector<NewArtifact> all{page("https://example.org/a", "same"), in_other, by_hand, by_hand};
  const auto ids = db().write([&](Write& tx) { return put_artifacts(tx, all); });
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 4u);
  EXPECT_EQ(refs(all[0].blob.hash), 4);
}

TEST_P(PutArtifacts, ARollbackLeavesNothing) {
  const auto made = page("https://example.org/a");
  EXPECT_THROW(db().write([&](Write& tx) {
    put_artifact(tx, made);
    throw_invalid("changed my mind");
  }),
               Error);
  EXPECT_EQ(count_all({}), 0);
  EXPECT_EQ(refs(made.blob.hash), -1);
}

TEST_P(PutArtifacts, AThousandInOneTransaction) {
  std::vector<NewArtifact> pages;
  for (int i = 0; i < 1000; ++i)
    pages.push_back(page("https://example.org/" + std::to_string(i), "body " + std::to_string(i % 10)));
  db().write([&](Write& tx) { put_artifacts(tx, pages); });
  EXPECT_EQ(count_all({}), 1000);
  EXPECT_EQ(refs(pages[3].blob.hash), 100);
  db().write([&](Write& tx) { put_artifacts(tx, std::span(pages).subspan(0, 500)); });
  EXPECT_EQ(count_all({}), 1000);
}

TEST_P(PutArtifacts, RefusesWhatCannotBeStored) {
  const auto code = [&](auto change) {
    auto made = page("https://example.org/a");
    change(made);
    try {
      put(made);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::bug;
  };
  EXPECT_EQ(code([](auto& a) { a.blob = {}; }), ErrorCode::invalid);
  EXPECT_EQ(code([](auto& a) { a.source_url = std::string(2601, 'u'); }), ErrorCode::invalid);
  EXPECT_EQ(code([](auto& a) { a.content_text = "\xFF"; }), ErrorCode::invalid);
  EXPECT_EQ(code([](auto& a) { a.title = std::string("a\0b", 3); }), ErrorCode::invalid);
  EXPECT_EQ(code([](auto& a) { a.http_status = 42; }), ErrorCode::invalid);
  EXPECT_EQ(code([](auto& a) { a.user_id.value.bytes[3] ^= 1; }), ErrorCode::constraint);
  EXPECT_EQ(code([](auto& a) { a.job_id->value.bytes[3] ^= 1; }), ErrorCode::constraint);
  const auto other = make_user(db(), "eve");
  EXPECT_EQ(code([&](auto& a) { a.user_id = other; }), ErrorCode::constraint);
  put(page("https://example.org/a"));
  EXPECT_EQ(code([&](auto& a) { a.user_id = other; }), ErrorCode::denied);
  EXPECT_EQ(count_all({}), 1);
}

TEST_P(PutArtifacts, LongTitlesAndTypesAreCut) {
  auto made = page("https://example.org/a");
  std::string title;
  for (int i = 0; i < 600; ++i) title += "ü";
  made.title = title;
  made.mime_type = std::string(200, 'm');
  const auto found = look(put(made));
  EXPECT_EQ(found->title, title.substr(0, 1000));
  EXPECT_EQ(found->mime_type->size(), 100u);
}

TEST_P(PutArtifacts, WritersOfTheSamePagesAgree) {
  // Made beforehand: the fixture's clock and store are shared.
  std::vector<std::vector<NewArtifact>> of_thread(4);
  for (int t = 0; t < 4; ++t)
    for (int i = 0; i < 20; ++i)
      of_thread[static_cast<std::size_t>(t)].push_back(
          page("https://example.org/" + std::to_string((i * (t + 1)) % 20), "body " + std::to_string((i + t) % 7)));
  std::vector<std::thread> threads;
  for (const auto& pages : of_thread)
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < pages.size(); i += 5)
        db().write([&](Write& tx) { put_artifacts(tx, std::span(pages).subspan(i, 5)); });
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count_all({.job_id = job_}), 20);
}

}  // namespace
}  // namespace quarry::test
