#pragma once
/// Many HTTP requests at once on one thread, each within bounds.
///
///     Fetcher fetcher({.in_flight_max = 32}, clock);
///     fetcher.submit({.id = task_id, .url = url});
///     while (fetcher.in_flight() > 0)
///       for (Response& response : fetcher.poll(std::chrono::milliseconds(100))) handle(std::move(response));
///
/// Over libcurl's multi interface: connections are kept and used again (HTTP/1.1), names are resolved in the background.
///
/// What is bounded: the body after decompression, the headers, the whole time with all redirects, the time to connect,
/// and the time with almost no data coming. What is refused: every address that is not public (`address.hpp`) unless
/// `allow_private` says otherwise, checked when the socket is opened, so that neither a redirect nor a name that resolves
/// differently a moment later gets past; and the ports of mail, databases and the like, as browsers do (Fetch standard,
/// "bad port"). Proxies come from `FetcherOptions` only, never from the environment; no cookies are kept, no credentials
/// are sent.
///
/// Redirects are followed here, hop by hop, each one canonical, at most `redirects_max`, none twice. `admit_redirect` is
/// asked before each (scope, robots.txt). One that is not admitted ends the transfer with its 3xx answer and `location`.
/// A request's own headers stay with the host that they were given for: a redirect to another host goes without them.
///
/// An answer with any status is a success as far as this class is concerned: `error` is `none`. `worth_a_retry` judges both.
///
/// Thread safety: a `Fetcher` belongs to one thread; only `wake` may be called from others. Errors: `bug` if libcurl
/// cannot be used at all. Trouble with one transfer never throws: it is in its `Response`.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quarry/core/time.hpp"
#include "quarry/crawl/url.hpp"

namespace quarry::crawl {

struct FetcherOptions {
  std::size_t in_flight_max = 32;            ///< more wait in `submit`'s order
  std::size_t connections_per_host_max = 8;  ///< more of one host wait for a connection
  std::size_t connections_kept_max = 256;    ///< open ones, idle included
  std::string user_agent = "quarry/0.1";
  bool allow_private = false;  ///< fetch from private and loopback addresses, and from any port
  std::string proxy = {};      ///< such as `http://proxy:3128`; then it is the proxy that must refuse private addresses
  std::string ca_file = {};    ///< PEM; empty: the system's
};

enum class FetchError {
  none,
  dns,               ///< the host has no address
  connect,           ///< nobody listens there, or no way leads there
  tls,               ///< no agreement, or a certificate that does not hold
  timeout,           ///< any of the three times
  interrupted,       ///< the connection broke, or the answer was cut short
  protocol,          ///< what came is not HTTP
  encoding,          ///< the content cannot be decompressed
  too_large,         ///< body or headers
  refused_address,   ///< the address is not public, or the port not for the web
  redirect_loop,     ///< a page of the chain again, or too many hops
  redirect_invalid,  ///< no place to go that can be fetched
  redirect_refused,  ///< `admit_redirect` said no; `location` is set
  cancelled,
  starved,  ///< this process has too many files open: nobody was asked, and it says nothing of the host
};

/// The name, as it is stored and logged.
std::string_view to_string(FetchError error) noexcept;

struct Request {
  std::uint64_t id = 0;  ///< the caller's; comes back in the response
  Url url;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< sent to the URL's own host only
  std::string user_agent = {};                                    ///< empty: the fetcher's
  std::string etag = {}, last_modified = {};                      ///< of what is known already: 304 if it still holds
  std::chrono::milliseconds timeout{30'000};  ///< with all redirects; waiting in `submit`'s line does not count
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{15'000};  ///< below 50 bytes a second for so long; whole seconds, at least one
  std::size_t body_bytes_max = std::size_t{8} << 20;
  bool cut_body = false;  ///< of a longer body the beginning is taken, instead of refusing it as `too_large`
  int redirects_max = 5;
  std::function<bool(const Url& from, const Url& to)> admit_redirect = {};
};

struct Hop {
  Url url;
  int status = 0;
};

/// The headers that a crawler asks about. Empty if they were absent; none holds control characters, and all are cut at
/// 1024 bytes.
struct ResponseHeaders {
  std::string content_type = {};  ///< type and subtype in lower case, without parameters: `text/html`
  std::string charset = {};       ///< of the content type, lower case
  std::string etag = {}, last_modified = {}, content_language = {};
  std::string x_robots_tag = {};  ///< several are joined with commas; see `html::parse_robots_directives`
  std::optional<std::chrono::seconds> retry_after = {};  ///< see `parse_retry_after`
};

/// Since the transfer began, redirects included; zero if it did not get so far.
struct Timings {
  std::int64_t name_us = 0, connect_us = 0, tls_us = 0, first_byte_us = 0, total_us = 0;
};

struct Response {
  std::uint64_t id = 0;
  Url requested;
  Url url;  ///< where it ended
  int status = 0;
  FetchError error = FetchError::none;
  std::string error_detail = {};     ///< one line for a log or a person; empty without an error
  std::vector<Hop> hops = {};        ///< redirects, in order, without the end
  std::optional<Url> location = {};  ///< where a redirect that was not followed leads
  ResponseHeaders headers = {};
  std::string body = {};         ///< decompressed; empty after an error
  std::uint64_t wire_bytes = 0;  ///< of bodies, as they came
  std::string remote_address = {};
  bool reused_connection = false;
  Timings timings = {};
};

/// Trying the same again later may help.
bool worth_a_retry(FetchError error) noexcept;
/// The same for a response: by its error, or by its status.
bool worth_a_retry(const Response& response) noexcept;

/// `Retry-After`: seconds or an HTTP date, counted from `now`. Nothing if it is malformed, zero or past: then the
/// caller's own backoff holds. At most one day.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, Instant now);

class Fetcher {
 public:
  /// `clock` is asked for `Retry-After` dates only, and must outlive the fetcher.
  Fetcher(FetcherOptions options, const Clock& clock);
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;
  ~Fetcher();

  /// Puts a request in the line; its answer comes by `on_done`.
  void submit(Request request);

  /// Submitted and not yet given back.
  std::size_t in_flight() const noexcept;

  /// Everything that has ended; waits for the first one until `timeout` or `wake`.
  std::vector<Response> poll(std::chrono::milliseconds timeout);

  /// Ends this request at once, wherever it stands, and closes its connection: no response comes of it. False when there is
  /// none of this id. Not from inside `admit_redirect`.
  bool cancel(std::uint64_t id);

  /// Ends everything at once; the responses say `cancelled`. What had ended already and was not polled yet is among them
  /// as it is.
  std::vector<Response> cancel_all();

  /// Makes a `poll` that waits return, or the next one not wait. From any thread.
  void wake() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quarry::crawl
