#pragma once
/// How two schemas differ, and the statements that lead from one to the other.
///
/// What can be altered in place is altered; the rest is dropped and made anew, in an order that respects what depends on
/// what. On SQLite, a table that ALTER TABLE cannot bring there is rebuilt: made under another name, filled, and put in the
/// old one's place; such a script must run under the migrator's `rebuild` directive. A renamed column or table looks like
/// one that went and one that came, and loses its data: read the script before you run it.
///
/// Errors: none but `bug`. Thread safety: pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "quarry/schema/model.hpp"

namespace quarry::schema {

enum class DifferenceKind {
  missing,  ///< expected, but not there
  extra,    ///< there, but not expected
  changed,  ///< there, but not as expected
  invalid,  ///< as expected, but the engine does not use or enforce it
};
/// The name, as commands print it.
std::string_view to_string(DifferenceKind kind) noexcept;

struct Difference {
  DifferenceKind kind = DifferenceKind::changed;
  ObjectType type = ObjectType::table;
  std::string table;
  std::string name;
  std::string detail;  ///< what is different: `default is 0, should be 1`; empty when it is missing or extra
  /// Statements that bring this object, and what must give way meanwhile, to what is expected, in their order. They may need
  /// another difference to be mended before; a script for all is in `change_script`. Where a SQLite table is made anew they
  /// begin and end a transaction.
  std::vector<std::string> mend;
  std::vector<std::string> reverse;  ///< and back
};

/// `column jobs.title is missing`, `index jobs_by_user is changed: ...`
std::string to_text(const Difference& difference);

/// Statements in the order in which they can be run.
struct ChangeScript {
  std::vector<std::string> statements;
  bool rebuild = false;         ///< SQLite: needs the rebuild directive
  bool no_transaction = false;  ///< PostgreSQL: uses an enum value that it has just added
  bool destructive = false;     ///< drops a table or a column
};

/// By object, in the order of the model. Empty when the schemas are equal.
std::vector<Difference> compare(const Model& actual, const Model& expected);

/// The script that makes `actual` into `expected`.
ChangeScript change_script(const Model& actual, const Model& expected);

}  // namespace quarry::schema
