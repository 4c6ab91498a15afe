#include "cache/leases.hpp"

#include "cache/keys.hpp"

namespace quarry::cache {
namespace {

constexpr std::size_t uuid_characters = 36;

struct LeaseRow {
  std::string_view key;
  std::string stamp;
  Instant expires_at;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(LeaseRow, (), (key, stamp, expires_at, now))
/// A stamp is the epoch and then the holder, 36 characters each: a takeover keeps the first half.
constexpr sql::Command<std::string(LeaseRow)> put_lease{
    "cache.take_lease",
    "insert into cache as c (key, value, expires_at, size_bytes, hit_count, last_used_at, created_at)"
    " values ($1, $2, $3, 0, 0, $4, $4) on conflict (key) do update set"
    " value = substr(c.value, 1, 36) || substr(excluded.value, 37), expires_at = excluded.expires_at,"
    " last_used_at = excluded.last_used_at where c.expires_at <= excluded.created_at returning value"};
constexpr sql::Command<void(std::string_view, std::string_view)> delete_lease{
    "cache.release_lease", "delete from cache where key = $1 and value = $2"};
constexpr sql::Query<std::string(std::string_view)> find_stamp{
    "cache.find_lease", sql::sqlite("select value from cache where key = $1"),
    sql::postgres("select value from cache where key = $1 for update")};
constexpr sql::Command<void(std::string_view)> delete_any_lease{"cache.end_epoch", "delete from cache where key = $1"};
constexpr sql::Command<void(std::string_view, std::string_view)> delete_leases{
    "cache.end_epochs", "delete from cache where key >= $1 and key < $2"};

std::string_view epoch_of(std::string_view stamp) { return stamp.substr(0, uuid_characters); }

}  // namespace

std::optional<Lease> take_lease(Write& tx, std::string_view key, std::chrono::microseconds hold_max) {
  const auto now = tx.now();
  Lease lease{lease_key(key), {}};
  auto stamp = tx.one(put_lease, {lease.key, to_string(tx.new_uuid()) + to_string(tx.new_uuid()), now + hold_max, now});
  if (!stamp) return std::nullopt;
  lease.stamp = *std::move(stamp);
  return lease;
}

void release_lease(Write& tx, const Lease& lease) { tx.run(delete_lease, lease.key, lease.stamp); }

bool keep_computed(Write& tx, const Lease& lease, std::string_view key, std::string_view value, const Ttl& ttl) {
  if (tx.run(delete_lease, lease.key, lease.stamp) == 0) {
    const auto stamp = tx.one(find_stamp, lease.key);
    if (!stamp || epoch_of(*stamp) != epoch_of(lease.stamp)) return false;
  }
  return set_if_absent(tx, key, value, ttl);
}

void end_epoch(Write& tx, std::string_view key) { tx.run(delete_any_lease, lease_key(key)); }

void end_epochs(Write& tx, std::string_view prefix) {
  const auto begin = lease_prefix(prefix);
  tx.run(delete_leases, begin, end_of_prefix(begin));
}

}  // namespace quarry::cache
