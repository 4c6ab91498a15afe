#pragma once
/// Artifacts in the caller's transaction: put, find, change, delete, list.
///
///     auto blob = blobs.put(body);                                   // durable on disk first
///     db.write([&](Write& tx) { artifacts::put_artifact(tx, {.user_id = user, .job_id = job, .source_url = url, .blob =
///     blob}); });
///
/// Each row counts as one reference to its blob, and the count moves in the same transaction as the row. There is one
/// artifact per job and URL: putting it again replaces what was stored, keeps its id, and moves the count from the old body
/// to the new one; so a task that is run twice leaves what one run leaves.
///
/// Everything but `find`, `get` and `exists` by id alone takes the owner with the id: another user's artifact does not
/// exist. What is deleted, brought back and purged is recorded in the audit log (quarry/system/record.hpp). Errors:
/// `not_found`, `invalid` (a text that is not UTF-8, a URL that is too long, a cursor of another list), `constraint` (no
/// such user or job), `conflict` (changed since it was read). Thread safety: that of the transaction.

#include <span>
#include <string>
#include <vector>

#include "quarry/artifacts/artifact.hpp"
#include "quarry/sql/transaction.hpp"
#include "quarry/store/list.hpp"

namespace quarry::artifacts {

/// Stores one, or replaces what its job and URL had.
ArtifactId put_artifact(Write& tx, const NewArtifact& artifact);
/// Many at once; the ids stand in the order of the artifacts. Of several with one job and URL the last one stays, under one
/// id.
std::vector<ArtifactId> put_artifacts(Write& tx, std::span<const NewArtifact> artifacts);

/// Deleted ones too: `deleted_at` tells.
std::optional<Artifact> find(Read& tx, ArtifactId id);
/// The same for an artifact of this user.
std::optional<Artifact> find(Read& tx, UserId user, ArtifactId id);
/// What `find` finds. Throws `not_found` and names the id.
Artifact get(Read& tx, ArtifactId id);
/// Whether it is there and not deleted.
bool exists(Read& tx, ArtifactId id);
/// The one that is not deleted.
std::optional<Artifact> find_by_url(Read& tx, JobId job, std::string_view source_url);
/// The text that full-text search reads.
std::optional<std::string> read_text(Read& tx, UserId user, ArtifactId id);

/// What is set is changed. An empty text removes the old one.
struct ArtifactChanges {
  std::optional<std::string> title{};
  std::optional<std::string> description{};
  std::optional<std::vector<std::string>> keywords{};
  std::optional<std::vector<std::string>> tags{};
  std::optional<bool> is_public{};
  /// `updated_at` as the caller read it; the artifact must not have changed since.
  std::optional<Instant> unchanged_since{};
};
/// The artifact as it is now. Throws `not_found` when there is none, or it is deleted, and `conflict` when it has changed.
Artifact update(Write& tx, UserId user, ArtifactId id, const ArtifactChanges& changes);

/// Hides the artifact from lists and search; it keeps its body and can be brought back. False when it was hidden already;
/// throws `not_found` when there is none.
bool soft_delete(Write& tx, UserId user, ArtifactId id);
/// Takes a deletion back. False when it was not deleted; throws `not_found` when there is none, and `conflict` when its page
/// has been stored anew meanwhile.
bool restore(Write& tx, UserId user, ArtifactId id);
/// Ends the row, deleted or not, with its tags and extractions; the body goes with its last reference. False when there is
/// none.
bool purge(Write& tx, UserId user, ArtifactId id);
/// Purges up to `limit` artifacts that were deleted before `deleted_before`: a user's own, or everybody's for those who see
/// everything. Returns how many.
std::int64_t purge_deleted(Write& tx, Instant deleted_before, std::int64_t limit = 1000);
/// Purges up to `limit` artifacts of a job, deleted or not. Returns how many: none of a job that the actor does not see.
/// Records nothing: whoever purges the job does.
std::int64_t purge_of_job(Write& tx, JobId job, std::int64_t limit = 1000);
/// The same of a user.
std::int64_t purge_of_user(Write& tx, UserId user, std::int64_t limit = 1000);

/// Which artifacts: those that meet every condition that is set.
struct ArtifactFilter {
  std::optional<UserId> user_id{};
  std::optional<JobId> job_id{};
  std::optional<ArtifactType> type{};
  std::optional<std::string> keyword{};  ///< one of its keywords, whole
  std::optional<std::string> tag{};      ///< likewise
  std::optional<BlobHash> blob_hash{};
  /// Stands in the title or the description, without regard to (ASCII) case; `search` finds words in the text, too.
  std::optional<std::string> text{};
  bool deleted = false;  ///< the deleted ones instead of the others
};

/// None that moves by itself, so that pages neither lose nor repeat a row, and none without an index. Ids are made in the
/// order of time, so `created_at` goes by them, which are part of the indexes by user and by job.
enum class ArtifactOrder { created_at };
BOOST_DESCRIBE_ENUM(ArtifactOrder, created_at)

struct ArtifactListOrder {
  ArtifactOrder by = ArtifactOrder::created_at;
  store::Direction direction = store::Direction::descending;
};

/// The newest first, unless the other direction is asked for. Throws `invalid` for a limit out of bounds and for a cursor of
/// another order.
Page<Artifact> list(Read& tx, const ArtifactFilter& filter = {}, const PageRequest& page = {},
                    const ArtifactListOrder& order = {});
/// How many there are. Its cost grows with their number.
std::int64_t count(Read& tx, const ArtifactFilter& filter = {});

}  // namespace quarry::artifacts
