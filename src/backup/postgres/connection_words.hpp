#pragma once
/// A PostgreSQL URL taken apart by libpq's own parser, for programs that are told of it through their environment: what
/// stands on a command line is seen by everybody on the machine.

#include <map>
#include <string>
#include <string_view>

namespace quarry::backup::postgres {

/// `PGHOST`, `PGPASSWORD`, ... as libpq's programs read them. Throws `invalid` without repeating the URL.
std::map<std::string, std::string> environment_of(std::string_view url);
/// The database that the URL names; as libpq has it, the user's name when it names none.
std::string database_of(std::string_view url);
/// The same server, another database. `name` has letters, digits and underscores, or is percent-encoded here.
std::string url_with_database(std::string_view url, std::string_view name);

}  // namespace quarry::backup::postgres
