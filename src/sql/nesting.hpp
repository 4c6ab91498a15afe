#pragma once
/// Finds out a transaction that is opened inside another one of the same database on the same thread.
///
/// It could only deadlock: the inner one waits for a connection, or for the writer's turn, that the outer one holds. An
/// error at the first try beats a hang on the day the pool is small.

#include <string_view>

namespace quarry::sql {

/// Marks the calling thread as being inside a transaction of `backend` for a scope. Throws `bug` if it is already.
class InTransaction {
 public:
  explicit InTransaction(const void* backend);
  ~InTransaction();
  InTransaction(const InTransaction&) = delete;
  InTransaction& operator=(const InTransaction&) = delete;

 private:
  friend void refuse_nested(const void* backend);
  const void* backend_;
  InTransaction* outer_;
};

/// Throws `bug` when the calling thread is inside a transaction of `backend`.
void refuse_nested(const void* backend);

/// Changes in the child of every `fork`: what `getpid` tells, without the system call, which costs more than finding a row
/// does.
unsigned process_generation() noexcept;

}  // namespace quarry::sql
