#pragma once
/// What was fetched or put: the facts about it and its text. The bytes are a blob (`blob_store.hpp`).

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quarry/artifacts/blob_store.hpp"
#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"

namespace quarry::artifacts {

enum class ArtifactType { web_page, paper, government_doc, social_media, pdf, image, video, audio };
BOOST_DESCRIBE_ENUM(ArtifactType, web_page, paper, government_doc, social_media, pdf, image, video, audio)

/// Texts are UTF-8 without zero bytes; an empty one means that there is none.
struct NewArtifact {
  UserId user_id{};
  std::optional<JobId> job_id{};  ///< nothing: put by hand
  ArtifactType type = ArtifactType::web_page;
  std::string source_url{};  ///< up to 2600 bytes; one artifact per job and URL
  std::string title{};       ///< the first 500 characters are kept
  std::string description{};
  std::optional<int> http_status{};
  std::string mime_type{};     ///< the first 100 characters are kept
  std::string content_text{};  ///< what full-text search reads
  StagedBlob blob{};           ///< what `BlobStore::put` has returned
  std::vector<std::string> keywords{};
  std::vector<std::string> tags{};
  std::optional<Instant> fetched_at{};
};

/// An artifact as it is stored, without its text (`read_text`) and its body (`BlobStore::get(*blob_hash)`).
struct Artifact {
  ArtifactId id;
  UserId user_id;
  std::optional<JobId> job_id;
  ArtifactType artifact_type = ArtifactType::web_page;
  std::optional<std::string> source_url;
  std::optional<std::string> title;
  std::optional<std::string> description;
  std::string content_hash;  ///< SHA-256 of the body, in hexadecimal
  std::optional<BlobHash> blob_hash;
  std::optional<std::int64_t> file_size;  ///< of the body, in bytes
  std::optional<std::string> mime_type;
  std::vector<std::string> keywords;
  std::vector<std::string> tags;
  bool is_public = false;
  std::optional<int> http_status;
  std::optional<Instant> fetched_at;
  Instant created_at;
  Instant updated_at;
  std::optional<Instant> deleted_at;
};
BOOST_DESCRIBE_STRUCT(Artifact, (),
                      (id, user_id, job_id, artifact_type, source_url, title, description, content_hash, blob_hash,
                       file_size, mime_type, keywords, tags, is_public, http_status, fetched_at, created_at, updated_at,
                       deleted_at))

}  // namespace quarry::artifacts
