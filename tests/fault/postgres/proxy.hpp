#pragma once
/// Stands between a program and a PostgreSQL server, on Unix sockets: counts the connections, and cuts one after a given
/// byte of a given direction.
///
///     PostgresProxy proxy(cluster.folder());
///     auto db = Database::open(proxy.url("postgres"));
///     proxy.cut(PostgresProxy::Way::to_server, 17);      // 17 more bytes reach the server, then both ends see the end
///
/// One thread looks at all sockets. It sees the end of a connection before it accepts one that was made afterwards, so that
/// the largest number of connections is exact. Requests to cancel, which need a connection of their own, are handed on and
/// not counted. Thread-safe.

#include <sys/types.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "support/temp_dir.hpp"

namespace quarry::test {

class PostgresProxy {
 public:
  enum class Way : std::size_t { to_server, to_client };

  /// `server_folder` holds the server's socket.
  explicit PostgresProxy(const std::filesystem::path& server_folder);
  PostgresProxy(const PostgresProxy&) = delete;
  PostgresProxy& operator=(const PostgresProxy&) = delete;
  ~PostgresProxy();

  std::string url(std::string_view database) const;

  /// Lets `bytes` more bytes pass that way, all connections taken together, and then closes the connection that brought the
  /// next one, or the last one that passed. Once.
  void cut(Way way, std::size_t bytes);
  /// Takes back a cut that has not happened. True when it had.
  bool has_cut();
  /// Bytes that have passed since the last call.
  std::size_t take_passed(Way way);
  /// The most connections that were open at once.
  std::size_t connections_most() const { return most_; }

 private:
  struct Link {
    int client = -1;
    int server = -1;
    bool greeted = false;  ///< its first bytes have told what it is
    bool counted = false;
    bool ended = false;
  };

  void run();
  void accept_one();
  void forward(Link& link, Way way);
  void close(Link& link);
  void look_at_greeting(Link& link, std::string_view bytes);
  /// How many of `size` bytes may pass; `cut_now` when the connection ends after them.
  std::size_t allowed(Way way, std::size_t size, bool& cut_now);

  TempDir folder_{"proxy"};
  std::filesystem::path server_socket_;
  int listener_ = -1;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> open_ = 0, most_ = 0;
  std::mutex mutex_;
  std::optional<std::pair<Way, std::size_t>> cut_;
  bool has_cut_ = false;
  std::array<std::size_t, 2> passed_{};
  std::list<Link> links_;
  std::jthread thread_;
};

}  // namespace quarry::test
