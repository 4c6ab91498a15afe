#include "sql/nesting.hpp"

#include "quarry/core/error.hpp"

namespace quarry::sql {
namespace {
/// The transactions that the thread is inside of, innermost first, linked through the stack.
thread_local InTransaction* innermost = nullptr;
}  // namespace

InTransaction::InTransaction(const void* backend) : backend_(backend), outer_(innermost) {
  refuse_nested(backend);
  innermost = this;
}

InTransaction::~InTransaction() { innermost = outer_; }

void refuse_nested(const void* backend) {
  for (const auto* open = innermost; open; open = open->outer_)
    if (open->backend_ == backend)
      throw_bug("a transaction is open on this thread already: hand its Read or Write on instead of opening another");
}

}  // namespace quarry::sql
