#include "billing/event_hash.hpp"

#include <fmt/format.h>
#include <sodium.h>

namespace quarry::billing {

Bytes sha256_of(std::string_view text) {
  Bytes hash(crypto_hash_sha256_BYTES);
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  return hash;
}

// The caller's id comes last: it may hold anything, line ends too.
Bytes hash_of(const UsageEventRow& row) {
  return sha256_of(fmt::format(
      "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", to_string(row.id), boost::describe::enum_to_string(row.kind, ""),
      to_string(row.user_id), row.units, row.period_start.us, row.reservation_id ? to_string(*row.reservation_id) : "",
      row.job_id ? to_string(*row.job_id) : "", row.task_id.value_or(0), row.created_at.us, row.event_id));
}

}  // namespace quarry::billing
