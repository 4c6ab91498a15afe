#include "quarry/system/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"
#include "system/audit_record.hpp"
#include "system/setting_rows.hpp"

namespace quarry::system {
namespace {

constexpr std::size_t action_characters_max = 100;
constexpr std::size_t resource_type_characters_max = 50;
constexpr std::size_t user_agent_characters_max = 500;
constexpr std::size_t details_bytes_max = 64 * 1024;
constexpr std::size_t hash_digits = 64;

struct StoredHead {
  std::int64_t chain_seq;
  Bytes hash;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(StoredHead, (), (chain_seq, hash, created_at))

/// Until the commit. The isolation level comes along, because only READ COMMITTED sees what the writer before has left.
constexpr sql::Command<std::string()> lock_chain{
    "system.lock_audit_chain", sql::sqlite("select 'read committed'"),
    sql::postgres(
        "select current_setting('transaction_isolation') from (select pg_advisory_xact_lock(7237970109966541)) held")};
/// On PostgreSQL a function that sees the whole chain on behalf of a tenant, who sees a part.
constexpr sql::Query<StoredHead()> read_head{
    "system.audit_head", sql::sqlite("select chain_seq, hash, created_at from audit_logs order by chain_seq desc limit 1"),
    sql::postgres("select chain_seq, hash, created_at from quarry_audit_head()")};
/// ip_address is inet on PostgreSQL, and the driver gives a text for it.
constexpr sql::Command<void(ChainedRecord)> insert_entry{
    "system.insert_audit",
    "insert into audit_logs (id, chain_seq, created_at, user_id, user_digest, action, resource_type, resource_id, details,"
    " ip_address, user_agent, prev_hash, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};

void check_note(const AuditNote& note) {
  store::check_text("the action", note.action, 1, action_characters_max);
  if (note.resource_type)
    store::check_text("the type of the resource", *note.resource_type, 0, resource_type_characters_max);
  if (note.details) store::check_json_object("an audit entry's details", note.details->text, details_bytes_max);
}

/// What comes from clients is kept in a form that can be stored and shown, and not refused.
std::string tidy_user_agent(std::string text) {
  const bool is_text = store::count_characters(text).has_value();
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || (!is_text && static_cast<unsigned char>(c) > 0x7E)) c = '?';
  return std::string(store::first_characters(text, user_agent_characters_max));
}

ChainedRecord record_of(Write& tx, const AuditNote& note) {
  ChainedRecord record{
      .id = tx.new_uuid(), .action = note.action, .resource_type = note.resource_type, .resource_id = note.resource_id};
  if (note.details) record.details = Json{canonical_json(note.details->text)};
  if (note.user_agent) record.user_agent = tidy_user_agent(*note.user_agent);
  if (note.ip_address) {
    record.ip_address = canonical_ip(*note.ip_address);
    if (!record.ip_address) throw_invalid(fmt::format("'{}' is no IP address", *note.ip_address));
  }
  return record;
}

std::optional<UserId> author_of(const Actor& actor, const AuditNote& note) {
  if (!note.user_id) return actor.user_id();
  if (!actor.sees(*note.user_id)) throw Error(ErrorCode::denied, "an audit entry is written in one's own name only");
  return note.user_id;
}

}  // namespace

std::string to_string(const ChainHead& head) { return fmt::format("{}:{}", head.seq, head.hash); }

ChainHead parse_chain_head(std::string_view text) {
  ChainHead head;
  const auto colon = std::min(text.find(':'), text.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + colon, head.seq);
  const auto hash = text.substr(std::min(colon + 1, text.size()));
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (error != std::errc() || end != text.data() + colon || head.seq < 1 || hash.size() != hash_digits ||
      !std::ranges::all_of(hash, is_hex))
    throw_invalid("an end of the audit log is SEQ:HASH, as `quarry audit head` prints it");
  head.hash = hash;
  return head;
}

ChainHead audit(Write& tx, const AuditNote& note) {
  check_note(note);
  auto record = record_of(tx, note);
  record.user_id = author_of(tx.actor(), note);
  if (record.user_id) record.user_digest = digest_of_user(record.id, *record.user_id);
  if (tx.value(lock_chain) != "read committed")
    throw_invalid("an audit entry is written at READ COMMITTED only: a snapshot would not see the entry before it");
  const auto head = tx.one(read_head);
  record.chain_seq = head ? head->chain_seq + 1 : 1;
  record.created_at = head ? std::max(tx.now(), head->created_at) : tx.now();
  if (head) record.prev_hash = head->hash;
  record.hash = chain_hash(record);
  tx.run(insert_entry, record);
  return {record.chain_seq, to_hex(record.hash)};
}

std::optional<ChainHead> audit_head(Read& tx) {
  require_system(tx.actor(), "the audit log's end and its check");
  const auto head = tx.one(read_head);
  if (!head) return std::nullopt;
  return ChainHead{head->chain_seq, to_hex(head->hash)};
}

}  // namespace quarry::system
