#pragma once
/// What the commands of users, sessions and keys read: who is meant, and secrets, which never are arguments: other people
/// see those in the list of processes, and the shell keeps them.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/settings.hpp"
#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/core/secret.hpp"

namespace quarry::cli {

/// By username, email or id. Throws `not_found`.
accounts::User user_of(Read& tx, const std::string& name);

/// The first line of a file, or of standard input when `file` is empty or `-`. On a terminal it asks for `what`, and shows
/// nothing of what is typed. Throws `invalid` for one that is empty, and for more than one line.
Secret read_secret(const std::string& file, const char* what);

/// `--pepper-file FILE`, which may be repeated: the first is for new keys. The setting `pepper_file` names one, too.
void add_pepper_option(CLI::App& command, std::vector<std::string>& files);
accounts::Peppers read_peppers(const Settings& settings, const std::vector<std::string>& files);

}  // namespace quarry::cli
