#pragma once
/// A few pages for monitors on this machine: metrics and health over HTTP, on the loopback interface and nowhere else.
///
///     http::StatusServer server(http::parse_loopback("9464"),
///                               {{"/metrics", make_metrics}, {"/health/live", say_live, http::StatusPage::Cost::quick}});
///
/// It gives figures and no data, but those are nobody else's business either: whoever wants to read them from another
/// machine puts a proxy before it that asks who is there. For the same reason a request must name a loopback host, so that
/// no page in a browser on this machine can have its own name resolved to us (DNS rebinding).
///
/// One thread talks to all clients, another one makes pages, one at a time. `quick` pages are made by the first, so that
/// they are answered whatever the second waits for. Bounded: 32 connections, 8 KiB of a request, ten seconds for one to
/// arrive.
///
/// Errors: `invalid` (an address that is not loopback), `unavailable` (the port is taken). What a page throws is answered
/// with 503 and the message for clients, for `Error`s. Thread safety: the constructor's thread owns it; pages are called
/// from the server's threads until the destructor returns.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::http {

struct LoopbackAddress {
  std::string host;  ///< `127.0.0.1` or `::1`
  std::uint16_t port = 0;
};
/// Reads `9464`, `127.0.0.1:9464`, `localhost:9464` or `[::1]:9464`. Port 0 takes any that is free. Throws `invalid`.
LoopbackAddress parse_loopback(std::string_view text);

struct StatusAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct StatusPage {
  enum class Cost { quick, may_wait };
  std::string path;  ///< `/metrics`
  std::function<StatusAnswer()> make;
  Cost cost = Cost::may_wait;
};

class StatusServer {
 public:
  /// Listens when it returns.
  StatusServer(const LoopbackAddress& address, std::vector<StatusPage> pages);
  /// Waits for the page that is being made, and closes all connections.
  ~StatusServer();
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  /// `http://127.0.0.1:9464`
  std::string url() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quarry::http
