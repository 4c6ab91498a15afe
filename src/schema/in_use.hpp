#pragma once
/// What time and operators bring to a database, and what is therefore no drift:
///
///   - partitions of a partitioned table beyond those that the migrations make, such as a month of `audit_logs`. They are
///     held to the one that the migrations do make: row security, policies, grants and triggers must be like its own.
///   - tables that were such partitions and have been detached, known by their name (`audit_logs_2026_03`) and columns. They
///     are held to its row security and grants.
///   - extensions, and what other roles may do with the schema itself.

#include "quarry/schema/model.hpp"

namespace quarry::schema {

/// Puts into `expected` what `actual` may have besides, and takes out of `actual` what is nobody's business.
void allow_for_use(Model& actual, Model& expected);

}  // namespace quarry::schema
