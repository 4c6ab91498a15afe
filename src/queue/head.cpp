#include "quarry/queue/head.hpp"

#include <algorithm>

namespace quarry::queue {
namespace {

/// A twentieth of a worker's time at most goes into looks from the front.
constexpr int looks_apart = 20;
/// One that was slow for other reasons does not put off the next one for long.
constexpr auto longest_pause = std::chrono::seconds(10);

}  // namespace

std::optional<Head::Place> Head::begin() {
  const std::scoped_lock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!place_ || now >= next_look_) {
    // For the others of this process one that looks is enough.
    next_look_ = now + look_every_;
    return {};
  }
  return place_;
}

void Head::move_to(Place from, Place first) {
  const std::scoped_lock lock(mutex_);
  // Somebody who has looked from the front meanwhile may have found what stands before this claim.
  if (place_ && *place_ >= from) place_ = std::max(*place_, first);
}

void Head::looked(std::optional<Place> first, Duration took) {
  const std::scoped_lock lock(mutex_);
  place_ = first;
  next_look_ =
      std::chrono::steady_clock::now() + std::max(look_every_, std::min<Duration>(took * looks_apart, longest_pause));
}

}  // namespace quarry::queue
