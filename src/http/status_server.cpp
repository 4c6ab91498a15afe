#include "quarry/http/status_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "http/loopback.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"

namespace quarry::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using Request = beast::http::request<beast::http::empty_body>;
using Response = beast::http::response<beast::http::string_body>;

constexpr std::size_t connections_max = 32;
constexpr std::uint32_t header_bytes_max = 8 * 1024;
constexpr std::chrono::seconds request_time_max{10};
constexpr std::chrono::seconds answer_time_max{30};

StatusAnswer made(const StatusPage& page) {
  try {
    return page.make();
  } catch (const Error& error) {
    return {.status = 503, .body = error.client_message() + "\n"};
  } catch (const std::exception& error) {
    // The words of an exception that is not ours may hold anything.
    log::error("the page {} could not be made", page.path);
    log::debug("{}", error.what());
    return {.status = 500, .body = "this page could not be made\n"};
  }
}

/// Outlives the sessions.
struct Shared {
  std::vector<StatusPage> pages;
  std::atomic<std::size_t> connections = 0;
};

/// One client. Kept alive by what it waits for.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared, asio::thread_pool& makers)
      : stream_(std::move(socket)), shared_(shared), makers_(makers) {
    ++shared_.connections;
  }
  ~Session() { --shared_.connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(header_bytes_max);
    stream_.expires_after(request_time_max);
    beast::http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error)
        self->answer();
      else if (error != beast::http::error::end_of_stream && error != beast::error::timeout && self->parser_->got_some())
        self->send({.status = 400, .body = "this is no request that can be answered here\n"}, false);
    });
  }

 private:
  void answer() {
    const auto& request = parser_->get();
    const bool keep = request.keep_alive();
    if (!is_loopback_host(std::string_view(request[beast::http::field::host])))
      return send({.status = 421, .body = "only for clients that name this machine: localhost or 127.0.0.1\n"}, false);
    if (request.method() != beast::http::verb::get && request.method() != beast::http::verb::head)
      return send({.status = 405, .body = "only GET and HEAD\n"}, false);
    std::string_view target(request.target());
    target = target.substr(0, target.find('?'));
    const auto page = std::ranges::find(shared_.pages, target, &StatusPage::path);
    if (page == shared_.pages.end()) return send({.status = 404, .body = list_of_pages()}, keep);
    if (page->cost == StatusPage::Cost::quick) return send(made(*page), keep);
    stream_.expires_never();
    asio::post(makers_, [self = shared_from_this(), page, keep]() mutable {
      auto answer = made(*page);
      const auto back = self->stream_.get_executor();
      asio::post(back, [self = std::move(self), keep, answer = std::move(answer)]() mutable {
        self->send(std::move(answer), keep);
      });
    });
  }

  std::string list_of_pages() const {
    std::string all = "there are:\n";
    for (const auto& page : shared_.pages) all += page.path + "\n";
    return all;
  }

  void send(StatusAnswer answer, bool keep) {
    response_.emplace(static_cast<beast::http::status>(answer.status), 11);
    response_->set(beast::http::field::content_type, answer.content_type);
    response_->set(beast::http::field::cache_control, "no-store");
    response_->set("X-Content-Type-Options", "nosniff");
    if (answer.status == 405) response_->set(beast::http::field::allow, "GET, HEAD");
    response_->keep_alive(keep);
    response_->content_length(answer.body.size());
    if (parser_->is_header_done() && parser_->get().method() == beast::http::verb::head) answer.body.clear();
    response_->body() = std::move(answer.body);
    serializer_.emplace(*response_);
    stream_.expires_after(answer_time_max);
    beast::http::async_write(stream_, *serializer_, [self = shared_from_this(), keep](beast::error_code error, std::size_t) {
      if (!error && keep) return self->read();
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  asio::thread_pool& makers_;
  beast::flat_buffer buffer_{2 * header_bytes_max};
  std::optional<beast::http::request_parser<beast::http::empty_body>> parser_;
  std::optional<Response> response_;
  std::optional<beast::http::response_serializer<beast::http::string_body>> serializer_;
};

}  // namespace

class StatusServer::Impl {
 public:
  Impl(const LoopbackAddress& address, std::vector<StatusPage> pages) {
    shared_.pages = std::move(pages);
    const tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      throw Error(ErrorCode::unavailable,
                  fmt::format("cannot listen on {}:{}: {}; name another port", address.host, address.port, error.message()));
    const auto at = acceptor_.local_endpoint();
    const auto name = at.address().is_v6() ? "[" + at.address().to_string() + "]" : at.address().to_string();
    url_ = fmt::format("http://{}:{}", name, at.port());
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Impl() {
    makers_.stop();
    makers_.join();
    io_.stop();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const std::string& url() const noexcept { return url_; }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later();
      // One too many is closed as it goes out of scope.
      if (shared_.connections < connections_max) std::make_shared<Session>(std::move(socket), shared_, makers_)->read();
      accept();
    });
  }

  /// No file is left to give to a client: asking at once would ask for ever.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds(200));
    pause_.async_wait([this](boost::system::error_code error) {
      if (!error) accept();
    });
  }

  Shared shared_;
  std::string url_;
  asio::io_context io_;
  tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  asio::thread_pool makers_{1};  ///< what waits in it holds sessions, which need all of the above
  std::thread thread_;
};

StatusServer::StatusServer(const LoopbackAddress& address, std::vector<StatusPage> pages)
    : impl_(std::make_unique<Impl>(address, std::move(pages))) {}
StatusServer::~StatusServer() = default;
std::string StatusServer::url() const { return impl_->url(); }

}  // namespace quarry::http
