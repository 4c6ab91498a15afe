#include "sql/nesting.hpp"

#include <pthread.h>

#include <atomic>

#include "quarry/core/error.hpp"

namespace quarry::sql {
namespace {
/// The transactions that the thread is inside of, innermost first, linked through the stack.
thread_local InTransaction* innermost = nullptr;

std::atomic<unsigned> generation{0};
}  // namespace

unsigned process_generation() noexcept {
  static const int registered =
      ::pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(registered);
  return generation.load(std::memory_order_relaxed);
}

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
