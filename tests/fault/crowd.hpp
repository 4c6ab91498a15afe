#pragma once
/// Threads that read and write one table, each call with a deadline of its own: for tests in which the database is away.

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "fault/seed.hpp"
#include "quarry/sql/query.hpp"

namespace quarry::test {

inline constexpr int crowd_threads = 32;
/// On top of a deadline, for a machine where the threads, and perhaps a server, share two crowded cores.
inline constexpr std::chrono::milliseconds scheduling{500};

/// The table is `done (id)`.
inline constexpr sql::Command<void(std::int64_t)> add_done{"test.add", "insert into done (id) values ($1)"};
inline constexpr sql::Query<std::int64_t()> ask_done{"test.ask", "select count(*) from done where id < 0"};

/// Works from its construction to its end.
class Crowd {
 public:
  /// Half of the calls are to write the number `id`, which is no other call's, and half to read.
  using Call = std::function<void(std::int64_t id, bool writes, std::chrono::milliseconds limit)>;

  explicit Crowd(Call call) : call_(std::move(call)) {
    const auto seed = test_seed();
    for (int t = 0; t < crowd_threads; ++t)
      threads_.emplace_back([this, t, seed](const std::stop_token& stop) { work(t, seed, stop); });
  }
  ~Crowd() {
    for (auto& thread : threads_) thread.request_stop();
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  void work(int number, std::uint64_t seed, const std::stop_token& stop) {
    using std::chrono::milliseconds;
    std::mt19937_64 random(seed + static_cast<std::uint64_t>(number));
    for (std::int64_t i = 0; !stop.stop_requested(); ++i) {
      call_(number * 1'000'000 + i, random() % 2 == 0, milliseconds(100 + random() % 900));
      std::this_thread::sleep_for(milliseconds(random() % 10));
    }
  }

  Call call_;
  std::vector<std::jthread> threads_;  ///< last: they use the call
};

}  // namespace quarry::test
