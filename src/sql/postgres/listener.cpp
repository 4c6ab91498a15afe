#include "sql/postgres/listener.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "sql/nesting.hpp"
#include "sql/pool/start_thread.hpp"
#include "sql/postgres/backoff.hpp"
#include "sql/postgres/simple_result.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto answer_wait = 10s;
constexpr auto probe_every = 30s;  ///< a dead peer shows only when something is sent to it

}  // namespace

struct Listener::Entry {
  std::string channel;
  std::function<void()> wake;
  std::recursive_mutex calling;  ///< recursive: a callback may end its own subscription
  bool ended = false;
};

struct Listener::Shared {
  std::mutex mutex;
  std::vector<std::shared_ptr<Entry>> entries;
  bool stopping = false;
  const int poked = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);  ///< readable when the thread has to look at the entries again

  ~Shared() { close(poked); }
  void poke() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(poked, &one, sizeof one);  // full means that it is readable already
  }
  void clear_poke() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto bytes = read(poked, &count, sizeof count);
  }
  std::vector<std::shared_ptr<Entry>> copy() {
    const std::scoped_lock lock(mutex);
    return entries;
  }
  std::set<std::string> channels() {
    const std::scoped_lock lock(mutex);
    std::set<std::string> out;
    for (const auto& entry : entries) out.insert(entry->channel);
    return out;
  }
  bool stops() {
    const std::scoped_lock lock(mutex);
    return stopping;
  }
  /// Calls the subscribers of one channel, or all.
  void wake(const std::string* channel) {
    for (const auto& entry : copy()) {
      if (channel && entry->channel != *channel) continue;
      const std::scoped_lock lock(entry->calling);
      if (!entry->ended) entry->wake();
    }
  }
};

class Listener::Handle final : public Subscription {
 public:
  Handle(std::shared_ptr<Shared> shared, std::shared_ptr<Entry> entry)
      : shared_(std::move(shared)), entry_(std::move(entry)) {}
  ~Handle() override {
    if (process_generation() != process_) return;  // nobody is left there who would give the mutexes back
    {
      const std::scoped_lock lock(entry_->calling);
      entry_->ended = true;
    }
    const std::scoped_lock lock(shared_->mutex);
    std::erase(shared_->entries, entry_);
    shared_->poke();
  }

 private:
  const unsigned process_ = process_generation();
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Entry> entry_;
};

std::string quote_channel(std::string_view channel) {
  std::string quoted = "\"";
  for (const char c : channel) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

Listener::Listener(const ConnectSettings& settings, Random& random)
    : settings_(settings), random_(random), shared_(std::make_shared<Shared>()) {}

Listener::~Listener() {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->poke();
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<Subscription> Listener::subscribe(std::string_view channel, std::function<void()> wake) {
  auto entry = std::make_shared<Entry>();
  entry->channel = channel;
  entry->wake = std::move(wake);
  {
    const std::scoped_lock lock(shared_->mutex);
    start_thread(thread_, [this] { serve(); });
    shared_->entries.push_back(entry);
  }
  shared_->poke();
  return std::make_unique<Handle>(shared_, std::move(entry));
}

void Listener::sleep_until_poked(std::chrono::milliseconds most) {
  pollfd entry{shared_->poked, POLLIN, 0};
  poll(&entry, 1, static_cast<int>(most.count()));
}

void Listener::serve() {
  Backoff backoff(random_, 50ms, 5s);
  while (!shared_->stops()) {
    try {
      const auto connection = Connection::open(settings_, steady_clock::now() + answer_wait);
      connection->leave_pipeline();
      backoff.reset();
      listen(*connection);
    } catch (const std::exception& error) {
      log::debug("postgres: the listener lost its connection: {}", error.what());
      const auto until = steady_clock::now() + backoff.next();
      while (!shared_->stops() && steady_clock::now() < until) {
        sleep_until_poked(std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()));
        shared_->clear_poke();
      }
    }
  }
}

void Listener::listen(Connection& connection) {
  std::set<std::string> listening;
  while (!shared_->stops()) {
    shared_->clear_poke();
    const auto wanted = shared_->channels();
    std::string sql;
    for (const auto& channel : wanted)
      if (!listening.contains(channel)) sql += "listen " + quote_channel(channel) + ";";
    const bool more = !sql.empty();
    for (const auto& channel : listening)
      if (!wanted.contains(channel)) sql += "unlisten " + quote_channel(channel) + ";";
    if (!sql.empty())
      check_simple(connection, connection.simple(sql, steady_clock::now() + answer_wait).get(), PGRES_COMMAND_OK);
    listening = wanted;
    if (more) shared_->wake(nullptr);
    // Before the wait: what came with the answer to the statements above shows on no socket.
    std::set<std::string> heard;
    while (PGnotify* note = PQnotifies(connection.handle())) {
      heard.insert(note->relname);
      PQfreemem(note);
    }
    for (const auto& channel : heard) shared_->wake(&channel);

    pollfd watched[2] = {{PQsocket(connection.handle()), POLLIN, 0}, {shared_->poked, POLLIN, 0}};
    const int ready = poll(watched, 2, static_cast<int>(std::chrono::milliseconds(probe_every).count()));
    if (ready == 0) {
      check_simple(connection, connection.simple("select 1", steady_clock::now() + answer_wait).get(), PGRES_TUPLES_OK);
    } else if (watched[0].revents != 0 && !connection.looks_alive()) {
      throw Error(ErrorCode::unavailable, "the connection of the listener broke");
    }
  }
}

}  // namespace quarry::sql::postgres_driver
