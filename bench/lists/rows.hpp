#pragma once
/// A million rows of each list.

#include "bench/support/scratch.hpp"
#include "quarry/core/id.hpp"

namespace quarry::bench {

/// Whose rows they are: one tenant has them all, which is the worst case.
struct Tenant {
  UserId user;
  JobId job;        ///< has all the artifacts
  SearchId search;  ///< has all the results
};

/// `rows` of users, jobs (every other one completed), artifacts and search results. Ten rows at a time share their moment.
Tenant put_in(Database& db, std::int64_t rows);

}  // namespace quarry::bench
