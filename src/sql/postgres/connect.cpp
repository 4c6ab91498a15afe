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

PGconn* start(const ConnectSettings& settings) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : settings.defaults) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  // libpq lets a URL in `dbname` overrule what stands before it, and be overruled by what stands behind.
  const std::string url(settings.url.reveal());
  keywords.push_back("dbname");
  values.push_back(url.c_str());
  if (!settings.server_options.empty()) {
    keywords.push_back("options");
    values.push_back(settings.server_options.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(keywords.data(), values.data(), 1);
}

}  // namespace

std::string Connection::where() const {
  const std::string host = text_of(PQhost(handle_));
  return fmt::format("{}{}{}, database '{}', user '{}'", host.empty() ? "the default host" : host, host.starts_with('/') ? " port " : ":",
                     text_of(PQport(handle_)), text_of(PQdb(handle_)), text_of(PQuser(handle_)));
}

std::unique_ptr<Connection> Connection::open(const ConnectSettings& settings, Deadline deadline) {
  PGconn* handle = start(settings);
  if (!handle) throw std::bad_alloc();
  std::unique_ptr<Connection> connection(new Connection(handle));
  PQsetNoticeReceiver(handle, receive_notice, connection.get());
  PQsetErrorVerbosity(handle, PQERRORS_VERBOSE);  // puts the SQLSTATE into connection errors, which have no fields
  connection->finish_connecting(deadline);
  PQsetErrorVerbosity(handle, PQERRORS_DEFAULT);
  if (PQsetnonblocking(handle, 1) != 0) throw connect_error(connection->where(), PQerrorMessage(handle));
  connection->enter_pipeline();
  return connection;
}

void Connection::finish_connecting(Deadline deadline) {
  if (PQstatus(handle_) == CONNECTION_BAD) throw connect_error(where(), PQerrorMessage(handle_));
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (wanted == PGRES_POLLING_FAILED) throw connect_error(where(), PQerrorMessage(handle_));
    pollfd entry{PQsocket(handle_), static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    const int ready = poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready > 0) wanted = PQconnectPoll(handle_);
    else if (steady_clock::now() >= deadline)
      throw Error(ErrorCode::unavailable, fmt::format("cannot connect to PostgreSQL at {}: no answer in time. Check host and port in "
                                                      "the URL, and whether a firewall stands between", where()));
  }
}

}  // namespace quarry::sql::postgres_driver
