#include "backup/postgres/connection_words.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <memory>

#include "quarry/core/error.hpp"

namespace quarry::backup::postgres {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Options parse(std::string_view url) {
  Options options(PQconninfoParse(std::string(url).c_str(), nullptr), PQconninfoFree);
  if (!options) throw_invalid("the PostgreSQL URL cannot be read: it is postgresql://user@host:port/database?option=value");
  return options;
}

std::string value_of(const PQconninfoOption* options, std::string_view keyword) {
  for (const auto* option = options; option->keyword != nullptr; ++option)
    if (keyword == option->keyword && option->val != nullptr) return option->val;
  return {};
}

}  // namespace

std::map<std::string, std::string> environment_of(std::string_view url) {
  const auto options = parse(url);
  std::map<std::string, std::string> environment;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr && option->envvar != nullptr) environment[option->envvar] = option->val;
  environment["PGDATABASE"] = database_of(url);
  return environment;
}

std::string database_of(std::string_view url) {
  const auto options = parse(url);
  if (auto name = value_of(options.get(), "dbname"); !name.empty()) return name;
  if (const auto* name = std::getenv("PGDATABASE"); name != nullptr && *name != '\0') return name;
  if (auto user = value_of(options.get(), "user"); !user.empty()) return user;
  throw_invalid("the PostgreSQL URL names no database: postgresql://user@host/database");
}

std::string url_with_database(std::string_view url, std::string_view name) {
  const auto options = parse(url);
  const auto query_at = std::min(url.find('?'), url.size());
  const auto query = url.substr(query_at);
  if (query.find("dbname=") != std::string_view::npos)
    throw_invalid("name the database in the path of the URL: postgresql://user@host/database");
  const auto authority_at = url.find("://") + 3;
  const auto path_at = std::min(url.find('/', authority_at), query_at);
  std::string encoded;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.')
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return fmt::format("{}/{}{}", url.substr(0, path_at), encoded, query);
}

}  // namespace quarry::backup::postgres
