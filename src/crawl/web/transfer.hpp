#pragma once
/// One request from its first hop to its response, over one easy handle.

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "crawl/web/http_headers.hpp"
#include "quarry/crawl/fetcher.hpp"

namespace quarry::crawl {

struct EasyDeleter {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

class Transfer {
 public:
  Transfer(Request request, const FetcherOptions& options, EasyHandle handle);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  CURL* handle() const noexcept { return handle_.get(); }
  /// Sets the handle up for the current hop. False if the transfer ends here; see `response`.
  bool prepare();
  /// What libcurl says of the hop. True if there is another hop: call `prepare` again.
  bool finish_hop(CURLcode code, Instant now);
  void cancel();

  Response& response() noexcept { return response_; }
  EasyHandle release_handle() noexcept { return std::move(handle_); }

 private:
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;

  void set_limits();
  void set_headers();
  void add_timings();
  FetchError classify(CURLcode code) const;
  std::string what_is_too_large(CURLcode code) const;
  void fail(FetchError error, std::string detail);
  bool admitted(const Url& from, const Url& to) const;
  bool follow(int status);

  Request request_;
  const FetcherOptions& options_;
  EasyHandle handle_;
  curl_slist* header_list_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  HeaderCollector headers_;
  std::chrono::steady_clock::time_point began_;
  bool too_large_ = false, headers_too_large_ = false;
  bool cut_ = false;      ///< the body was ended by us, having enough of it
  bool starved_ = false;  ///< no descriptor was left for the connection
  std::string refused_;   ///< the reserved block that the last address fell into
  Response response_;
};

}  // namespace quarry::crawl
