#include "artifacts/blob_refs.hpp"
#include "artifacts/sql_text.hpp"
#include "artifacts/text_rules.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::artifacts {
namespace {

constexpr std::size_t title_characters_max = 500;

constexpr sql::Command<void(UserId, ArtifactId, Instant)> hide{
    "artifact.soft_delete",
    "update artifacts set deleted_at = $3, updated_at = $3 where user_id = $1 and id = $2 and deleted_at is null"};

struct PageOf {
  std::optional<JobId> job_id;
  std::optional<std::string> source_url;
};
BOOST_DESCRIBE_STRUCT(PageOf, (), (job_id, source_url))

constexpr sql::Command<PageOf(UserId, ArtifactId)> find_hidden{
    "artifact.find_hidden",
    sql::sqlite("select job_id, source_url from artifacts where user_id = $1 and id = $2 and deleted_at is not null"),
    sql::postgres(
        "select job_id, source_url from artifacts where user_id = $1 and id = $2 and deleted_at is not null for update")};
constexpr sql::Command<void(UserId, ArtifactId, Instant)> show{
    "artifact.restore",
    "update artifacts set deleted_at = null, updated_at = $3 where user_id = $1 and id = $2 and deleted_at is not null"};

struct Ending {
  UserId user_id;
  ArtifactId id;
  std::optional<BlobHash> blob_hash;
};
BOOST_DESCRIBE_STRUCT(Ending, (), (user_id, id, blob_hash))

constexpr sql::Command<Ending(UserId, ArtifactId)> find_ending{
    "artifact.find_ending", sql::sqlite("select user_id, id, blob_hash from artifacts where user_id = $1 and id = $2"),
    sql::postgres("select user_id, id, blob_hash from artifacts where user_id = $1 and id = $2 for update")};
constexpr sql::Command<Ending(Instant, std::int64_t)> find_ended{
    "artifact.find_deleted",
    sql::sqlite("select user_id, id, blob_hash from artifacts where deleted_at < $1 order by id limit $2"),
    sql::postgres(
        "select user_id, id, blob_hash from artifacts where deleted_at < $1 order by id limit $2 for update skip locked")};

constexpr sql::Command<Ending(JobId, std::int64_t)> find_of_job{
    "artifact.find_of_job",
    sql::sqlite("select user_id, id, blob_hash from artifacts where job_id = $1 order by id limit $2"),
    sql::postgres("select user_id, id, blob_hash from artifacts where job_id = $1 order by id limit $2 for update")};

struct RowKey {
  UserId user_id;
  ArtifactId id;
};
BOOST_DESCRIBE_STRUCT(RowKey, (), (user_id, id))
constexpr sql::Command<void(RowKey)> end_artifact{"artifact.purge", "delete from artifacts where user_id = $1 and id = $2"};

std::int64_t purge_all(Write& tx, std::span<const Ending> artifacts) {
  if (artifacts.empty()) return 0;
  BlobRefs refs;
  std::vector<RowKey> keys;
  for (const auto& artifact : artifacts) {
    keys.push_back({artifact.user_id, artifact.id});
    if (artifact.blob_hash) refs.release(*artifact.blob_hash);
  }
  tx.run_each(end_artifact, keys);
  refs.apply_released(tx);
  return static_cast<std::int64_t>(artifacts.size());
}

void check(const ArtifactChanges& changes) {
  if (changes.title) check_text("title", *changes.title);
  if (changes.description) check_text("description", *changes.description);
  if (changes.keywords)
    for (const auto& keyword : *changes.keywords) check_text("a keyword", keyword);
  if (changes.tags)
    for (const auto& tag : *changes.tags) check_text("a tag", tag);
}

/// The text that is set, or nothing when it is empty. A view into `text`, which therefore must not be a temporary.
std::optional<std::string_view> if_any(const std::optional<std::string>& text, std::size_t characters_max = SIZE_MAX) {
  if (!text || text->empty()) return std::nullopt;
  return store::first_characters(*text, characters_max);
}

}  // namespace

bool update(Write& tx, UserId user, ArtifactId id, const ArtifactChanges& changes) {
  check(changes);
  if (!tx.actor().sees(user)) return false;
  const auto title = if_any(changes.title, title_characters_max);
  const auto description = if_any(changes.description);
  const auto now = tx.now();
  SqlText text;
  text << "update artifacts set updated_at = " << (tx.engine() == Engine::sqlite ? "max(" : "greatest(");
  text.bind(now) << (tx.engine() == Engine::sqlite ? ", updated_at + 1)" : ", updated_at + interval '1 microsecond')");
  // Only what is set is named: naming a text makes the engine index it anew.
  if (changes.title) (text << ", title = ").bind(title);
  if (changes.description) (text << ", description = ").bind(description);
  if (changes.keywords) (text << ", keywords = ").bind(*changes.keywords);
  if (changes.tags) (text << ", tags = ").bind(*changes.tags);
  if (changes.is_public) (text << ", is_public = ").bind(*changes.is_public);
  (text << " where user_id = ").bind(user);
  (text << " and id = ").bind(id) << " and deleted_at is null";
  return text.run(tx, "artifact.update") > 0;
}

bool soft_delete(Write& tx, UserId user, ArtifactId id) {
  return tx.actor().sees(user) && tx.run(hide, user, id, tx.now()) > 0;
}

bool restore(Write& tx, UserId user, ArtifactId id) {
  if (!tx.actor().sees(user)) return false;
  const auto page = tx.one(find_hidden, user, id);
  if (!page) return false;
  if (page->job_id && page->source_url && find_by_url(tx, *page->job_id, *page->source_url))
    throw Error(ErrorCode::conflict, "the page has been stored anew since this artifact was deleted: delete that one first");
  return tx.run(show, user, id, tx.now()) > 0;
}

bool purge(Write& tx, UserId user, ArtifactId id) {
  if (!tx.actor().sees(user)) return false;
  const auto found = tx.all(find_ending, user, id);
  return purge_all(tx, found) > 0;
}

std::int64_t purge_deleted(Write& tx, Instant deleted_before, std::int64_t limit) {
  return purge_all(tx, tx.all(find_ended, deleted_before, limit));
}

std::int64_t purge_of_job(Write& tx, JobId job, std::int64_t limit) {
  return purge_all(tx, tx.all(find_of_job, job, limit));
}

}  // namespace quarry::artifacts
