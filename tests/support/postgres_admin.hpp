#pragma once
/// Raw libpq beside the library under test, for what a test must do or see without it.

#include <string>
#include <string_view>
#include <vector>

namespace quarry::test {

/// A connection that stays open for several statements. Not thread-safe.
class AdminConnection {
 public:
  explicit AdminConnection(const std::string& url);
  AdminConnection(const AdminConnection&) = delete;
  AdminConnection& operator=(const AdminConnection&) = delete;
  ~AdminConnection();

  /// One statement; see `run_on_postgres`.
  std::vector<std::string> run(const std::string& sql);

 private:
  void* connection_;  // PGconn, so that tests need not see libpq
};

/// Runs one statement on a connection of its own and returns the first column of its rows as text. Throws
/// `std::runtime_error` with the server's words.
std::vector<std::string> run_on_postgres(const std::string& url, const std::string& sql);

/// The same on the shared test server's administrative database, outside any transaction.
std::vector<std::string> run_as_admin(const std::string& sql);

/// `url` with another database's name in its place.
std::string url_of_database(std::string_view url, std::string_view database);

}  // namespace quarry::test
