#include "fault/postgres/proxy.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

namespace quarry::test {
namespace {

constexpr const char* socket_name = ".s.PGSQL.5432";

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

PostgresProxy::PostgresProxy(const std::filesystem::path& server_folder) : server_socket_(server_folder / socket_name) {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0) fail("socket");
  const auto address = address_of(folder_ / socket_name);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (::listen(listener_, 512) != 0) fail("listen");
  thread_ = std::jthread([this] { run(); });
}

PostgresProxy::~PostgresProxy() {
  stopping_ = true;
  thread_.join();
  for (Link& link : links_) close(link);
  ::close(listener_);
}

std::string PostgresProxy::url(std::string_view database) const {
  return "postgresql:///" + std::string(database) + "?host=" + folder_.path().string() + "&user=quarry";
}

void PostgresProxy::cut(Way way, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  cut_ = {way, bytes};
  has_cut_ = false;
}

bool PostgresProxy::has_cut() {
  const std::scoped_lock lock(mutex_);
  cut_.reset();
  return has_cut_;
}

std::size_t PostgresProxy::take_passed(Way way) {
  const std::scoped_lock lock(mutex_);
  return std::exchange(passed_[static_cast<std::size_t>(way)], 0);
}

void PostgresProxy::run() {
  std::vector<pollfd> watched;
  while (!stopping_) {
    watched.clear();
    watched.push_back({listener_, POLLIN, 0});
    for (const Link& link : links_) {
      watched.push_back({link.client, POLLIN, 0});
      watched.push_back({link.server, POLLIN, 0});
    }
    if (::poll(watched.data(), watched.size(), 20) <= 0) continue;
    std::size_t at = 1;
    for (Link& link : links_) {
      const bool from_client = watched[at].revents != 0, from_server = watched[at + 1].revents != 0;
      at += 2;
      if (from_client) forward(link, Way::to_server);
      if (from_server && !link.ended) forward(link, Way::to_client);
    }
    links_.remove_if([](const Link& link) { return link.ended; });
    // The listener was looked at first: whoever stands there now had closed his other connection before that.
    if (watched[0].revents != 0) accept_one();
  }
}

void PostgresProxy::accept_one() {
  Link link;
  link.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (link.client < 0) return;
  link.server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto address = address_of(server_socket_);
  if (::connect(link.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return close(link);
  links_.push_back(link);
}

void PostgresProxy::close(Link& link) {
  if (link.counted) --open_;
  ::close(link.client);
  ::close(link.server);
  link.ended = true;
}

void PostgresProxy::look_at_greeting(Link& link, std::string_view bytes) {
  link.greeted = true;
  constexpr std::string_view cancel_request("\x04\xd2\x16\x2e", 4);  // behind the length
  if (bytes.size() >= 8 && bytes.substr(4, 4) == cancel_request) return;
  link.counted = true;
  most_ = std::max<std::size_t>(most_, ++open_);
}

std::size_t PostgresProxy::allowed(Way way, std::size_t size, bool& cut_now) {
  const std::scoped_lock lock(mutex_);
  if (cut_ && cut_->first == way) {
    cut_now = size >= cut_->second;
    size = std::min(size, cut_->second);
    cut_->second -= size;
    if (cut_now) {
      has_cut_ = true;
      cut_.reset();
    }
  }
  passed_[static_cast<std::size_t>(way)] += size;
  return size;
}

void PostgresProxy::forward(Link& link, Way way) {
  char buffer[16'384];
  const int from = way == Way::to_server ? link.client : link.server;
  const int to = way == Way::to_server ? link.server : link.client;
  const auto size = ::recv(from, buffer, sizeof buffer, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return close(link);
  const std::string_view bytes(buffer, static_cast<std::size_t>(size));
  if (way == Way::to_server && !link.greeted) look_at_greeting(link, bytes);
  bool cut_now = false;
  const auto passing = allowed(way, bytes.size(), cut_now);
  if (!send_all(to, bytes.substr(0, passing)) || cut_now) close(link);
}

}  // namespace quarry::test
