#include "quarry/cache/entries.hpp"

#include <fmt/format.h>

#include "cache/keys.hpp"
#include "cache/leases.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/list.hpp"

namespace quarry::cache {
namespace {

/// Whether it has expired is looked at here: that is cheaper than in the statement, and asks for the time only where there
/// is an end.
constexpr sql::Query<Value(std::string_view)> find_value{"cache.get", "select value, expires_at from cache where key = $1"};

struct NewEntry {
  std::string_view key;
  std::string_view value;
  std::optional<Instant> expires_at;
  std::int64_t size_bytes;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(NewEntry, (), (key, value, expires_at, size_bytes, now))

constexpr sql::Command<void(NewEntry)> put_value{
    "cache.set",
    "insert into cache (key, value, expires_at, size_bytes, hit_count, last_used_at, created_at)"
    " values ($1, $2, $3, $4, 0, $5, $5) on conflict (key) do update set value = excluded.value,"
    " expires_at = excluded.expires_at, size_bytes = excluded.size_bytes, hit_count = 0,"
    " last_used_at = excluded.last_used_at, created_at = excluded.created_at"};
/// What has expired is as good as absent.
constexpr sql::Command<void(NewEntry)> put_if_absent{
    "cache.set_if_absent",
    "insert into cache as c (key, value, expires_at, size_bytes, hit_count, last_used_at, created_at)"
    " values ($1, $2, $3, $4, 0, $5, $5) on conflict (key) do update set value = excluded.value,"
    " expires_at = excluded.expires_at, size_bytes = excluded.size_bytes, hit_count = 0,"
    " last_used_at = excluded.last_used_at, created_at = excluded.created_at where c.expires_at <= excluded.created_at"};

constexpr sql::Command<void(std::string_view, Instant)> delete_value{
    "cache.remove", "delete from cache where key = $1 and (expires_at is null or expires_at > $2)"};
/// A range of keys rather than LIKE, which finds no index here. The cache's own keys, `quarry.` and something, are one too:
/// the character behind the dot is the slash.
constexpr sql::Command<void(std::string_view, std::string_view, int)> delete_range{
    "cache.remove_prefix",
    "delete from cache where key in (select key from cache where key >= $1 and key < $2"
    " and not (key >= 'quarry.' and key < 'quarry/') limit $3)"};
/// The condition stands twice because a value may be set anew between the choice and the deletion: PostgreSQL looks again at
/// the outer one alone. A lease stays a day longer ($2): it says that its epoch goes on.
constexpr sql::Command<void(Instant, Instant, int)> delete_expired{
    "cache.purge_expired",
    "delete from cache where key in (select key from cache where expires_at <= $1"
    " and (expires_at <= $2 or not (key >= 'quarry.' and key < 'quarry/')) order by expires_at limit $3)"
    " and expires_at <= $1"};

constexpr sql::Query<std::optional<std::int64_t>()> sum_bytes{
    "cache.sum_bytes", sql::sqlite("select sum(size_bytes) from cache"),
    sql::postgres("select cast(sum(size_bytes) as bigint) from cache")};
struct Aged {
  std::string key;
  std::int64_t size_bytes;
};
BOOST_DESCRIBE_STRUCT(Aged, (), (key, size_bytes))
constexpr sql::Query<Aged(int)> oldest_first{"cache.oldest",
                                             "select key, size_bytes from cache where not (key >= 'quarry.' and key < "
                                             "'quarry/') order by last_used_at, key limit $1"};
struct KeyRow {
  std::string key;
};
BOOST_DESCRIBE_STRUCT(KeyRow, (), (key))
constexpr sql::Command<void(KeyRow)> delete_key{"cache.evict", "delete from cache where key = $1"};

constexpr sql::Command<void(Hits)> count_hits{
    "cache.add_hits",
    sql::sqlite("update cache set hit_count = hit_count + $2, last_used_at = max(last_used_at, $3) where key = $1"),
    sql::postgres("update cache set hit_count = hit_count + $2, last_used_at = greatest(last_used_at, $3) where key = $1")};

/// Sums that outlive the entries: the counts of two rows of the cache's own.
constexpr std::string_view hits_key = "quarry.hits", misses_key = "quarry.misses";
struct SumRow {
  std::string_view key;
  std::int64_t count;
  Instant now;
};
BOOST_DESCRIBE_STRUCT(SumRow, (), (key, count, now))
constexpr sql::Command<void(SumRow)> add_to_sum{
    "cache.add_asked",
    "insert into cache as c (key, value, size_bytes, hit_count, last_used_at, created_at) values ($1, '', 0, $2, $3, $3)"
    " on conflict (key) do update set hit_count = c.hit_count + excluded.hit_count, last_used_at = excluded.last_used_at"};
constexpr sql::Query<std::int64_t(std::string_view)> find_sum{"cache.find_asked",
                                                              "select hit_count from cache where key = $1"};

struct TableSums {
  std::int64_t entries;
  std::int64_t expired;
  std::int64_t bytes;
};
BOOST_DESCRIBE_STRUCT(TableSums, (), (entries, expired, bytes))
constexpr sql::Query<TableSums(Instant)> sum_table{
    "cache.statistics",
    sql::sqlite("select count(*) as entries, count(case when expires_at <= $1 then 1 end) as expired,"
                " coalesce(sum(size_bytes), 0) as bytes from cache where not (key >= 'quarry.' and key < 'quarry/')"),
    sql::postgres("select count(*) as entries, count(case when expires_at <= $1 then 1 end) as expired,"
                  " cast(coalesce(sum(size_bytes), 0) as bigint) as bytes"
                  " from cache where not (key >= 'quarry.' and key < 'quarry/')")};

constexpr store::ListOf<Entry> all_entries{
    "cache.list", "key as id, size_bytes, hit_count, expires_at, last_used_at, created_at",
    "(select key as id, key, size_bytes, hit_count, expires_at, last_used_at, created_at from cache) c"};

constexpr std::size_t value_bytes_max = 16 << 20;

/// Entries have no owner. PostgreSQL keeps tenants from the table, too.
void require_system(const Read& tx) {
  if (!tx.actor().sees_all())
    throw Error(ErrorCode::denied, "the cache is for the system and for admins: it belongs to all");
}

NewEntry make_entry(Write& tx, std::string_view key, std::string_view value, const Ttl& ttl) {
  require_system(tx);
  check_value(value, value_bytes_max);
  if (ttl && ttl->count() <= 0) throw_invalid(fmt::format("a time to live of {} us: it must be above zero", ttl->count()));
  const auto now = tx.now();
  return {key, value, ttl ? std::optional(now + *ttl) : std::nullopt, static_cast<std::int64_t>(key.size() + value.size()),
          now};
}

}  // namespace

std::optional<Value> get(Read& tx, std::string_view key) {
  require_system(tx);
  if (is_own_key(key)) return std::nullopt;
  auto found = tx.one(find_value, key);
  if (found && found->expires_at && *found->expires_at <= tx.now()) return std::nullopt;
  return found;
}

void set(Write& tx, std::string_view key, std::string_view value, const Ttl& ttl) {
  check_key(key);
  tx.run(put_value, make_entry(tx, key, value, ttl));
}

bool set_if_absent(Write& tx, std::string_view key, std::string_view value, const Ttl& ttl) {
  check_key(key);
  return tx.run(put_if_absent, make_entry(tx, key, value, ttl)) > 0;
}

bool remove(Write& tx, std::string_view key) {
  require_system(tx);
  check_key(key);
  end_epoch(tx, key);
  return tx.run(delete_value, key, tx.now()) > 0;
}

std::int64_t remove_prefix(Write& tx, std::string_view prefix, int limit) {
  require_system(tx);
  if (prefix.empty()) throw_invalid("an empty prefix stands for every key: name what the keys begin with");
  check_key(prefix);
  end_epochs(tx, prefix);
  return tx.run(delete_range, prefix, end_of_prefix(prefix), limit);
}

std::int64_t purge_expired(Write& tx, int limit) {
  require_system(tx);
  const auto now = tx.now();
  return tx.run(delete_expired, now, now - std::chrono::days(1), limit);
}

std::int64_t evict(Write& tx, std::int64_t bytes, int limit) {
  require_system(tx);
  auto over = tx.value(sum_bytes).value_or(0) - bytes;
  if (over <= 0) return 0;
  std::vector<KeyRow> going;
  for (auto& entry : tx.all(oldest_first, limit)) {
    if (over <= 0) break;
    over -= entry.size_bytes;
    going.push_back({std::move(entry.key)});
  }
  return tx.run_each(delete_key, going);
}

void add_hits(Write& tx, std::span<const Hits> hits) { tx.run_each(count_hits, hits); }

void add_asked(Write& tx, std::int64_t hits, std::int64_t misses) {
  if (hits > 0) tx.run(add_to_sum, {hits_key, hits, tx.now()});
  if (misses > 0) tx.run(add_to_sum, {misses_key, misses, tx.now()});
}

Asked asked(Read& tx) { return {tx.one(find_sum, hits_key).value_or(0), tx.one(find_sum, misses_key).value_or(0)}; }

TableStatistics table_statistics(Read& tx) {
  require_system(tx);
  const auto sums = tx.value(sum_table, tx.now());
  const auto [hits, misses] = asked(tx);
  return {sums.entries, sums.expired, sums.bytes, hits, misses};
}

Page<Entry> list(Read& tx, std::string_view prefix, const PageRequest& page) {
  require_system(tx);
  const auto now = tx.now();
  std::string end;
  store::Conditions where;
  where.add("(expires_at is null or expires_at > {})", now);
  where.add("not (key >= 'quarry.' and key < 'quarry/')");
  if (!prefix.empty()) {
    end = end_of_prefix(prefix);
    where.add("key >= {}", prefix);
    where.add("key < {}", end);
  }
  const store::Order<Entry> by_key{"key", "key", [](const Entry& entry) { return store::key(entry.id); }};
  return store::list(tx, all_entries, by_key, store::Direction::ascending, where, page);
}

}  // namespace quarry::cache
