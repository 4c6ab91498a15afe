#include "quarry/queue/head.hpp"

#include <algorithm>

namespace quarry::queue {
namespace {

/// A twentieth of a worker's time at most goes into looks from the front.
constexpr int looks_apart = 20;

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

void Head::move_to(Place first) {
  const std::scoped_lock lock(mutex_);
  if (place_) place_ = std::max(*place_, first);
}

void Head::looked(std::optional<Place> first, Duration took) {
  const std::scoped_lock lock(mutex_);
  place_ = first;
  next_look_ = std::chrono::steady_clock::now() + std::max(look_every_, took * looks_apart);
}

}  // namespace quarry::queue
