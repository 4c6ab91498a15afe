#pragma once
/// Which backups may go.
///
///     auto keep = backup::parse_keep("7d,4w,12m");      // the last of each of the last 7 days, 4 weeks and 12 months
///     auto pruned = backup::prune("/mnt/backups", keep, now);
///
/// Of each period (h, d, w, m, y; days and months of UTC, weeks from Monday) that holds a verified backup the newest one is
/// kept, for as many such periods as is said, counted from the newest backwards: days without a backup do not count, so that
/// a pause deletes nothing; where the newest one lacks bodies, so is the newest one that has all of its own. All others go,
/// if a newer verified backup covers them: one that is known to be of the same database, and that holds its bodies (made
/// without them, or after the content store had lost some, it covers only what has none either). So the newest verified one
/// stays whatever is said, and what is newer than it stays, too. Bodies go when no backup that is left names them; while the
/// list of one of these is missing or damaged, none goes.
///
/// Errors: `invalid` for a rule that cannot be read, and those of the repository.

#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/backup/repository.hpp"

namespace quarry::backup {

struct Keep {
  int hours = 0;
  int days = 0;
  int weeks = 0;
  int months = 0;
  int years = 0;
};

/// Throws `invalid` and shows the form. At least one period must be named, each once, 1 to 10000.
Keep parse_keep(std::string_view text);

/// The names of those that go. `backups` are in the order of their names, which is that of time.
std::vector<std::string> expendable(const std::vector<Summary>& backups, const Keep& keep);

struct Pruned {
  std::vector<std::string> removed;
  std::int64_t kept = 0;
  std::int64_t bodies_removed = 0;
  std::int64_t bodies_removed_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(Pruned, (), (removed, kept, bodies_removed, bodies_removed_bytes))

/// A verified backup covers older ones only while its parts lie there in the sizes they had, and all of its bodies. Throws
/// `busy`, `unavailable`; interrupted, the next call goes on.
Pruned prune(const std::filesystem::path& dir, const Keep& keep, bool dry_run = false);

}  // namespace quarry::backup
