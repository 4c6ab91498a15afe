#include <fmt/format.h>

#include "artifacts/sql_text.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"

namespace quarry::artifacts {
namespace {

#define QUARRY_ARTIFACT_COLUMNS                                                                             \
  "id, user_id, job_id, artifact_type, source_url, title, description, content_hash, blob_hash, file_size," \
  " mime_type, keywords, tags, is_public, http_status, fetched_at, created_at, updated_at, deleted_at"

constexpr sql::Query<Artifact(ArtifactId)> find_by_id{"artifact.find",
                                                      "select " QUARRY_ARTIFACT_COLUMNS " from artifacts where id = $1"};
constexpr sql::Query<Artifact(UserId, ArtifactId)> find_owned{
    "artifact.find_owned", "select " QUARRY_ARTIFACT_COLUMNS " from artifacts where user_id = $1 and id = $2"};
constexpr sql::Query<Artifact(JobId, std::string_view)> find_page{
    "artifact.find_by_url",
    "select " QUARRY_ARTIFACT_COLUMNS " from artifacts where job_id = $1 and source_url = $2 and deleted_at is null"};
constexpr sql::Query<std::optional<std::string>(UserId, ArtifactId)> find_text{
    "artifact.read_text", "select content_text from artifacts where user_id = $1 and id = $2"};

std::optional<Artifact> if_seen(const Read& tx, std::optional<Artifact> found) {
  if (found && !tx.actor().sees(found->user_id)) found.reset();
  return found;
}

void add_conditions(SqlText& text, const ArtifactFilter& filter, const Read& tx) {
  const auto engine = tx.engine();
  const bool is_sqlite = engine == Engine::sqlite;
  const auto holds = [&](const char* column, const std::string& word) {
    if (is_sqlite)
      (text << " and exists (select 1 from json_each(" << column << ") where value = ").bind(word) << ")";
    else
      (text << " and " << column << " @> array[").bind(word) << "]::text[]";
  };
  text << " from artifacts where deleted_at is " << (filter.deleted ? "not null" : "null");
  if (!tx.actor().sees_all()) (text << " and user_id = ").bind(*tx.actor().user_id());
  if (filter.user_id) (text << " and user_id = ").bind(*filter.user_id);
  if (filter.job_id) (text << " and job_id = ").bind(*filter.job_id);
  if (filter.type) (text << " and artifact_type = ").bind(*filter.type);
  if (filter.blob_hash) (text << " and blob_hash = ").bind(*filter.blob_hash);
  if (filter.keyword) holds("keywords", *filter.keyword);
  if (filter.tag) holds("tags", *filter.tag);
}

}  // namespace

std::optional<Artifact> find(Read& tx, ArtifactId id) { return if_seen(tx, tx.one(find_by_id, id)); }
std::optional<Artifact> find(Read& tx, UserId user, ArtifactId id) {
  return tx.actor().sees(user) ? tx.one(find_owned, user, id) : std::nullopt;
}
std::optional<Artifact> find_by_url(Read& tx, JobId job, std::string_view source_url) {
  return if_seen(tx, tx.one(find_page, job, source_url));
}

std::optional<std::string> read_text(Read& tx, UserId user, ArtifactId id) {
  return tx.actor().sees(user) ? tx.one(find_text, user, id).value_or(std::nullopt) : std::nullopt;
}

ArtifactPage list(Read& tx, const ArtifactFilter& filter, int limit, std::optional<ArtifactId> before) {
  if (limit < 1 || limit > 1000) throw_invalid(fmt::format("a limit of {}: it must be from 1 to 1000", limit));
  SqlText text;
  text << "select " QUARRY_ARTIFACT_COLUMNS;
  add_conditions(text, filter, tx);
  if (before) (text << " and id < ").bind(*before);
  // One more than asked for tells whether there is another page.
  const std::int64_t rows = limit + 1;
  (text << " order by id desc limit ").bind(rows);
  ArtifactPage page{text.all<Artifact>(tx, "artifact.list"), std::nullopt};
  if (std::cmp_greater(page.items.size(), limit)) {
    page.items.pop_back();
    page.next = page.items.back().id;
  }
  return page;
}

std::int64_t count(Read& tx, const ArtifactFilter& filter) {
  SqlText text;
  text << "select count(*)";
  add_conditions(text, filter, tx);
  return text.all<std::int64_t>(tx, "artifact.count").front();
}

}  // namespace quarry::artifacts
