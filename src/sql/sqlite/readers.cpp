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
  if (process_generation() != process_) {
    static_cast<void>(sweeper_.release());
    return;
  }
  {
    const std::scoped_lock lock(sweeper_->mutex);
    sweeper_->stopping = true;
  }
  sweeper_->changed.notify_all();
  if (sweeper_->thread.joinable()) sweeper_->thread.join();
}

void Readers::let_go() {
  pool_.each_resting([](Reader& reader) { reader.let_go(); });
}

bool Readers::wake() noexcept {
  try {
    const std::scoped_lock lock(sweeper_->mutex);
    if (!sweeper_->thread.joinable()) sweeper_->thread = std::thread([this] { sweep(); });
    sweeper_->awake = true;
  } catch (const std::system_error& error) {
    log::debug("no thread to look after readers: {}", error.what());
    return false;
  }
  sweeper_->changed.notify_all();
  return true;
}

void Readers::sweep() {
  auto& self = *sweeper_;
  std::unique_lock lock(self.mutex);
  while (!self.stopping) {
    self.changed.wait(lock, [&] { return self.stopping || self.awake; });
    self.changed.wait_for(lock, Reader::stay_max, [&] { return self.stopping; });
    // First this, then the look: a reader that found it awake is at work or rests when the look comes.
    self.awake = false;
    if (sweep_once()) self.awake = true;
  }
}

bool Readers::sweep_once() {
  const auto now = std::chrono::steady_clock::now();
  bool any = false;
  const auto counts = pool_.each_resting([&](Reader& reader) { any |= reader.let_go_if_old(now); });
  return any || counts.busy > 0;
}

}  // namespace quarry::sql::sqlite_driver
