#include "sql/sqlite/readers.hpp"

#include <system_error>

#include "quarry/core/log.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

PoolConfig<Reader> pool_config(const Location& location, const DatabaseOptions& options) {
  PoolConfig<Reader> config;
  config.connections_min = options.connections_min;
  config.connections_max = options.connections_max;
  config.waiters_max = options.waiters_max;
  config.acquire_timeout = options.acquire_timeout;
  config.age_max = options.connection_age_max;
  // A file needs no probe.
  config.idle_before_check = std::chrono::hours{24 * 365};
  config.open = [&](auto deadline) { return std::make_unique<Reader>(location, options, deadline); };
  config.healthy = [](Reader&, auto) { return true; };
  config.random = [&] { return options.random->next(); };
  return config;
}

}  // namespace

Readers::Readers(const Location& location, const DatabaseOptions& options) : pool_(pool_config(location, options)) {}

Readers::~Readers() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Readers::let_go() {
  pool_.each_resting([](Reader& reader) { reader.let_go(); });
}

bool Readers::wake() noexcept {
  try {
    const std::scoped_lock lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { sweep(); });
    awake_ = true;
  } catch (const std::system_error& error) {
    log::debug("no thread to look after readers: {}", error.what());
    return false;
  }
  changed_.notify_all();
  return true;
}

void Readers::sweep() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [&] { return stopping_ || awake_; });
    changed_.wait_for(lock, Reader::stay_max, [&] { return stopping_; });
    // First this, then the look: a reader that found it awake is at work or rests when the look comes.
    awake_ = false;
    if (sweep_once()) awake_ = true;
  }
}

bool Readers::sweep_once() {
  const auto now = std::chrono::steady_clock::now();
  bool any = false;
  const auto counts = pool_.each_resting([&](Reader& reader) { any |= reader.let_go_if_old(now); });
  return any || counts.busy > 0;
}

}  // namespace quarry::sql::sqlite_driver
