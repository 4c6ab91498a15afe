#pragma once
/// On whose behalf a transaction runs.
///
///     db.read({.actor = Actor::user(ada)}, [&](Read& tx) { return jobs::list(tx); });      // Ada's jobs, and nobody else's
///
/// Workers, migrations and the command line act as the system, which is the default. A service acts as whoever has been
/// authenticated (`accounts::authenticate` gives the actor).
///
/// Every store keeps to it: a row that the actor does not see is not found, and changing one changes nothing. PostgreSQL
/// keeps to it once more, by row-level security: the transaction runs as the role `quarry_tenant`, whose policies show the
/// rows of this user alone (docs/tenants.md). SQLite has no such thing, so there the stores are the only guard.
///
/// Errors: none. Thread safety: values.

#include <optional>

#include "quarry/core/id.hpp"

namespace quarry {

class Actor {
 public:
  /// The system itself, which sees everything.
  Actor() = default;
  /// The system itself.
  static Actor system() noexcept { return {}; }
  /// A user, who sees what is theirs.
  static Actor user(UserId id) noexcept { return Actor(id, false); }
  /// An administrator: a user who sees everything.
  static Actor admin(UserId id) noexcept { return Actor(id, true); }

  /// Nothing for the system.
  const std::optional<UserId>& user_id() const noexcept { return user_id_; }
  bool sees_all() const noexcept { return sees_all_; }
  /// Whose rows alone are there; nothing for whoever sees everything.
  std::optional<UserId> only() const noexcept { return sees_all_ ? std::nullopt : user_id_; }
  /// Whether rows of this owner are there for the actor.
  bool sees(UserId owner) const noexcept { return sees_all_ || user_id_ == owner; }

  friend bool operator==(const Actor&, const Actor&) = default;

 private:
  Actor(UserId id, bool sees_all) noexcept : user_id_(id), sees_all_(sees_all) {}

  std::optional<UserId> user_id_;
  bool sees_all_ = true;
};

}  // namespace quarry
