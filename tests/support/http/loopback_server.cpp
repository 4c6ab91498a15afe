#include "support/http/loopback_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace quarry::test {
namespace {

bool send_all(int socket, std::string_view data) {
  while (!data.empty()) {
    const auto sent = send(socket, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Reads up to the empty line after the headers. What comes after it stays in `buffer`.
std::optional<HttpRequest> read_request(int socket, std::string& buffer) {
  auto end = buffer.find("\r\n\r\n");
  while (end == std::string::npos) {
    char data[16384];
    const auto got = recv(socket, data, sizeof data, 0);
    if (got <= 0) return std::nullopt;
    buffer.append(data, static_cast<std::size_t>(got));
    // A TLS handshake, say: it would never send an empty line.
    if (buffer[0] < 'A' || buffer[0] > 'Z') return std::nullopt;
    end = buffer.find("\r\n\r\n");
  }
  HttpRequest request;
  std::string_view rest(buffer.data(), end + 2);
  const auto line = rest.substr(0, rest.find("\r\n"));
  const auto space = line.find(' ');
  request.method = line.substr(0, space);
  request.target = line.substr(space + 1, line.rfind(' ') - space - 1);
  for (rest.remove_prefix(line.size() + 2); !rest.empty();) {
    const auto header = rest.substr(0, rest.find("\r\n"));
    const auto colon = header.find(':');
    std::string name(header.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    request.headers[name] = colon == std::string_view::npos
                                ? ""
                                : header.substr(std::min(header.find_first_not_of(' ', colon + 1), header.size()));
    rest.remove_prefix(header.size() + 2);
  }
  buffer.erase(0, end + 4);
  return request;
}

std::string written(const HttpReply& reply) {
  std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " X\r\n";
  for (const auto& [name, value] : reply.headers) out += name + ": " + value + "\r\n";
  out += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
  return out + reply.body;
}

}  // namespace

LoopbackServer::LoopbackServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, generic, sizeof address) != 0 || listen(listener_, 128) != 0 ||
      getsockname(listener_, generic, &length) != 0)
    throw std::runtime_error(std::string("the loopback server cannot listen: ") + std::strerror(errno));
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    const std::scoped_lock lock(mutex_);
    for (const int socket : open_) shutdown(socket, SHUT_RDWR);
  }
  // No thread is added any more: the acceptor has ended.
  for (auto& thread : threads_) thread.join();
}

std::string LoopbackServer::url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

void LoopbackServer::accept_all() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0 && (errno == EMFILE || errno == EINTR || errno == ECONNABORTED)) {
      // A test may leave the process without descriptors for a moment.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    if (socket < 0) return;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++connections_;
    const std::scoped_lock lock(mutex_);
    open_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void LoopbackServer::serve(int socket) {
  std::string buffer;
  while (const auto request = read_request(socket, buffer)) {
    ++requests_;
    const auto reply = handler_(*request);
    std::this_thread::sleep_for(reply.delay);
    if (!send_all(socket, reply.raw ? *reply.raw : written(reply)) || reply.raw || reply.close) break;
  }
  // Out of the list before it is closed: the number may be given to another connection at once.
  const std::scoped_lock lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), socket));
  close(socket);
}

}  // namespace quarry::test
