#pragma once
/// Looking into a database that is to be replaced, at the last moment at which somebody could have put something into it.

#include <string>
#include <string_view>

#include "backup/postgres/server.hpp"

namespace quarry::backup::postgres {

/// Throws `conflict` when the database holds anything of somebody's.
void refuse_to_lose(Read& tx, std::string_view database);

/// Runs `rename`, which gives another name to the database of `target_url`, in the transaction that `server` has begun, and
/// throws `conflict` when that database holds anything of somebody's, `busy` when somebody else is in it.
///
/// The server lets nobody in from the moment it has locked the database for the renaming, and then waits up to five seconds
/// (CountOtherDBBackends) for those to go who are inside. We are inside: in between we look, and go.
void rename_unless_lost(Administration& server, const std::string& rename, std::string_view target_url);

}  // namespace quarry::backup::postgres
