#pragma once
/// The walk over every public operation of every store: what it is tried on, and how.
///
/// Ada and Bob are users; everything there is belongs to Bob. An operation that belongs to whoever owns the row has no
/// effect when Ada does it, and one when Bob or an admin does. One that concerns everybody is denied to both of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/sessions.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/billing/subscriptions.hpp"
#include "quarry/core/error.hpp"
#include "quarry/queue/claim.hpp"
#include "quarry/queue/schedules.hpp"
#include "quarry/searches/results.hpp"
#include "support/migrated_database.hpp"

namespace quarry::test {

enum class Whose { theirs, everybodys };

struct Operation {
  std::string table;  ///< with a row of Bob's that it is about
  std::string call;   ///< `jobs::find`
  /// Whether it had an effect, or showed a row. Refusing (`not_found`, `denied`) is none.
  std::function<bool(Write&)> run;
  Whose whose = Whose::theirs;
};
using Operations = std::vector<Operation>;

/// An operation that is for the system and for admins, and returns whatever it returns.
template <class F>
Operation everybodys(std::string table, std::string call, F run) {
  return {std::move(table), std::move(call), [run](Write& tx) { return run(tx), true; }, Whose::everybodys};
}

class TenantStores : public MigratedEngines {
 protected:
  void SetUp() override;

  /// What `operation` does for the actor; nothing stays of it.
  bool has_effect(const Actor& actor, const Operation& operation);
  /// The tables whose rows belong to users.
  std::vector<std::string> tables_with_an_owner();

  Operations of_jobs();
  Operations of_job_children();
  Operations of_tasks();
  Operations of_schedules();
  Operations of_workers();
  Operations of_searches();
  Operations of_artifacts();
  Operations of_artifact_children();
  Operations of_users();
  Operations of_credentials();
  Operations of_limits();
  Operations of_billing();
  Operations of_plans_and_metering();
  Operations of_audit();
  Operations all();

  const accounts::Peppers& peppers() const { return peppers_; }

  static inline const UserId ada_{parse_uuid("00000000-0000-7000-8000-000000000001")};
  static inline const UserId bob_{parse_uuid("00000000-0000-7000-8000-000000000002")};
  std::unique_ptr<artifacts::FileBlobStore> blobs_;
  accounts::Peppers peppers_{Secret(std::string(32, 'p'))};
  queue::QueueId queue_, worked_;
  JobId job_, fresh_, paused_, ended_, hidden_job_;
  TaskId task_ = 0, failed_ = 0;
  queue::LeaseRef lease_;
  std::int64_t host_ = 0;
  SearchId search_, answered_;
  searches::SearchResultId result_;
  ArtifactId artifact_, hidden_;
  artifacts::StagedBlob blob_;
  queue::ScheduleId schedule_;
  accounts::ApiKeyId key_;
  std::string key_id_, key_text_, token_;
  accounts::SessionId session_;
  billing::SubscriptionId subscription_;

 private:
  void make_jobs(Write& tx);
  void make_tasks(Write& tx);
  void make_searches_and_artifacts(Write& tx);
  void make_accounts(Write& tx);
};

}  // namespace quarry::test
