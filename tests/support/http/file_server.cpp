#include "support/http/file_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "support/http/file_cache.hpp"

namespace quarry::test {
namespace {

constexpr std::size_t request_bytes_max = 16 * 1024;

/// The value of a header in the lines of a request; empty if it is absent.
std::string_view header(std::string_view lines, std::string_view lower_name) {
  for (auto at = lines.find("\r\n"); at != std::string_view::npos; at = lines.find("\r\n", at + 2)) {
    const auto line = lines.substr(at + 2, lines.find("\r\n", at + 2) - at - 2);
    if (line.size() <= lower_name.size() || line[lower_name.size()] != ':') continue;
    bool same = true;
    for (std::size_t i = 0; same && i < lower_name.size(); ++i)
      same = (line[i] >= 'A' && line[i] <= 'Z' ? line[i] + 32 : line[i]) == lower_name[i];
    if (!same) continue;
    const auto value = line.substr(lower_name.size() + 1);
    const auto begin = value.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string_view{} : value.substr(begin);
  }
  return {};
}

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 301:
      return "Moved Permanently";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "Error";
  }
}

/// One answer on its way out: the head, then the file's bytes where they lie.
struct Outgoing {
  std::string head;
  std::shared_ptr<const CachedFile> file;  // null: no body
  std::size_t sent = 0;

  std::size_t size() const { return head.size() + (file ? file->body.size() : 0); }
};

struct Connection {
  std::string in;
  std::deque<Outgoing> out;
  bool closing = false, waits_to_write = false;
};

Outgoing answer(FileCache& cache, std::string_view request) {
  const auto line = request.substr(0, request.find("\r\n"));
  const auto space = line.find(' ');
  const auto method = line.substr(0, space);
  const bool known = method == "GET" || method == "HEAD";
  const auto last = line.rfind(' ');
  auto found = Found{.status = known ? 400 : 405, .file = nullptr, .location = {}};
  if (known && space != std::string_view::npos && last > space) found = cache.find(line.substr(space + 1, last - space - 1));
  if (found.file && header(request, "if-none-match") == found.file->etag) found.status = 304;

  Outgoing out;
  out.head = "HTTP/1.1 " + std::to_string(found.status) + ' ' + std::string(reason(found.status)) + "\r\n";
  if (found.file) out.head += found.file->head;
  if (!found.location.empty()) out.head += "Location: " + found.location + "\r\n";
  if (found.status != 304)
    out.head += "Content-Length: " + std::to_string(found.file ? found.file->body.size() : 0) + "\r\n";
  out.head += "\r\n";
  if (method == "GET" && found.status == 200) out.file = std::move(found.file);
  return out;
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

}  // namespace

struct FileServer::State {
  FileCache cache;
  int listener = -1, poller = -1, stopper = -1;
  std::uint16_t port = 0;
  std::unordered_map<int, Connection> connections;

  explicit State(std::string folder) : cache(std::move(folder)) {}
  ~State() {
    for (auto& [socket, connection] : connections) close(socket);
    for (const int descriptor : {listener, poller, stopper})
      if (descriptor >= 0) close(descriptor);
  }

  void watch(int descriptor, std::uint32_t events, int operation = EPOLL_CTL_ADD) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    if (epoll_ctl(poller, operation, descriptor, &event) != 0) fail("epoll_ctl");
  }

  void listen_on(std::uint16_t wanted) {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    stopper = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(wanted);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener < 0 || poller < 0 || stopper < 0 || bind(listener, generic, sizeof address) != 0 ||
        listen(listener, 512) != 0 || getsockname(listener, generic, &length) != 0)
      fail("cannot listen on 127.0.0.1:" + std::to_string(wanted));
    port = ntohs(address.sin_port);
    watch(listener, EPOLLIN);
    watch(stopper, EPOLLIN);
  }

  void accept_all() {
    for (;;) {
      const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (socket < 0) return;
      const int on = 1;
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections.try_emplace(socket);
      watch(socket, EPOLLIN);
    }
  }

  void drop(int socket) {
    connections.erase(socket);
    close(socket);
  }

  void serve(int socket, std::uint32_t events) {
    auto& connection = connections.at(socket);
    const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
    const bool good = !gone && ((events & EPOLLIN) == 0 || read(socket, connection)) && write(socket, connection);
    if (!good || (connection.closing && connection.out.empty())) return drop(socket);
    if (connection.waits_to_write != !connection.out.empty()) {
      connection.waits_to_write = !connection.out.empty();
      // Nothing more is read from who does not take what was asked for.
      watch(socket, connection.waits_to_write ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    }
  }

  bool read(int socket, Connection& connection) {
    std::array<char, request_bytes_max> data;
    const auto got = recv(socket, data.data(), data.size(), 0);
    if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
    connection.in.append(data.data(), static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (auto end = connection.in.find("\r\n\r\n"); end != std::string::npos && !connection.closing;
         end = connection.in.find("\r\n\r\n", at)) {
      const auto request = std::string_view(connection.in).substr(at, end + 2 - at);
      connection.out.push_back(answer(cache, request));
      connection.closing =
          header(request, "connection") == "close" || request.find(" HTTP/1.0\r\n") != std::string_view::npos;
      at = end + 4;
    }
    connection.in.erase(0, at);
    return connection.in.size() <= request_bytes_max;
  }

  bool write(int socket, Connection& connection) {
    while (!connection.out.empty()) {
      auto& out = connection.out.front();
      const std::string_view body = out.file ? std::string_view(out.file->body) : std::string_view{};
      const auto rest = [&](std::string_view text, std::size_t begin) {
        text.remove_prefix(std::min(begin, text.size()));
        return iovec{const_cast<char*>(text.data()), text.size()};
      };
      std::array<iovec, 2> parts{rest(out.head, out.sent), rest(body, out.sent - std::min(out.sent, out.head.size()))};
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = parts.size();
      const auto sent = sendmsg(socket, &message, MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      out.sent += static_cast<std::size_t>(sent);
      if (out.sent < out.size()) return true;
      connection.out.pop_front();
    }
    return true;
  }
};

FileServer::FileServer(std::string folder, std::uint16_t port) : state_(std::make_unique<State>(folder)) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) fail("cannot serve '" + folder + '\'');
  if (!S_ISDIR(info.st_mode)) throw std::runtime_error("cannot serve '" + folder + "': it is no folder");
  state_->listen_on(port);
}

FileServer::~FileServer() = default;

std::uint16_t FileServer::port() const noexcept { return state_->port; }

void FileServer::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(state_->poller, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == state_->stopper) return;
      if (event.data.fd == state_->listener)
        state_->accept_all();
      else
        state_->serve(event.data.fd, event.events);
    }
  }
}

void FileServer::stop() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(state_->stopper, &one, sizeof one);
}

}  // namespace quarry::test
