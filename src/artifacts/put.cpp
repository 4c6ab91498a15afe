#include <fmt/format.h>

#include <map>
#include <utility>

#include "artifacts/blob_refs.hpp"
#include "artifacts/text_rules.hpp"
#include "quarry/artifacts/store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::artifacts {
namespace {

constexpr std::size_t url_bytes_max = 2600;
constexpr std::size_t title_characters_max = 500;
constexpr std::size_t mime_type_characters_max = 100;

struct ArtifactRow {
  ArtifactId id;
  std::optional<JobId> job_id;
  UserId user_id;
  ArtifactType artifact_type;
  std::optional<std::string_view> source_url;
  std::optional<std::string_view> title;
  std::optional<std::string_view> description;
  std::string content_hash;
  BlobHash blob_hash;
  std::int64_t file_size;
  std::optional<std::string_view> mime_type;
  std::optional<std::string_view> content_text;
  std::vector<std::string> keywords;
  std::vector<std::string> tags;
  std::optional<int> http_status;
  std::optional<Instant> fetched_at;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(ArtifactRow, (),
                      (id, job_id, user_id, artifact_type, source_url, title, description, content_hash, blob_hash,
                       file_size, mime_type, content_text, keywords, tags, http_status, fetched_at, now))

constexpr sql::Command<void(ArtifactRow)> insert_artifact{
    "artifact.insert",
    "insert into artifacts (id, job_id, user_id, artifact_type, source_url, title, description, content_hash, blob_hash, "
    "file_size,"
    " mime_type, content_text, keywords, tags, http_status, fetched_at, created_at, updated_at)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)"
    " on conflict (job_id, source_url) where deleted_at is null do nothing"};

constexpr sql::Command<void(ArtifactRow)> replace_artifact{
    "artifact.replace",
    sql::sqlite("update artifacts set job_id = $2, artifact_type = $4, source_url = $5, title = $6, description = $7, "
                "content_hash = $8,"
                " blob_hash = $9, file_size = $10, mime_type = $11, content_text = $12, keywords = $13, tags = $14, "
                "http_status = $15,"
                " fetched_at = $16, updated_at = max($17, updated_at + 1) where id = $1 and user_id = $3"),
    sql::postgres("update artifacts set job_id = $2, artifact_type = $4, source_url = $5, title = $6, description = $7, "
                  "content_hash = $8,"
                  " blob_hash = $9, file_size = $10, mime_type = $11, content_text = $12, keywords = $13, tags = $14,"
                  " http_status = $15, fetched_at = $16, updated_at = greatest($17, updated_at + interval '1 microsecond')"
                  " where id = $1 and user_id = $3")};

struct StoredRow {
  ArtifactId id;
  std::string source_url;
  std::optional<BlobHash> blob_hash;
};
BOOST_DESCRIBE_STRUCT(StoredRow, (), (id, source_url, blob_hash))

constexpr sql::Command<StoredRow(JobId, std::vector<std::string>)> find_stored{
    "artifact.find_stored",
    sql::sqlite("select id, source_url, blob_hash from artifacts"
                " where job_id = $1 and source_url in (select value from json_each($2)) and deleted_at is null"),
    sql::postgres("select id, source_url, blob_hash from artifacts"
                  " where job_id = $1 and source_url = any($2) and deleted_at is null order by id for update")};

void check(const NewArtifact& artifact) {
  if (artifact.blob.hash == BlobHash{}) throw_invalid("an artifact needs a stored body: put it into the blob store first");
  if (artifact.source_url.size() > url_bytes_max)
    throw_invalid(fmt::format("a source_url of {} bytes: {} are the most", artifact.source_url.size(), url_bytes_max));
  if (artifact.http_status && (*artifact.http_status < 100 || *artifact.http_status > 599))
    throw_invalid(fmt::format("http_status {}: it must be from 100 to 599", *artifact.http_status));
  check_text("source_url", artifact.source_url);
  check_text("title", artifact.title);
  check_text("description", artifact.description);
  check_text("mime_type", artifact.mime_type);
  check_text("content_text", artifact.content_text);
  for (const auto& keyword : artifact.keywords) check_text("a keyword", keyword);
  for (const auto& tag : artifact.tags) check_text("a tag", tag);
}

std::optional<std::string_view> if_any(std::string_view text) { return text.empty() ? std::nullopt : std::optional(text); }

ArtifactRow make_row(const NewArtifact& artifact, ArtifactId id, Instant now) {
  ArtifactRow row{};
  row.id = id;
  row.job_id = artifact.job_id;
  row.user_id = artifact.user_id;
  row.artifact_type = artifact.type;
  row.source_url = if_any(artifact.source_url);
  row.title = if_any(store::first_characters(artifact.title, title_characters_max));
  row.description = if_any(artifact.description);
  row.content_hash = to_string(artifact.blob.hash);
  row.blob_hash = artifact.blob.hash;
  row.file_size = artifact.blob.size_bytes;
  row.mime_type = if_any(store::first_characters(artifact.mime_type, mime_type_characters_max));
  row.content_text = if_any(artifact.content_text);
  row.keywords = artifact.keywords;
  row.tags = artifact.tags;
  row.http_status = artifact.http_status;
  row.fetched_at = artifact.fetched_at;
  row.now = now;
  return row;
}

/// One row to be: the last of the artifacts that share a job and a URL, and what is stored of it.
struct Slot {
  const NewArtifact* artifact = nullptr;
  std::optional<ArtifactId> stored_id{};
  std::optional<BlobHash> stored_hash{};
};

struct Plan {
  std::vector<Slot> slots;
  std::vector<std::size_t> slot_of;  ///< of each artifact
  std::map<JobId, std::map<std::string_view, std::size_t>> by_page;
};

Plan make_plan(std::span<const NewArtifact> artifacts) {
  Plan plan;
  for (const auto& artifact : artifacts) {
    std::size_t index = plan.slots.size();
    if (artifact.job_id && !artifact.source_url.empty())
      index = plan.by_page[*artifact.job_id].try_emplace(artifact.source_url, index).first->second;
    if (index == plan.slots.size()) plan.slots.emplace_back();
    plan.slots[index].artifact = &artifact;
    plan.slot_of.push_back(index);
  }
  return plan;
}

void find_stored_pages(Write& tx, Plan& plan) {
  for (const auto& [job, pages] : plan.by_page) {
    std::vector<std::string> urls;
    for (const auto& [url, index] : pages) urls.emplace_back(url);
    for (const auto& row : tx.all(find_stored, job, urls)) {
      auto& slot = plan.slots[pages.at(row.source_url)];
      slot.stored_id = row.id;
      slot.stored_hash = row.blob_hash;
    }
  }
}

BlobRefs references_of(const Plan& plan) {
  BlobRefs refs;
  for (const auto& slot : plan.slots) {
    refs.add(slot.artifact->blob);
    if (slot.stored_hash) refs.release(*slot.stored_hash);
  }
  return refs;
}

}  // namespace

std::vector<ArtifactId> put_artifacts(Write& tx, std::span<const NewArtifact> artifacts) {
  for (const auto& artifact : artifacts) {
    check(artifact);
    if (!tx.actor().sees(artifact.user_id))
      throw Error(ErrorCode::not_found, fmt::format("there is no user {}", to_string(artifact.user_id)));
  }
  if (artifacts.empty()) return {};
  auto plan = make_plan(artifacts);
  find_stored_pages(tx, plan);
  const auto refs = references_of(plan);
  refs.apply_added(tx);

  std::vector<ArtifactRow> added, replaced;
  std::vector<ArtifactId> ids;
  for (const auto& slot : plan.slots) {
    ids.push_back(slot.stored_id ? *slot.stored_id : tx.new_id<ArtifactId>());
    (slot.stored_id ? replaced : added).push_back(make_row(*slot.artifact, ids.back(), tx.now()));
  }
  // Another transaction may have stored the same page since we looked; the next run of ours finds it.
  if (!added.empty() && std::cmp_less(tx.run_each(insert_artifact, added), added.size()))
    throw Error(ErrorCode::conflict, "another writer has stored the same page of this job at the same time: try again")
        .set_retryable(true);
  if (!replaced.empty() && std::cmp_less(tx.run_each(replace_artifact, replaced), replaced.size()))
    throw Error(ErrorCode::denied, "the page of this job belongs to another user");
  refs.apply_released(tx);

  std::vector<ArtifactId> result;
  for (const auto index : plan.slot_of) result.push_back(ids[index]);
  return result;
}

ArtifactId put_artifact(Write& tx, const NewArtifact& artifact) { return put_artifacts(tx, {&artifact, 1}).front(); }

}  // namespace quarry::artifacts
