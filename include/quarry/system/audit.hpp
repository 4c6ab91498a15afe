#pragma once
/// Who did what: entries in `audit_logs`, written in the transaction that they report, and never changed.
///
///     system::audit(tx, {.action = "user.deactivate", .resource_type = "user", .resource_id = id.value,
///                        .details = Json{R"({"reason": "asked for"})"}, .ip_address = "192.0.2.7"});
///
/// Entries are numbered without gaps, and each carries the SHA-256 of the one before it together with its own content, so
/// that whoever edits, deletes, inserts or reorders one has to rewrite all that follow; see `verify_audit` for what that
/// leaves. Triggers refuse updates and deletions.
///
/// The hash is over the 32 bytes of the hash before (none for entry 1) and this JSON text in UTF-8, without white space:
///
///     {"action":"...","created_at":MICROSECONDS,"details":...,"id":"UUID","ip_address":...,"resource_id":...,
///      "resource_type":...,"seq":NUMBER,"user_agent":...,
///      "user_digest":...}
///
/// where what is absent is null and `details` is in canonical form (keys sorted by bytes, numbers without superfluous
/// digits; `canonical_json`). It is the same on both engines. `user_digest` is 64 hexadecimal digits:
/// the SHA-256 of `ENTRY-UUID`, a line end and `USER-UUID`. It stands for the acting user, whose id becomes null when the
/// user is deleted: what must be told of the user afterwards belongs into `details`.
///
/// On PostgreSQL writers take turns: the number is taken behind an advisory lock that is held until the commit, so write the
/// entry last. The transaction must run at READ COMMITTED, the default. `created_at` never goes back along the chain.
///
/// A transaction on behalf of a user writes entries in that user's name, and reads no others' entries.
///
/// Errors: `invalid`, `denied`, `constraint`, as each function says. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/sql/transaction.hpp"
#include "quarry/store/list.hpp"

namespace quarry::system {

/// What happened.
struct AuditNote {
  std::string action;                          ///< 1 to 100 characters: `job.cancel`
  std::optional<std::string> resource_type{};  ///< up to 50 characters: `job`
  std::optional<Uuid> resource_id{};
  std::optional<Json> details{};            ///< a JSON object of at most 64 KiB
  std::optional<UserId> user_id{};          ///< who did it; nothing: the transaction's actor
  std::optional<std::string> ip_address{};  ///< IPv4 or IPv6, without a prefix length or zone
  std::optional<std::string> user_agent{};  ///< as the client sent it: cut after 500 characters, made printable
};

/// Where the chain ends. `hash` is 64 hexadecimal digits.
struct ChainHead {
  std::int64_t seq = 0;
  std::string hash;
  friend bool operator==(const ChainHead&, const ChainHead&) = default;
};
BOOST_DESCRIBE_STRUCT(ChainHead, (), (seq, hash))
/// `SEQ:HASH`
std::string to_string(const ChainHead& head);
/// Throws `invalid`.
ChainHead parse_chain_head(std::string_view text);

/// Adds an entry, and returns the chain's new end. Throws `invalid` (a field out of its bounds, or a transaction at another
/// isolation level), `denied` (in another user's name) and `constraint` (no such user).
ChainHead audit(Write& tx, const AuditNote& note);

/// Nothing when the log is empty. For the system and admins: `denied` for others.
std::optional<ChainHead> audit_head(Read& tx);

struct AuditEntry {
  Uuid id;
  std::int64_t chain_seq = 0;
  Instant created_at;
  std::optional<UserId> user_id;
  std::string action;
  std::optional<std::string> resource_type;
  std::optional<Uuid> resource_id;
  std::optional<Json> details;
  std::optional<std::string> ip_address;
  std::optional<std::string> user_agent;
  std::string hash;  ///< 64 hexadecimal digits
};
BOOST_DESCRIBE_STRUCT(AuditEntry, (),
                      (id, chain_seq, created_at, user_id, action, resource_type, resource_id, details, ip_address,
                       user_agent, hash))

struct AuditFilter {
  std::optional<UserId> user_id{};
  std::optional<std::string> action{};         ///< whole
  std::optional<std::string> action_prefix{};  ///< `setting.`
  std::optional<std::string> resource_type{};
  std::optional<Uuid> resource_id{};
  std::optional<Instant> since{};  ///< inclusive
  std::optional<Instant> until{};  ///< exclusive
};
/// By number, the newest first unless `ascending` is asked for. Throws `invalid` for a bad cursor or limit.
Page<AuditEntry> list_audit(Read& tx, const AuditFilter& filter = {}, const PageRequest& page = {},
                            store::Direction direction = store::Direction::descending);
/// How many there are. Its cost grows with their number.
std::int64_t count_audit(Read& tx, const AuditFilter& filter = {});

/// A JSON value in the one form that all its spellings have in common: no white space, object keys sorted by their bytes, no
/// escapes but `\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t` and `\u00xx` for other control characters, and numbers as their
/// digits without superfluous zeros (with an exponent, `1.5e25` or `1.5e-8`, above 21 digits and below 1e-7). What
/// PostgreSQL's jsonb makes of a text has the form of the text. Throws `invalid` for what is no JSON, a key that comes twice
/// in one object, a zero character (jsonb has none), more than 32 levels, and numbers of more than 100 digits or beyond
/// 1e300.
std::string canonical_json(std::string_view text);

}  // namespace quarry::system
