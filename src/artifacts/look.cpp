#include <fmt/format.h>

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

constexpr store::ListOf<Artifact> all_artifacts{"artifact.list", QUARRY_ARTIFACT_COLUMNS, "artifacts"};

store::Order<Artifact> order_of(ArtifactOrder by) {
  switch (by) {
    case ArtifactOrder::created_at:
      break;
  }
  return {"created_at", "id", [](const Artifact& artifact) { return store::key(artifact.id); }};
}

/// The filter as a WHERE clause. Owns the pattern that the clause refers to.
struct WantedArtifacts {
  std::string pattern;
  store::Conditions where;

  WantedArtifacts(Read& tx, const ArtifactFilter& filter)
      : where(filter.deleted ? "deleted_at is not null" : "deleted_at is null") {
    const bool is_sqlite = tx.engine() == Engine::sqlite;
    where.owned(tx.actor(), "user_id");
    if (filter.user_id) where.add("user_id = {}", *filter.user_id);
    if (filter.job_id) where.add("job_id = {}", *filter.job_id);
    if (filter.type) where.add("artifact_type = {}", *filter.type);
    if (filter.blob_hash) where.add("blob_hash = {}", *filter.blob_hash);
    const auto holds = [&](const std::string& column, const std::string& word) {
      where.add(
          is_sqlite ? "exists (select 1 from json_each(" + column + ") where value = {})" : column + " @> array[{}]::text[]",
          word);
    };
    if (filter.keyword) holds("keywords", *filter.keyword);
    if (filter.tag) holds("tags", *filter.tag);
    if (filter.text) {
      pattern = store::like_anywhere(*filter.text);
      // SQLite's LIKE folds ASCII and nothing else; in the "C" collation so does PostgreSQL's ILIKE.
      where.add(is_sqlite ? R"((title like {0} escape '\' or description like {0} escape '\'))"
                          : R"((title collate "C" ilike {0} escape '\' or description collate "C" ilike {0} escape '\'))",
                pattern);
    }
  }
  WantedArtifacts(const WantedArtifacts&) = delete;
  WantedArtifacts& operator=(const WantedArtifacts&) = delete;
};

}  // namespace

std::optional<Artifact> find(Read& tx, ArtifactId id) { return if_seen(tx, tx.one(find_by_id, id)); }
std::optional<Artifact> find(Read& tx, UserId user, ArtifactId id) {
  return tx.actor().sees(user) ? tx.one(find_owned, user, id) : std::nullopt;
}
Artifact get(Read& tx, ArtifactId id) {
  if (auto found = find(tx, id)) return *std::move(found);
  throw Error(ErrorCode::not_found, fmt::format("there is no artifact {}", to_string(id)));
}

bool exists(Read& tx, ArtifactId id) {
  const auto found = find(tx, id);
  return found && !found->deleted_at;
}

std::optional<Artifact> find_by_url(Read& tx, JobId job, std::string_view source_url) {
  return if_seen(tx, tx.one(find_page, job, source_url));
}

std::optional<std::string> read_text(Read& tx, UserId user, ArtifactId id) {
  return tx.actor().sees(user) ? tx.one(find_text, user, id).value_or(std::nullopt) : std::nullopt;
}

Page<Artifact> list(Read& tx, const ArtifactFilter& filter, const PageRequest& page, const ArtifactListOrder& order) {
  const WantedArtifacts wanted(tx, filter);
  return store::list(tx, all_artifacts, order_of(order.by), order.direction, wanted.where, page);
}

std::int64_t count(Read& tx, const ArtifactFilter& filter) {
  const WantedArtifacts wanted(tx, filter);
  return store::count(tx, all_artifacts, wanted.where);
}

}  // namespace quarry::artifacts
