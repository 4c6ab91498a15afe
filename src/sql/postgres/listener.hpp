#pragma once
/// LISTEN: one connection beside the pool, with a thread that waits on it, shared by all subscribers of a backend.
///
/// The thread starts with the first subscriber and keeps trying when the server is away. After every (re)connect, and when a
/// new channel has been added, each subscriber is woken once, because something may have been missed. Through PgBouncer's
/// transaction pooling LISTEN hears nothing: polling stays the truth.
///
/// Thread-safe. A subscription that ends waits for its running callback, unless it ends inside of it.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "quarry/core/random.hpp"
#include "quarry/sql/backend.hpp"
#include "sql/postgres/connection.hpp"
#include "sql/postgres/conninfo.hpp"

namespace quarry::sql::postgres_driver {

/// `"name"`, safe for any channel.
std::string quote_channel(std::string_view channel);

class Listener {
 public:
  Listener(const ConnectSettings& settings, Random& random);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::unique_ptr<Subscription> subscribe(std::string_view channel, std::function<void()> wake);

 private:
  struct Entry;
  struct Shared;
  class Handle;

  void serve();
  /// Until the connection breaks or the listener ends.
  void listen(Connection& connection);
  void sleep_until_poked(std::chrono::milliseconds most);

  const ConnectSettings& settings_;
  Random& random_;
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace quarry::sql::postgres_driver
