#include "sql/postgres/statement_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace quarry::sql::postgres_driver {
namespace {

std::size_t mix(std::size_t hash, std::size_t value) { return (hash ^ value) * 0x9E3779B97F4A7C15u + (hash >> 29); }

std::size_t hash_of(std::string_view text, bool is_static, std::span<const oid::Type> types) {
  std::size_t hash =
      is_static ? mix(reinterpret_cast<std::uintptr_t>(text.data()), text.size()) : std::hash<std::string_view>{}(text);
  for (const oid::Type type : types) hash = mix(hash, type);
  return hash;
}

}  // namespace

StatementCache::StatementCache(std::size_t statements_max, std::uint64_t salt)
    : statements_max_(std::max<std::size_t>(statements_max, 1)), salt_(salt & 0xFFFFFFFFu) {}

bool StatementCache::same(const Entry& entry, std::string_view text, bool is_static, std::span<const oid::Type> types) {
  if (is_static ? entry.address != text.data() || entry.length != text.size() : entry.address || entry.content != text)
    return false;
  return std::equal(types.begin(), types.end(), entry.statement->types.begin(), entry.statement->types.end());
}

StatementCache::Found StatementCache::find(std::string_view text, bool is_static, std::span<const oid::Type> types) {
  const std::size_t hash = hash_of(text, is_static, types);
  if (const auto found = by_hash_.find(hash); found != by_hash_.end()) {
    if (same(*found->second, text, is_static, types)) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return {found->second->statement, false};
    }
    erase(found->second);  // two statements with one hash take turns
  }
  if (entries_.size() >= statements_max_) erase(std::prev(entries_.end()));
  auto statement = std::make_shared<Prepared>();
  statement->name = fmt::format("q{:x}_{}", salt_, next_++);
  statement->types.assign(types.begin(), types.end());
  entries_.push_front({hash, is_static ? text.data() : nullptr, is_static ? std::string() : std::string(text), text.size(),
                       std::move(statement)});
  by_hash_.emplace(hash, entries_.begin());
  return {entries_.front().statement, true};
}

void StatementCache::erase(Entries::iterator at) {
  // One that is not confirmed yet is in the same batch of messages: the server will have it when the name is deallocated.
  garbage_.push_back(at->statement->name);
  by_hash_.erase(at->hash);
  entries_.erase(at);
}

void StatementCache::drop(const Prepared& statement) {
  const std::string name = statement.name;  // its entry may be what keeps it alive
  const bool made = statement.made;
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.statement.get() == &statement; });
  if (found != entries_.end()) {
    by_hash_.erase(found->hash);
    entries_.erase(found);
  }
  std::erase(garbage_, name);
  if (made) garbage_.push_back(name);
}

void StatementCache::clear() {
  by_hash_.clear();
  entries_.clear();
  garbage_.clear();
}

std::vector<std::string> StatementCache::take_garbage() { return std::exchange(garbage_, {}); }

}  // namespace quarry::sql::postgres_driver
