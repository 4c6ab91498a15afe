#pragma once
/// Where a SQLite backup is restored to.

#include <filesystem>
#include <functional>
#include <string>

#include "backup/engine.hpp"
#include "backup/file.hpp"
#include "quarry/backup/facts.hpp"

namespace quarry::backup::sqlite {

/// Writes the pages that `in` gives (`Source::copy`) into the new file `out`, whose name is `file`, durably, and returns its
/// size. The file is no database before all of it is there.
std::int64_t write_pages(const BytesIn& in, const File& out, const std::filesystem::path& file,
                         const std::function<void()>& after_slice);

/// What a restored file holds, after SQLite's own checks of it. Throws `BackupError` (differs) when they find something.
DatabaseFacts examine(const std::filesystem::path& file, const std::function<void()>& after_slice);

/// Throws `conflict` when the file is there and holds rows of somebody's, or anything at all of another program's.
void refuse_rows(const std::filesystem::path& target);

/// Throws `busy` when somebody has the file open. Whoever opens it later is met by `put_in_place`.
void refuse_use(const std::filesystem::path& target);

/// Puts `file` in the place of `target` in one step. What is there must be used by nobody: `busy` otherwise, and `file`
/// stays where it is. What would be lost is looked at under the lock by which nobody can add to it. A target that SQLite's
/// quick check does not find whole is moved aside, to a name that is returned.
std::string put_in_place(const std::filesystem::path& file, const std::filesystem::path& target, const Placing& placing);

}  // namespace quarry::backup::sqlite
