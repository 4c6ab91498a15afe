#pragma once
/// Something to look at in an empty database: two users with jobs and artifacts.
///
/// | user     | password | role  |
/// |----------|----------|-------|
/// | admin    | admin123 | admin |
/// | testuser | test123  | user  |
///
/// The passwords stand in the documentation: whoever can reach the database's clients is an admin of it. For trying things
/// out, never for an installation that others reach.

#include <boost/describe.hpp>
#include <vector>

#include "quarry/accounts/password.hpp"
#include "quarry/artifacts/blob_store.hpp"
#include "quarry/ops/seed.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::ops {

struct DemoReport {
  SeedReport seed;
  UserId admin;
  UserId test_user;
  std::vector<JobId> jobs;
  std::vector<ArtifactId> artifacts;
};
BOOST_DESCRIBE_STRUCT(DemoReport, (), (seed, admin, test_user, jobs, artifacts))

/// Seeds, and adds the two users and what they have. All of it or nothing: bodies that were stored before a failure are
/// garbage like any other.
///
/// Throws `conflict` on a database in use: one with a user other than the local one, a job, a search or an artifact, deleted
/// or not.
DemoReport seed_demo(const Database& db, artifacts::BlobStore& blobs, const accounts::PasswordHasher& hasher);

}  // namespace quarry::ops
