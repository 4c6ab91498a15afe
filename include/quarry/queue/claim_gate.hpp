#pragma once
/// A say in who gets what: whoever meters, limits or bills looks at the tasks that a claim is about to hand out, and keeps
/// some of them back.
///
///     class OnePerUser final : public ClaimGate { ... };
///     claim(tx, queue, {.worker = me, .limit = 10, .gate = &one_per_user});
///
/// A task that is kept back was never started: it is `scheduled` again, with a time and a reason that `explain` shows; no
/// attempt is counted, and its host has lost no turn. In the order of claiming it moves behind, by as much as it has to
/// wait, so that what is kept back does not hold up the rest. Without a gate a claim does not know of any of this.
///
/// Errors: what a gate throws ends its claim. Thread safety: that of the transaction.

#include <span>
#include <string>
#include <vector>

#include "quarry/queue/claim.hpp"

namespace quarry::queue {

struct KeptBack {
  TaskId id = 0;
  /// Not before. A moment that has passed: it was only not possible to say now; the task keeps its place, and this claim
  /// takes nothing more, since it would meet the same one again.
  Instant until;
  std::string reason{};  ///< for people; `kept_back_words` are put before it
};

class ClaimGate {
 public:
  virtual ~ClaimGate() = default;
  /// Looks at tasks that were just taken, the best first, in the claim's own transaction: what it writes is committed with
  /// their leases or not at all. It must wait for nobody who may wait for a host or a counter of the queue. Returns those
  /// that must not run now. Called several times in a claim, until it is filled.
  virtual std::vector<KeptBack> judge(Write& tx, std::span<const ClaimedTask> tasks) = 0;
};

/// How the `error_message` of a task begins that was kept back.
inline constexpr std::string_view kept_back_words = "kept back: ";

/// Lets a user's tasks that were kept back fall due now, because the reason is gone: at most `limit` of them. Returns how
/// many. Tasks that somebody is just moving are left to their time.
std::int64_t let_go(Write& tx, UserId user, int limit = 10'000);

}  // namespace quarry::queue
