#pragma once
/// An HTTP/1.1 server on 127.0.0.1 for tests: a function makes the answers, well-formed or not.
///
/// One thread for each connection, kept alive. The handler is called from those threads at once: it must be thread-safe.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace quarry::test {

struct HttpRequest {
  std::string method, target;
  std::map<std::string, std::string> headers = {};  ///< names in lower case; of several the last
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< beside Content-Length
  std::string body = {};
  std::chrono::milliseconds delay{0};   ///< before the first byte
  bool close = false;                   ///< ends the connection after this answer
  std::optional<std::string> raw = {};  ///< sent instead of all that, as it is; then the connection is closed
};

class LoopbackServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// `http://127.0.0.1:PORT` and `path`.
  std::string url(const std::string& path) const;
  int connections() const noexcept { return connections_; }  ///< accepted since the start
  int requests() const noexcept { return requests_; }

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0}, requests_{0};
  std::mutex mutex_;
  std::vector<int> open_;             // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace quarry::test
