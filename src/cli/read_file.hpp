#pragma once
/// Files that a command line names.

#include <cstddef>
#include <string>
#include <string_view>

namespace quarry::cli {

/// What may be named.
enum class Named {
  file,          ///< a regular file: a pipe may never begin, and a device never end
  file_or_pipe,  ///< that, too: `<(...)` of a shell
};

/// The file's bytes; `what` it is goes before its name in errors ("the config file").
/// Throws `not_found` when it is not there, `denied` when this user may not read it, `invalid` when it is something else or
/// larger than `bytes_max`, and `unavailable` when reading fails.
std::string read_file(const std::string& path, std::string_view what, std::size_t bytes_max, Named named = Named::file);

}  // namespace quarry::cli
