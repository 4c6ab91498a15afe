#include "support/postgres_admin.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "support/private_cluster.hpp"

namespace quarry::test {

AdminConnection::AdminConnection(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  PGconn* const connection = static_cast<PGconn*>(connection_);
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);  // "does not exist, skipping" is no news
  if (PQstatus(connection) == CONNECTION_OK) return;
  const std::string message = PQerrorMessage(connection);
  PQfinish(connection);
  throw std::runtime_error(message);
}

AdminConnection::~AdminConnection() { PQfinish(static_cast<PGconn*>(connection_)); }

std::vector<std::string> AdminConnection::run(const std::string& sql) {
  PGconn* const connection = static_cast<PGconn*>(connection_);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(connection));
  std::vector<std::string> values;
  for (int row = 0; row < PQntuples(result.get()); ++row) values.emplace_back(PQgetvalue(result.get(), row, 0));
  return values;
}

std::vector<std::string> run_on_postgres(const std::string& url, const std::string& sql) {
  return AdminConnection(url).run(sql);
}

std::vector<std::string> run_as_admin(const std::string& sql) { return run_on_postgres(PrivateCluster::shared_url(), sql); }

std::string url_of_database(std::string_view url, std::string_view database) {
  // scheme://authority/database?options
  const std::size_t authority = url.find("://");
  if (authority == std::string_view::npos) throw std::runtime_error("not a PostgreSQL URL: " + std::string(url));
  const std::size_t options = std::min(url.find('?'), url.size());
  const std::size_t path = std::min(url.find('/', authority + 3), options);
  return std::string(url.substr(0, path)) + "/" + std::string(database) + std::string(url.substr(options));
}

}  // namespace quarry::test
