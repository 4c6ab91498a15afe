#pragma once
/// Users who own something of everything there is, and a look into every table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/core/error.hpp"
#include "quarry/jobs/job.hpp"
#include "quarry/ops/purge_user.hpp"
#include "quarry/queue/claim.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

class Erasure : public MigratedEngines {
 protected:
  void SetUp() override;

  /// Rows in every table that a user may have rows in, all with `name` somewhere in their words.
  UserId populate(const std::string& name);
  void hide(UserId user);

  /// Of each table: how many rows there are in which `text` stands, in whatever column.
  std::map<std::string, std::int64_t> rows_with(const std::string& text);
  std::map<std::string, std::int64_t> rows_of(UserId user);
  std::int64_t count(const std::string& from);

  JobId add_job(UserId user, const std::string& title, int tasks);
  std::vector<queue::ClaimedTask> claim(int limit);
  void finish(const queue::ClaimedTask& task);
  ErrorCode refused(UserId user);

  artifacts::FileBlobStore& blobs() {
    if (!blobs_) blobs_.emplace(database().folder() / "blobs", artifacts::FileBlobStoreOptions{.durable = false});
    return *blobs_;
  }

  queue::QueueId queue_;

 private:
  void populate_work(UserId user, const std::string& name);
  void populate_money(UserId user, const std::string& name);
  std::vector<std::string> tables();

  std::optional<artifacts::FileBlobStore> blobs_;
};

}  // namespace quarry::test
