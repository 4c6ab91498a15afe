#pragma once
/// Owners of what libpq allocates.

#include <libpq-fe.h>

#include <memory>

namespace quarry::sql::postgres_driver {

struct ClearResult {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ClearResult>;

struct FreeConninfo {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using ConninfoPtr = std::unique_ptr<PQconninfoOption, FreeConninfo>;

struct FreeMemory {
  void operator()(void* memory) const noexcept { PQfreemem(memory); }
};
using TextPtr = std::unique_ptr<char, FreeMemory>;

}  // namespace quarry::sql::postgres_driver
