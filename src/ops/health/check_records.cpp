/// What is kept for bad days: backups, and the record of what was done.

#include "ops/health/checks.hpp"
#include "quarry/backup/backup.hpp"
#include "quarry/backup/error.hpp"
#include "quarry/system/audit_verify.hpp"
#include "quarry/system/settings.hpp"

namespace quarry::ops::health {
namespace {

/// Entries at the end of the audit log whose links are checked; `quarry audit verify` checks all.
constexpr std::int64_t audit_entries = 1'000;

/// In hours; a day and two hours for what runs daily, unless it is set.
constexpr std::string_view age_max_key = "backup.max_age_hours";
constexpr std::int64_t age_max_default = 26;
/// By so much may the clocks of two machines differ.
constexpr std::chrono::minutes clock_slack{10};

}  // namespace

std::optional<Instant> last_verified_backup(Read& tx) {
  try {
    const auto last = backup::last_verified(tx);
    return last ? last->created_at : std::nullopt;
  } catch (const backup::BackupError&) {
    return std::nullopt;  // a record that somebody has changed: the check of backups says so
  }
}

Findings check_backup(const Asked& asked) {
  return asked.read([](Read& tx) {
    Findings found;
    const auto last = backup::last_verified(tx);
    const auto allowed = std::chrono::hours(system::get_integer(tx, age_max_key).value_or(age_max_default));
    if (last && last->created_at) {
      const auto age = tx.now() - *last->created_at;
      const auto words = age < -clock_slack
                             ? fmt::format("the last verified backup is dated {} ahead", in_words(-age))
                             : fmt::format("the last verified backup is {} old", in_words(std::max(age, age.zero())));
      if (age < -clock_slack)
        found.add(CheckState::warning, words, "find out which clock is or was wrong, then quarry backup DIR");
      else if (age > allowed)
        found.add(CheckState::warning, fmt::format("{}, and {} are allowed", words, in_words(allowed)), "quarry backup DIR");
      else
        found.say(words);
    } else {
      found.add(CheckState::warning, "never backed up and verified", "quarry backup DIR");
    }
    // A success takes the failures before it away.
    if (last && last->failed_at)
      found.add(CheckState::warning, fmt::format("the last attempt failed {} ago", in_words(tx.now() - *last->failed_at)),
                "quarry backup DIR, and read what it says");
    return found;
  });
}

Findings check_audit(const Asked& asked) {
  const auto report = asked.read([](Read& tx) { return system::verify_audit_end(tx, audit_entries); });
  Findings found;
  if (!report.intact())
    found.add(
        CheckState::warning,
        fmt::format("{} faults in the last {} entries: {}", report.faults, report.checked, report.breaks.front().message),
        "quarry audit verify, and find out who wrote there");
  else
    found.say(report.checked == 0 ? std::string("empty") : fmt::format("the last {} entries are linked", report.checked));
  return found;
}

}  // namespace quarry::ops::health
