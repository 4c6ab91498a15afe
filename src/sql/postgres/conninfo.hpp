#pragma once
/// The URL of a PostgreSQL database: checked by libpq's own parser, shown without its secrets, and turned into the keywords
/// of a connection.

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quarry/core/secret.hpp"
#include "quarry/sql/options.hpp"

namespace quarry::sql::postgres_driver {

/// Everything that is needed to open a connection. Immutable after it has been made, hence thread-safe.
struct ConnectSettings {
  Secret url;
  /// The URL without what libpq marks as a secret (`password`, `sslpassword`).
  std::string display_url;
  /// Keywords that hold unless the URL says otherwise: keepalives, application name, timeouts.
  std::vector<std::pair<std::string, std::string>> defaults;
  /// Value of `options`: ours, then the URL's, so that the URL wins. Empty when the server must not be told (PgBouncer).
  std::string server_options;
  /// Where the URL names several servers: which. Empty for one, which libpq finds by itself.
  struct Server {
    std::string host, hostaddr, port;
  };
  std::vector<Server> servers;
  /// `connect_timeout` of the URL, per server; 0: none.
  std::chrono::seconds connect_timeout{0};
};

/// Throws `invalid` when libpq cannot read `url`; the message does not repeat it, because it may hold a password.
ConnectSettings parse_url(std::string_view url, const DatabaseOptions& options);

/// `ConnectSettings::display_url` alone. Throws as `parse_url`.
std::string shown_url(std::string_view url);

}  // namespace quarry::sql::postgres_driver
