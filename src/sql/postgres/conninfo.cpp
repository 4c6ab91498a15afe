#include "sql/postgres/conninfo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "quarry/core/error.hpp"
#include "sql/postgres/handles.hpp"

namespace quarry::sql::postgres_driver {
namespace {

ConninfoPtr parse(const std::string& url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://"))
    throw_invalid("a PostgreSQL URL begins with postgresql://, as in postgresql://user@host:5432/database");
  char* message = nullptr;
  ConninfoPtr parsed(PQconninfoParse(url.c_str(), &message));
  const TextPtr owned(message);
  if (parsed) return parsed;
  // libpq's words may repeat the URL, and with it the password; the name of an unknown option is all that is safe.
  constexpr std::string_view unknown = "invalid URI query parameter: \"";
  std::string client =
      "the PostgreSQL URL cannot be read: write it as postgresql://user@host:5432/database?option=value, with "
      "special characters percent-encoded";
  if (const std::string_view text = message ? message : ""; text.starts_with(unknown)) {
    const auto name = text.substr(unknown.size());
    client = fmt::format("the PostgreSQL URL has an option '{}' that libpq does not know", name.substr(0, name.find('"')));
  }
  throw_invalid(client);
}

std::string value_of(const PQconninfoOption* options, std::string_view keyword) {
  for (; options->keyword; ++options)
    if (options->keyword == keyword) return options->val ? options->val : "";
  return "";
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  while (true) {
    const auto comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~/:[]").find(c) != std::string_view::npos;
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string show(const PQconninfoOption* options) {
  const auto hosts = split(value_of(options, "host"));
  const auto ports = split(value_of(options, "port"));
  std::string out = "postgresql://";
  if (const auto user = value_of(options, "user"); !user.empty()) out += encode(user) + "@";
  bool sockets = false;
  for (const auto& host : hosts) sockets |= host.starts_with('/');
  for (std::size_t i = 0; i < hosts.size() && !sockets; ++i) {
    if (i > 0) out += ",";
    out += hosts[i].find(':') == std::string::npos ? encode(hosts[i]) : "[" + hosts[i] + "]";
    if (!ports.empty()) out += ":" + ports[std::min(i, ports.size() - 1)];
  }
  out += "/" + encode(value_of(options, "dbname"));
  char separator = '?';
  for (; options->keyword; ++options) {
    const std::string_view keyword = options->keyword;
    const bool shown = keyword == "user" || keyword == "dbname" || (!sockets && (keyword == "host" || keyword == "port"));
    const bool secret = options->dispchar && options->dispchar[0] == '*';
    if (!options->val || shown || secret) continue;
    out += separator + std::string(keyword) + "=" + encode(options->val);
    separator = '&';
  }
  return out;
}

/// One port serves all hosts, or each has its own. What does not fit together is left to libpq, which refuses it.
std::vector<ConnectSettings::Server> several_servers(const PQconninfoOption* options) {
  const auto hosts = split(value_of(options, "host"));
  const auto addresses = split(value_of(options, "hostaddr"));
  const auto ports = split(value_of(options, "port"));
  const std::size_t count = std::max(hosts.size(), addresses.size());
  const auto fits = [&](const auto& list) { return list.empty() || list.size() == count; };
  if (count < 2 || !fits(hosts) || !fits(addresses) || (!fits(ports) && ports.size() != 1)) return {};
  std::vector<ConnectSettings::Server> servers(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!hosts.empty()) servers[i].host = hosts[i];
    if (!addresses.empty()) servers[i].hostaddr = addresses[i];
    if (!ports.empty()) servers[i].port = ports[ports.size() == 1 ? 0 : i];
  }
  return servers;
}

/// `-c name=value` for each limit that the server is to keep.
std::string server_options(const DatabaseOptions& options, const std::string& own) {
  const auto statement_ms = options.statement_timeout.count();
  std::string out = fmt::format("-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={}",
                                statement_ms, options.busy_timeout.count(), statement_ms * 10);
  // Streams read all rows of their cursor: plan for that instead of for the first tenth.
  out += " -c cursor_tuple_fraction=1";
  if (!own.empty()) out += " " + own;
  return out;
}

}  // namespace

std::string shown_url(std::string_view url) { return show(parse(std::string(url)).get()); }

ConnectSettings parse_url(std::string_view url, const DatabaseOptions& options) {
  const std::string text(url);
  const ConninfoPtr parsed = parse(text);
  ConnectSettings settings;
  settings.url = Secret(text);
  settings.display_url = show(parsed.get());
  settings.servers = several_servers(parsed.get());
  const auto timeout = value_of(parsed.get(), "connect_timeout");
  int seconds = 0;
  std::from_chars(timeout.data(), timeout.data() + timeout.size(), seconds);
  settings.connect_timeout = std::chrono::seconds(std::max(seconds, 0));
  // A peer that vanished is noticed after about a minute, also while something waits to be sent to it.
  settings.defaults = {{"fallback_application_name", "quarry"},
                       {"client_encoding", "UTF8"},
                       {"keepalives", "1"},
                       {"keepalives_idle", "30"},
                       {"keepalives_interval", "10"},
                       {"keepalives_count", "3"},
                       {"tcp_user_timeout", "60000"}};
  const auto own = value_of(parsed.get(), "options");
  settings.server_options = options.server_prepare ? server_options(options, own) : own;
  return settings;
}

}  // namespace quarry::sql::postgres_driver
