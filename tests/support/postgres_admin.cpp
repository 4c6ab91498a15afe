#include "support/postgres_admin.hpp"

#include <libpq-fe.h>

#include <memory>
#include <stdexcept>

#include "support/private_cluster.hpp"

namespace quarry::test {

std::vector<std::string> run_on_postgres(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url.c_str()), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  std::vector<std::string> values;
  for (int row = 0; row < PQntuples(result.get()); ++row) values.emplace_back(PQgetvalue(result.get(), row, 0));
  return values;
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
