#pragma once
/// The single checks, and what they find.

#include <fmt/format.h>

#include <string>
#include <utility>

#include "quarry/core/error.hpp"
#include "quarry/ops/health.hpp"

namespace quarry::ops::health {

/// What one check has found: the worst state, and all messages.
class Findings {
 public:
  void add(CheckState state, std::string message, std::optional<std::string> remedy = {}) {
    if (!message_.empty()) message_ += "; ";
    message_ += std::move(message);
    if (state <= state_ && !(state == state_ && !remedy_)) return;
    state_ = std::max(state, state_);
    if (remedy) remedy_ = std::move(remedy);
  }
  /// A message without weight.
  void say(std::string message) { add(CheckState::ok, std::move(message)); }

  CheckState state() const noexcept { return state_; }
  const std::string& message() const noexcept { return message_; }
  const std::optional<std::string>& remedy() const noexcept { return remedy_; }

 private:
  CheckState state_ = CheckState::ok;
  std::string message_;
  std::optional<std::string> remedy_;
};

/// What a check is handed.
struct Asked {
  const Database& db;
  const HealthOptions& options;
  std::chrono::milliseconds timeout;

  /// A read that ends by the check's timeout.
  template <class F>
  auto read(F&& body) const {
    return db.read({.deadline = timeout}, std::forward<F>(body));
  }
};

// Each throws what the database throws.
Findings check_database(const Asked& asked);
Findings check_engine(const Asked& asked);
Findings check_schema(const Asked& asked);
Findings check_pool(const Asked& asked);
Findings check_disk(const Asked& asked);
Findings check_transaction_ids(const Asked& asked);
Findings check_replication(const Asked& asked);
Findings check_backup(const Asked& asked);
Findings check_tasks(const Asked& asked);
Findings check_schedules(const Asked& asked);
Findings check_webhooks(const Asked& asked);
Findings check_audit(const Asked& asked);

/// When a backup was last restored and found equal; nothing when none ever was.
std::optional<Instant> last_verified_backup(Read& tx);

/// The file of a SQLite database; nothing for one in memory and for PostgreSQL.
std::optional<std::filesystem::path> sqlite_file(const Database& db);

/// `3 h 20 min`, in the two largest units.
std::string in_words(std::chrono::microseconds duration);
/// `1.5 GB`
std::string bytes_in_words(std::uint64_t bytes);

/// Looks that hang, of each kind, in one process.
constexpr int threads_max = 4;

/// Counting ends here.
constexpr int count_max = 1'000;
/// `1 task waits`, `17 tasks wait`, or `more than 1000 tasks wait`.
std::string count_in_words(std::int64_t counted_to, std::string_view of_one, std::string_view of_many);

}  // namespace quarry::ops::health
