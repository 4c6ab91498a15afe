#include <fmt/format.h>

#include "artifacts/blob_refs.hpp"
#include "artifacts/text_rules.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "quarry/store/patch.hpp"
#include "quarry/system/record.hpp"

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
constexpr sql::Command<Ending(Instant, std::int64_t, std::optional<UserId>)> find_ended{
    "artifact.find_deleted",
    sql::sqlite("select user_id, id, blob_hash from artifacts where deleted_at < $1 and user_id = coalesce($3, user_id)"
                " order by id limit $2"),
    sql::postgres("select user_id, id, blob_hash from artifacts where deleted_at < $1 and user_id = coalesce($3, user_id)"
                  " order by id limit $2 for update skip locked")};

constexpr sql::Command<Ending(JobId, std::int64_t, std::optional<UserId>)> find_of_job{
    "artifact.find_of_job",
    sql::sqlite("select user_id, id, blob_hash from artifacts where job_id = $1 and user_id = coalesce($3, user_id)"
                " order by id limit $2"),
    sql::postgres("select user_id, id, blob_hash from artifacts where job_id = $1 and user_id = coalesce($3, user_id)"
                  " order by id limit $2 for update")};

constexpr sql::Command<Ending(UserId, std::int64_t)> find_of_user{
    "artifact.find_of_user",
    sql::sqlite("select user_id, id, blob_hash from artifacts where user_id = $1 order by id limit $2"),
    sql::postgres("select user_id, id, blob_hash from artifacts where user_id = $1 order by id limit $2 for update")};

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

void check_words(std::string_view what, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    check_text(what, word);
    if (word.empty()) throw_invalid(fmt::format("{} is empty: leave it out", what));
  }
}

void check(const ArtifactChanges& changes) {
  if (changes.title) check_text("title", *changes.title);
  if (changes.description) check_text("description", *changes.description);
  if (changes.keywords) check_words("a keyword", *changes.keywords);
  if (changes.tags) check_words("a tag", *changes.tags);
}

/// The text, or nothing when it is empty. A view into `text`, which therefore must not be a temporary.
std::optional<std::string_view> text_if_any(const std::string& text, std::size_t characters_max = SIZE_MAX) {
  if (text.empty()) return std::nullopt;
  return store::first_characters(text, characters_max);
}

/// Deleted or not. Throws `not_found`.
Artifact get_owned(Read& tx, UserId user, ArtifactId id) {
  if (auto found = find(tx, user, id)) return *std::move(found);
  throw Error(ErrorCode::not_found, fmt::format("there is no artifact {}", to_string(id)));
}

}  // namespace

Artifact update(Write& tx, UserId user, ArtifactId id, const ArtifactChanges& changes) {
  check(changes);
  get_owned(tx, user, id);
  std::optional<std::optional<std::string_view>> title, description;
  if (changes.title) title = text_if_any(*changes.title, title_characters_max);
  if (changes.description) description = text_if_any(*changes.description);
  // Only what is set is named: naming a text makes the engine index it anew.
  store::Patch patch("artifacts");
  patch.set("title", title)
      .set("description", description)
      .set("keywords", changes.keywords)
      .set("tags", changes.tags)
      .set("is_public", changes.is_public);
  patch.apply(tx, "artifact.update", "artifact", id.value, "user_id",
              {.unchanged_since = changes.unchanged_since, .also = "deleted_at is null"});
  return get(tx, id);
}

bool soft_delete(Write& tx, UserId user, ArtifactId id) {
  if (!tx.actor().sees(user) || tx.run(hide, user, id, tx.now()) == 0) {
    get_owned(tx, user, id);
    return false;
  }
  system::record_owned(tx, "artifact.delete", "artifact", id.value, user);
  return true;
}

bool restore(Write& tx, UserId user, ArtifactId id) {
  if (!get_owned(tx, user, id).deleted_at) return false;
  const auto page = tx.one(find_hidden, user, id);
  if (!page) return false;
  if (page->job_id && page->source_url && find_by_url(tx, *page->job_id, *page->source_url))
    throw Error(ErrorCode::conflict, "the page has been stored anew since this artifact was deleted: delete that one first");
  if (tx.run(show, user, id, tx.now()) == 0) return false;
  system::record_owned(tx, "artifact.undelete", "artifact", id.value, user);
  return true;
}

bool purge(Write& tx, UserId user, ArtifactId id) {
  if (!tx.actor().sees(user)) return false;
  const auto found = tx.all(find_ending, user, id);
  if (purge_all(tx, found) == 0) return false;
  system::record_owned(tx, "artifact.purge", "artifact", id.value, user);
  return true;
}

std::int64_t purge_deleted(Write& tx, Instant deleted_before, std::int64_t limit) {
  const auto purged = purge_all(tx, tx.all(find_ended, deleted_before, limit, tx.actor().only()));
  if (purged > 0)
    system::record(
        tx,
        {.action = "artifact.purge",
         .resource_type = "artifact",
         .details = Json{fmt::format(R"({{"artifacts":{},"deleted_before":"{}"}})", purged, to_iso8601(deleted_before))}});
  return purged;
}

std::int64_t purge_of_job(Write& tx, JobId job, std::int64_t limit) {
  return purge_all(tx, tx.all(find_of_job, job, limit, tx.actor().only()));
}

std::int64_t purge_of_user(Write& tx, UserId user, std::int64_t limit) {
  if (!tx.actor().sees(user)) return 0;
  return purge_all(tx, tx.all(find_of_user, user, limit));
}

}  // namespace quarry::artifacts
