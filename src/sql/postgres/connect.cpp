/// How a connection is made: without blocking, within the deadline, and with every limit the server is to keep.

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <vector>

#include "sql/postgres/connection.hpp"
#include "sql/postgres/error_map.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using std::chrono::steady_clock;

std::string text_of(const char* text) { return text ? text : ""; }

std::string join(const std::vector<ConnectSettings::Server>& servers, std::size_t first,
                 std::string ConnectSettings::Server::*part) {
  std::string out;
  for (std::size_t i = first; i < servers.size(); ++i) out += (i > first ? "," : "") + servers[i].*part;
  return out.find_first_not_of(',') == std::string::npos ? "" : out;
}

/// Starts with the server at `first` of several.
PGconn* start(const ConnectSettings& settings, std::size_t first) {
  std::vector<std::pair<std::string, std::string>> words = settings.defaults;
  // libpq lets a URL in `dbname` overrule what stands before it, and be overruled by what stands behind.
  words.emplace_back("dbname", settings.url.reveal());
  if (!settings.server_options.empty()) words.emplace_back("options", settings.server_options);
  if (first > 0) {
    words.emplace_back("host", join(settings.servers, first, &ConnectSettings::Server::host));
    words.emplace_back("hostaddr", join(settings.servers, first, &ConnectSettings::Server::hostaddr));
    words.emplace_back("port", join(settings.servers, first, &ConnectSettings::Server::port));
  }
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : words) {
    if (value.empty()) continue;
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(keywords.data(), values.data(), 1);
}

/// The place of the server that libpq is trying, from `first` on.
std::size_t position_of(PGconn* handle, const ConnectSettings& settings, std::size_t first) {
  const std::string host = text_of(PQhost(handle)), port = text_of(PQport(handle));
  for (std::size_t i = first; i < settings.servers.size(); ++i) {
    const auto& server = settings.servers[i];
    if ((server.host == host || server.hostaddr == host) && (server.port.empty() || server.port == port)) return i;
  }
  return settings.servers.size();
}

/// What is left of the time, shared among the servers that are still to be tried.
Deadline server_deadline(const ConnectSettings& settings, std::size_t position, Deadline deadline) {
  const auto now = steady_clock::now();
  if (settings.connect_timeout.count() > 0) deadline = std::min(deadline, now + settings.connect_timeout);
  if (position >= settings.servers.size() || deadline == Deadline::max()) return deadline;
  return std::min(deadline, now + (deadline - now) / static_cast<std::int64_t>(settings.servers.size() - position));
}

}  // namespace

std::string Connection::where() const {
  const std::string host = text_of(PQhost(handle_));
  return fmt::format("{}{}{}, database '{}', user '{}'", host.empty() ? "the default host" : host,
                     host.starts_with('/') ? " port " : ":", text_of(PQport(handle_)), text_of(PQdb(handle_)),
                     text_of(PQuser(handle_)));
}

void Connection::refuse_other_encodings() const {
  const char* const found = PQparameterStatus(handle_, "server_encoding");  // told at login: costs no question
  if (!found || std::string_view(found) == "UTF8") return;
  const std::string name = text_of(PQdb(handle_));
  throw Error(
      ErrorCode::invalid,
      fmt::format("the database '{}' has the encoding {}, which cannot hold every text: Quarry needs UTF8. Make a new one "
                  "(createdb --template=template0 --encoding=UTF8 --locale=C.UTF-8 NAME) and name it in the URL",
                  name, found))
      .set_poisons_connection(true);
}

std::unique_ptr<Connection> Connection::open(const ConnectSettings& settings, Deadline deadline) {
  std::size_t first = 0;
  while (true) {
    PGconn* handle = start(settings, first);
    if (!handle) throw std::bad_alloc();
    std::unique_ptr<Connection> connection(new Connection(handle));
    PQsetNoticeReceiver(handle, receive_notice, connection.get());
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE);  // puts the SQLSTATE into connection errors, which have no fields
    first = connection->finish_connecting(settings, first, deadline);
    if (first < settings.servers.size()) continue;
    PQsetErrorVerbosity(handle, PQERRORS_DEFAULT);
    connection->refuse_other_encodings();
    if (PQsetnonblocking(handle, 1) != 0) throw connect_error(connection->where(), PQerrorMessage(handle));
    connection->enter_pipeline();
    return connection;
  }
}

/// libpq goes on to the next server by itself when one refuses, but not when one is silent: then the result is the place of
/// the server to start again with. It is behind the last one when the connection stands.
std::size_t Connection::finish_connecting(const ConnectSettings& settings, std::size_t first, Deadline deadline) {
  if (PQstatus(handle_) == CONNECTION_BAD) throw connect_error(where(), PQerrorMessage(handle_));
  std::size_t position = position_of(handle_, settings, first);
  Deadline patience = server_deadline(settings, position, deadline);
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (wanted == PGRES_POLLING_FAILED) throw connect_error(where(), PQerrorMessage(handle_));
    if (const auto now_at = position_of(handle_, settings, first); now_at != position) {
      position = now_at;
      patience = server_deadline(settings, position, deadline);
    }
    pollfd entry{PQsocket(handle_), static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience - steady_clock::now()).count();
    const int ready = poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready > 0) {
      wanted = PQconnectPoll(handle_);
    } else if (const auto now = steady_clock::now(); now >= patience) {
      if (now < deadline && position + 1 < settings.servers.size()) return position + 1;
      throw Error(ErrorCode::unavailable,
                  fmt::format("cannot connect to PostgreSQL at {}: no answer in time. Check host and port in "
                              "the URL, and whether a firewall stands between",
                              where()));
    }
  }
  return settings.servers.size();
}

}  // namespace quarry::sql::postgres_driver
