#include "sql/pool/pool.hpp"

namespace quarry::sql {

Error pool_exhausted(ErrorCode code, const std::string& load) {
  if (code == ErrorCode::busy)
    return Error(code, "too many callers wait for a database connection (" + load +
                           "): try again later, shorten the transactions, or raise connections_max");
  return Error(
      code, "no database connection became free in time (" + load + "): shorten the transactions or raise connections_max");
}

}  // namespace quarry::sql
