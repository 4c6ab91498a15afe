#pragma once
/// Keeps pages of a host back until its robots.txt is known, and remembers what it says.
///
/// The file is kept with the host in the database, so that a restart and other workers need not ask again within its age.
/// Not thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "quarry/crawl/robots.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::crawl {

class RobotsGate {
 public:
  RobotsGate(Database db, std::string product) : db_(std::move(db)), product_(std::move(product)) {}

  /// The policy, when it is known and fresh. Looks in the database at the first call for a host.
  std::optional<RobotsPolicy> find(std::int64_t host_id);
  /// Stores what an answer means, and slows the host down to the crawl-delay it asks for.
  RobotsPolicy learn(std::int64_t host_id, int status, const std::string& body);

 private:
  struct Known {
    RobotsPolicy policy;
    Instant until;
  };
  std::optional<RobotsPolicy> look_up(std::int64_t host_id);
  RobotsPolicy remember(std::int64_t host_id, RobotsPolicy policy, Instant fetched_at);

  Database db_;
  std::string product_;
  std::unordered_map<std::int64_t, Known> known_;
};

}  // namespace quarry::crawl
