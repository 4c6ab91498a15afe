#pragma once
/// Databases with the whole schema, as `quarry init` makes it. Needs `PARTS test_support_head`.
///
///     TestDatabase database(Engine::postgres, head());
///
///     class Queue : public MigratedEngines {};
///     QUARRY_BOTH_ENGINES(Queue);
///     TEST_P(Queue, ClaimsInOrder) { db().write(...); }

#include <memory>

#include "support/both_engines.hpp"
#include "support/database_template.hpp"

namespace quarry::test {

/// All migrations of this build, applied.
const DatabaseTemplate& head();

class MigratedEngines : public BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override { return std::make_unique<TestDatabase>(GetParam(), head()); }
};

}  // namespace quarry::test
