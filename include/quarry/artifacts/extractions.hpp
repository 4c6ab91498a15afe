#pragma once
/// What was taken out of an artifact: the fields of a job's config, links, tables, text. One row per artifact and kind.
///
/// Errors: `invalid` (a field out of its bounds, text that is not JSON), `constraint` (no such artifact of this user).
/// Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::artifacts {

struct NewExtraction {
  UserId user_id{};  ///< the artifact's owner
  ArtifactId artifact_id{};
  std::string extraction_type{};  ///< 1 to 50 characters: `fields`, `links`
  Json extracted_data{"null"};
  std::optional<double> confidence_score{};  ///< 0 to 1, kept to two decimals
};

/// Stores it, in the place of what the artifact had of the same kind; of several with one kind the last stays. Errors:
/// `invalid`, `constraint` (no such artifact of this user).
void put_extraction(Write& tx, const NewExtraction& extraction);
/// Many at once, in bulk; all of them or none.
void put_extractions(Write& tx, std::span<const NewExtraction> extractions);

struct StoredExtraction {
  Uuid id;
  std::string extraction_type;
  Json extracted_data;
  std::optional<double> confidence_score;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(StoredExtraction, (), (id, extraction_type, extracted_data, confidence_score, created_at))

/// By kind.
std::vector<StoredExtraction> list_extractions(Read& tx, UserId user, ArtifactId artifact);

}  // namespace quarry::artifacts
