#pragma once
/// Where a file really is.

#include <filesystem>

namespace quarry {

/// The place at which `file` is found, or would be made: absolute, and behind all links, also one that leads to nothing yet.
/// Two spellings of one file give the same path, and it stays right when the working directory changes. SQLite names a
/// database's log so; whoever keeps anything else beside a database must, too.
///
/// Throws nothing: what cannot be looked at (a folder without permission, a ring of links) is left as it is spelled.
std::filesystem::path resolved_path(const std::filesystem::path& file);

}  // namespace quarry
