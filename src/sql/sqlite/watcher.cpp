#include "sql/sqlite/watcher.hpp"

#include "quarry/core/log.hpp"
#include "sql/nesting.hpp"
#include "sql/pool/start_thread.hpp"

namespace quarry::sql::sqlite_driver {
namespace {

using namespace std::chrono_literals;

constexpr auto poll_interval = 2ms;
/// While this process commits too, a change may be its own, whose subscribers know already: others are then looked at less
/// often.
constexpr auto poll_interval_when_ambiguous = 20ms;
/// After the file could not be opened or read.
constexpr auto retry_interval = 500ms;

constexpr Statement data_version{"sqlite.data_version", "pragma data_version", "", true};

std::int64_t read_data_version(Connection& connection) {
  auto& statement = connection.prepare(data_version);
  statement.start({}, PreparedStatement::Lifetime::outlives);
  const OpenCursor cursor(statement);
  return cursor->step() ? cursor->get_int64(0) : 0;
}

}  // namespace

class Watcher::Registration final : public Subscription {
 public:
  /// With the mutex held.
  Registration(std::shared_ptr<Shared> shared, Listener listener)
      : shared_(std::move(shared)), listener_(shared_->listeners.insert(shared_->listeners.end(), std::move(listener))) {}
  ~Registration() override {
    if (process_generation() != process_) return;  // nobody is left there who would give the mutex back
    const std::scoped_lock lock(shared_->mutex);
    shared_->listeners.erase(listener_);
  }

 private:
  const unsigned process_ = process_generation();
  const std::shared_ptr<Shared> shared_;
  const std::list<Listener>::iterator listener_;
};

Watcher::Watcher(Location location, const DatabaseOptions& options, std::function<std::uint64_t()> own_commits)
    : location_(std::move(location)), options_(options), own_commits_(std::move(own_commits)) {}

Watcher::~Watcher() {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->changed.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<Subscription> Watcher::subscribe(std::string_view channel, std::function<void()> wake) {
  const std::scoped_lock lock(shared_->mutex);
  // An in-memory database has no other process.
  if (!location_.in_memory) start_thread(thread_, [this] { watch(); });
  auto registration = std::make_unique<Registration>(shared_, Listener{std::string(channel), std::move(wake)});
  shared_->changed.notify_all();
  return registration;
}

void Watcher::notify(std::string_view channel) {
  const std::scoped_lock lock(shared_->mutex);
  for (const auto& listener : shared_->listeners)
    if (listener.channel == channel) listener.wake();
}

void Watcher::wake_all() {
  const std::scoped_lock lock(shared_->mutex);
  for (const auto& listener : shared_->listeners) listener.wake();
}

void Watcher::watch() {
  std::unique_ptr<Connection> connection;
  std::int64_t version = 0;
  std::uint64_t own = own_commits_();
  auto last_wake = std::chrono::steady_clock::now();
  bool pending = false;
  std::unique_lock lock(shared_->mutex);
  while (!shared_->stopping) {
    if (shared_->listeners.empty()) {
      shared_->changed.wait(lock, [&] { return shared_->stopping || !shared_->listeners.empty(); });
      continue;
    }
    lock.unlock();
    std::chrono::milliseconds nap = poll_interval;
    try {
      if (!connection) connection = std::make_unique<Connection>(location_, Role::reader, options_);
      const auto seen = read_data_version(*connection);
      const auto committed = own_commits_();
      pending |= seen != version;
      const auto now = std::chrono::steady_clock::now();
      if (pending && (committed == own || now - last_wake >= poll_interval_when_ambiguous)) {
        wake_all();
        last_wake = now;
        pending = false;
      }
      version = seen;
      own = committed;
    } catch (const Error& error) {
      log::warn("cannot watch the database for other processes' work: {}", error.client_message());
      connection.reset();
      nap = retry_interval;
    }
    lock.lock();
    shared_->changed.wait_for(lock, nap, [&] { return shared_->stopping; });
  }
}

}  // namespace quarry::sql::sqlite_driver
