#pragma once
/// A PostgreSQL server of the tests' own: made by `initdb` in a temporary folder, reached through a Unix socket there and
/// nowhere else, gone with its folder at the end, also when the test process is killed.
///
///     PrivateCluster cluster;                       // about two seconds; for tests that stop or kill the server
///     cluster.kill_immediate();  cluster.start();   // crash and recovery
///
///     const std::string& url = PrivateCluster::shared_url();      // for everything else: one server for all tests
///
/// `initdb` and `postgres` refuse to run as root, so root becomes the user `postgres` for them. Everyone may connect, as
/// `quarry`, a superuser. Errors are `std::runtime_error` with the end of the server's log. Thread safety: none, but for
/// `shared_url`.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "support/process.hpp"

namespace quarry::test {

struct ClusterOptions {
  /// fsync. Off, a commit survives the death of the server but not of the machine, which is all that a test can tell.
  bool durable = false;
  int connections_max = 200;
  /// The server is ended, and its folder removed, when the process with this id has ended. 0: ours.
  pid_t owner = 0;
  /// More settings for the server's command line: `{"wal_level=logical"}`.
  std::vector<std::string> settings{};
};

class PrivateCluster {
 public:
  explicit PrivateCluster(ClusterOptions options = {});
  PrivateCluster(const PrivateCluster&) = delete;
  PrivateCluster& operator=(const PrivateCluster&) = delete;
  ~PrivateCluster();

  /// The URL of a database in this server; `postgres` always exists.
  std::string url(std::string_view database = "postgres") const;
  const std::filesystem::path& folder() const noexcept { return folder_; }

  void start();           ///< returns when the server answers
  void stop();            ///< a fast shutdown: transactions are rolled back, everything is written
  void kill_immediate();  ///< a crash: nothing is written, the next start recovers from the log
  void restart();
  /// Leaves the server running until the owner ends.
  void release();

  /// The administrative URL of the server that tests share: `$QUARRY_TEST_POSTGRES_URL`; or the one that ctest's fixture has
  /// started; or else one that this process starts and ends with. Thread-safe.
  static const std::string& shared_url();

 private:
  void init();
  std::string log_tail() const;

  ClusterOptions options_;
  std::optional<User> user_;
  std::filesystem::path folder_;
  std::optional<Process> server_;
};

/// Where ctest's fixture writes the folder and the URL of the server it has started.
std::filesystem::path cluster_file();

/// Ends the server in `folder`, whoever has started it, and removes the folder. Does nothing when there is none.
void end_cluster(const std::filesystem::path& folder);

}  // namespace quarry::test
