#pragma once
/// A small static file server on 127.0.0.1: sites to crawl in tests, benchmarks and `script/run`.
///
/// One thread over epoll. Files are kept in memory once they have been read (up to 512 MB) and looked at again only when
/// their size or time has changed, so that a crawler measured beside it gets nearly all of the machine. HTTP/1.1 with
/// keep-alive and pipelining, GET and HEAD, ETag with 304. A folder gives its `index.html`; a file that is there only as
/// `name.gz` is sent with `Content-Encoding: gzip`. Paths with `..` or NUL in them are refused. For development: it has
/// no time-outs, no TLS, and follows symbolic links.

#include <cstdint>
#include <memory>
#include <string>

namespace quarry::test {

class FileServer {
 public:
  /// Listens at once. Port 0 picks a free one. Throws `std::runtime_error` if the folder or the port cannot be used.
  FileServer(std::string folder, std::uint16_t port);
  ~FileServer();
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  std::uint16_t port() const noexcept;
  /// Serves until `stop`.
  void run();
  /// From any thread, and from a signal handler.
  void stop() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quarry::test
