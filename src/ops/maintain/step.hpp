#pragma once
/// What a step of maintenance is handed, and how it does its work in bounded pieces.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "quarry/ops/maintain.hpp"
#include "quarry/ops/maintain_settings.hpp"

namespace quarry::ops::upkeep {

/// Thrown when the run was asked to stop.
struct Stopped {};

class Step {
 public:
  Step(const Database& db, artifacts::BlobStore* blobs, const MaintainOptions& options, StepReport& report)
      : db_(db), blobs_(blobs), options_(options), report_(report) {}
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  const Database& db() const noexcept { return db_; }
  artifacts::BlobStore* blobs() const noexcept { return blobs_; }
  const system::KeyRing* keys() const noexcept { return options_.keys; }
  bool dry_run() const noexcept { return options_.dry_run; }
  bool is_sqlite() const noexcept { return db_.engine() == Engine::sqlite; }
  int rows() const noexcept { return options_.rows_per_transaction; }
  const std::string& name() const noexcept { return report_.step; }

  std::optional<std::int64_t> setting(std::string_view key) const;
  /// The moment before which things are old; nothing when the setting says that they are kept, and the step is skipped then.
  std::optional<Instant> days_ago(std::string_view key);

  /// Adds to a figure of the report.
  void count(std::string_view what, std::int64_t n);
  void say(std::string message) { report_.message = std::move(message); }
  void skip(std::string message);

  template <class R, class... A>
  R look(const sql::Query<R(A...)>& query, const std::type_identity_t<A>&... args) const {
    return db_.read([&](Read& tx) { return tx.value(query, args...); });
  }
  /// One transaction, and a pause.
  template <class F>
  auto transaction(F&& body) {
    const auto begin = std::chrono::steady_clock::now();
    auto result = db_.write({.alone = true}, std::forward<F>(body));
    rest(begin);
    return result;
  }
  /// Transactions until one moves fewer than `rows()`. `body` returns how many it moved.
  template <class F>
  void in_batches(std::string_view what, F&& body) {
    for (std::int64_t now = rows(); now >= rows();) {
      now = transaction(body);
      count(what, now);
    }
  }
  /// Pauses for as long as has passed since `begin`, within bounds; tells who watches. Throws `Stopped`.
  void rest(std::chrono::steady_clock::time_point begin);

 private:
  const Database& db_;
  artifacts::BlobStore* blobs_;
  const MaintainOptions& options_;
  StepReport& report_;
};

}  // namespace quarry::ops::upkeep
