#include "sql/sqlite/reader.hpp"

namespace quarry::sql::sqlite_driver {

Reader::Reader(const Location& location, const DatabaseOptions& options, Time deadline)
    : connection_(location, Role::reader, options, deadline), index_(connection_.native()) {}

void Reader::enter(Time now) {
  const bool soon = now - entered_ <= close_together;
  entered_ = now;
  if (anchor_ && now - anchored_ < stay_max && index_.is(*mark_)) return;
  anchor_.reset();
  // The cheapest text that reads the file at all.
  const auto before = index_.mark();
  OpenCursor anchor(connection_.control("pragma user_version"));
  anchor->step();
  anchor_.emplace(std::move(anchor));
  anchored_ = now;
  // Only if nothing was committed meanwhile is it known which moment this is.
  mark_ = before;
  may_stay_ = soon && before && index_.is(*before);
}

void Reader::leave(bool stay) noexcept {
  if (!stay || !may_stay_) anchor_.reset();
}

bool Reader::let_go_if_old(Time now) noexcept {
  if (anchor_ && now - anchored_ >= stay_max) anchor_.reset();
  return anchor_.has_value();
}

}  // namespace quarry::sql::sqlite_driver
