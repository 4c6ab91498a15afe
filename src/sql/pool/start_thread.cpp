#include "sql/pool/start_thread.hpp"

namespace quarry::sql {

Error no_thread(const std::system_error& error) {
  return Error(ErrorCode::unavailable, "no thread can be started for database calls: raise the process's thread limit",
               {error.what(), "", error.code().value()});
}

}  // namespace quarry::sql
