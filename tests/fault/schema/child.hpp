#pragma once
/// A migrator in a process of its own, so that it can be killed: this test program, run again for one test case that does
/// what the environment says.

#include <optional>
#include <string>

#include "quarry/schema/migrator.hpp"
#include "support/process.hpp"

namespace quarry::schema::test {

struct ChildJob {
  std::string url;
  std::string set;                          ///< `embedded` or `small`
  std::int64_t version = 0;                 ///< where to go
  std::optional<std::int64_t> killed_at{};  ///< the moment, counted from 0, at which it kills itself
};

quarry::test::Process start_child(const ChildJob& job);

/// Runs a child to its end. True when it finished its work, false when it was killed; anything else fails the test.
bool run_child(const ChildJob& job);

/// A set with every kind of script: in a transaction, one by one, indexes built concurrently, a rebuild.
const MigrationSet& small_set();

}  // namespace quarry::schema::test
