#pragma once
/// What is said about an artifact: tags that somebody gave it, and extractions that a program drew out of it. Both belong to the artifact's
/// owner and end with it.
///
/// Putting is by replacement, so that a task that is run twice leaves what one run leaves. Errors: `invalid`; `constraint` when the owner has
/// no such artifact. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/artifacts/artifact.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::artifacts {

struct MetadataTag {
  std::string tag_type;  ///< `keyword`, `user`, `privacy`, ...; 1 to 50 characters
  std::string tag_key;   ///< 1 to 100 characters
  std::optional<std::string> tag_value;
};
BOOST_DESCRIBE_STRUCT(MetadataTag, (), (tag_type, tag_key, tag_value))

/// Gives the artifact these tags; one with the same type and key is replaced.
void put_tags(Write& tx, UserId user, ArtifactId artifact, std::span<const MetadataTag> tags);
/// False when there was none.
bool remove_tag(Write& tx, UserId user, ArtifactId artifact, std::string_view tag_type, std::string_view tag_key);
/// By type, key and age.
std::vector<MetadataTag> list_tags(Read& tx, UserId user, ArtifactId artifact);
/// The owner's artifacts that carry the tag, newest first, at most `limit`; deleted ones are left out. Without a value, any value will do.
std::vector<ArtifactId> find_tagged(Read& tx, UserId user, std::string_view tag_type, std::string_view tag_key,
                                    std::optional<std::string> tag_value = std::nullopt, int limit = 100);

struct NewExtraction {
  ArtifactId artifact_id{};
  std::string extraction_type{};             ///< 1 to 50 characters: `fields`, `links`, ...
  Json extracted_data{"null"};
  std::optional<double> confidence_score{};  ///< 0 to 1; two decimals are kept
};

struct Extraction {
  Uuid id;
  ArtifactId artifact_id;
  std::string extraction_type;
  std::optional<Json> extracted_data;
  std::optional<double> confidence_score;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(Extraction, (), (id, artifact_id, extraction_type, extracted_data, confidence_score, created_at))

/// All extractions of a type at once: what an artifact had of the types that are named is replaced by what is given.
void put_extractions(Write& tx, UserId user, std::span<const NewExtraction> extractions);
/// In the order in which they were put; of every type when none is named.
std::vector<Extraction> list_extractions(Read& tx, UserId user, ArtifactId artifact,
                                         std::optional<std::string> extraction_type = std::nullopt);

}  // namespace quarry::artifacts
