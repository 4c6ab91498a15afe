#include "quarry/artifacts/extractions.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "artifacts/text_rules.hpp"
#include "quarry/core/error.hpp"

namespace quarry::artifacts {
namespace {

struct ExtractionRow {
  Uuid id;
  UserId user_id;
  ArtifactId artifact_id;
  std::string_view extraction_type;
  Json extracted_data;
  std::optional<double> confidence_score;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(ExtractionRow, (),
                      (id, user_id, artifact_id, extraction_type, extracted_data, confidence_score, created_at))

struct Kind {
  UserId user_id;
  ArtifactId artifact_id;
  std::string_view extraction_type;
  friend auto operator<=>(const Kind&, const Kind&) = default;
};
BOOST_DESCRIBE_STRUCT(Kind, (), (user_id, artifact_id, extraction_type))

constexpr sql::Command<void(Kind)> remove_former{
    "extractions.remove",
    "delete from content_extractions where user_id = $1 and artifact_id = $2 and extraction_type = $3"};

constexpr sql::Command<void(ExtractionRow)> insert{"extractions.insert",
                                                   "insert into content_extractions (id, user_id, artifact_id, "
                                                   "extraction_type, extracted_data, confidence_score, created_at)"
                                                   " values ($1, $2, $3, $4, $5, $6, $7)"};

constexpr sql::Query<StoredExtraction(UserId, ArtifactId)> list_of{
    "extractions.list",
    sql::sqlite("select id, extraction_type, extracted_data, confidence_score, created_at from content_extractions"
                " where user_id = $1 and artifact_id = $2 order by extraction_type, id"),
    sql::postgres("select id, extraction_type, extracted_data, confidence_score::float8, created_at from content_extractions"
                  " where user_id = $1 and artifact_id = $2 order by extraction_type, id")};

}  // namespace

void put_extraction(Write& tx, const NewExtraction& extraction) { put_extractions(tx, std::span(&extraction, 1)); }

void put_extractions(Write& tx, std::span<const NewExtraction> extractions) {
  std::map<Kind, const NewExtraction*> last;
  for (const auto& one : extractions) {
    if (!tx.actor().sees(one.user_id))
      throw Error(ErrorCode::not_found, fmt::format("there is no artifact {}", to_string(one.artifact_id)));
    check_name("extraction_type", one.extraction_type, 50);
    check_text("extracted_data", one.extracted_data.text);
    if (one.confidence_score && !(*one.confidence_score >= 0 && *one.confidence_score <= 1))
      throw_invalid(fmt::format("a confidence_score of {}: it must be from 0 to 1", *one.confidence_score));
    last[{one.user_id, one.artifact_id, one.extraction_type}] = &one;
  }
  if (last.empty()) return;
  std::vector<Kind> kinds;
  std::vector<ExtractionRow> rows;
  for (const auto& [kind, one] : last) {
    auto confidence = one->confidence_score;
    if (confidence) confidence = std::round(*confidence * 100) / 100;  // what PostgreSQL's column keeps
    kinds.push_back(kind);
    rows.push_back(
        {tx.new_uuid(), one->user_id, one->artifact_id, one->extraction_type, one->extracted_data, confidence, tx.now()});
  }
  tx.run_each(remove_former, kinds);
  tx.run_each(insert, rows);
}

std::vector<StoredExtraction> list_extractions(Read& tx, UserId user, ArtifactId artifact) {
  return tx.actor().sees(user) ? tx.all(list_of, user, artifact) : std::vector<StoredExtraction>{};
}

}  // namespace quarry::artifacts
