#include "artifacts/search_index.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "quarry/artifacts/artifact.hpp"
#include "quarry/core/error.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::artifacts {
namespace {

/// SQLITE_CORRUPT_VTAB: the virtual table contradicts itself or its content. SQLITE_CORRUPT alone would be the file.
constexpr int sqlite_corrupt_vtab = 267;
/// Of a megabyte of text, PostgreSQL makes a vector in about a tenth of a second.
constexpr int artifacts_at_once = 50;

constexpr sql::Query<std::int64_t()> count_artifacts{"artifact.count_indexed", "select count(*) from artifacts"};

struct IndexedArtifact {
  ArtifactId id;
  bool is_wrong = false;
};
BOOST_DESCRIBE_STRUCT(IndexedArtifact, (), (id, is_wrong))
constexpr sql::Query<IndexedArtifact(ArtifactId, int)> compare_vectors{
    "artifact.compare_vectors", sql::sqlite(""),
    sql::postgres("select id, search_vector is distinct from artifact_search_vector(title, description, content_text)"
                  " as is_wrong from artifacts where id > $1 order by id limit $2")};
// Whatever is written to a text makes the engine index it, its old value, too.
constexpr sql::Command<void(ArtifactId)> index_anew{
    "artifact.index_anew", sql::sqlite(""), sql::postgres("update artifacts set content_text = content_text where id = $1")};

bool is_index_whole(const Database& db) {
  try {
    db.backend().run_outside_transaction("artifact.check_index",
                                         "insert into artifacts_fts (artifacts_fts, rank) values ('integrity-check', 1)");
    return true;
  } catch (const Error& error) {
    if (error.native_code() != sqlite_corrupt_vtab) throw;
    return false;
  }
}

/// `visit` gets each piece's artifacts that are indexed wrongly.
void walk_vectors(const Database& db, const std::function<void()>& progress,
                  const std::function<void(const std::vector<ArtifactId>&)>& visit) {
  ArtifactId after;
  while (true) {
    const auto piece = db.read([&](Read& tx) { return tx.all(compare_vectors, after, artifacts_at_once); });
    std::vector<ArtifactId> wrong;
    for (const auto& artifact : piece)
      if (artifact.is_wrong) wrong.push_back(artifact.id);
    if (!wrong.empty()) visit(wrong);
    if (progress) progress();
    if (std::cmp_less(piece.size(), artifacts_at_once)) return;
    after = piece.back().id;
  }
}

}  // namespace

std::int64_t count_wrongly_indexed(const Database& db, const std::function<void()>& progress) {
  if (db.engine() == Engine::sqlite)
    return is_index_whole(db) ? 0 : std::max<std::int64_t>(1, db.read([](Read& tx) { return tx.value(count_artifacts); }));
  std::int64_t wrong = 0;
  walk_vectors(db, progress, [&](const auto& artifacts) { wrong += std::ssize(artifacts); });
  return wrong;
}

void mend_search_index(const Database& db, const std::function<void()>& progress) {
  if (db.engine() == Engine::sqlite)
    return db.backend().run_outside_transaction("artifact.rebuild_index",
                                                "insert into artifacts_fts (artifacts_fts) values ('rebuild')");
  walk_vectors(db, progress, [&](const auto& artifacts) {
    db.write([&](Write& tx) {
      for (const auto& artifact : artifacts) tx.run(index_anew, artifact);
    });
  });
}

}  // namespace quarry::artifacts
