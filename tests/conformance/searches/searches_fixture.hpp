#pragma once
/// A database with two users, and searches of theirs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/accounts/users.hpp"
#include "quarry/jobs/control.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/searches/results.hpp"
#include "support/error_of.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

class SearchesTest : public MigratedEngines {
 protected:
  void SetUp() override {
    user_ = db().write([](Write& tx) { return accounts::ensure_local_user(tx); });
  }
  searches::Search create(std::string query = "lithium", std::vector<std::string> sources = {"papers", "news"}) {
    return db().write([&](Write& tx) {
      return searches::create(tx, {.user_id = user_, .query = std::move(query), .sources = std::move(sources)});
    });
  }
  searches::Search get(SearchId id) {
    return db().read([&](Read& tx) { return searches::get(tx, id); });
  }
  JobId job_of(SearchId search, const std::string& source) {
    return db().write([&](Write& tx) {
      return jobs::submit(tx, {.user_id = user_, .title = source, .search_id = search, .scraper_name = source}).id;
    });
  }
  void move_job(JobId job, jobs::JobStatus to) {
    db().write([&](Write& tx) { jobs::change_status(tx, job, to); });
  }
  searches::SearchStatus status(SearchId id) { return get(id).status; }

  UserId user_;
};

}  // namespace quarry::test
