#include "quarry/system/audit_verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "quarry/core/error.hpp"
#include "system/audit_record.hpp"
#include "system/setting_rows.hpp"

namespace quarry::system {
namespace {

constexpr std::size_t breaks_max = 100;
/// How far an entry is looked for that was moved.
constexpr std::int64_t moved_distance_max = 64;

constexpr sql::Query<ChainedRecord()> all_in_order{
    "system.audit_chain",
    sql::sqlite("select id, chain_seq, created_at, user_id, user_digest, action, resource_type, resource_id, details,"
                " ip_address, user_agent, prev_hash, hash from audit_logs order by chain_seq, id"),
    sql::postgres("select id, chain_seq, created_at, user_id, user_digest, action, resource_type, resource_id, details,"
                  " abbrev(ip_address) as ip_address, user_agent, prev_hash, hash from audit_logs order by chain_seq, id")};

std::optional<std::int64_t> number_before(ChainedRecord record) {
  const auto here = record.chain_seq;
  for (std::int64_t away = 1; away <= moved_distance_max; ++away)
    for (const auto seq : {here - away, here + away}) {
      record.chain_seq = seq;
      if (seq >= 1 && fits_hash(record)) return seq;
    }
  return std::nullopt;
}

class ChainReader {
 public:
  /// `begins_anywhere`: nothing need vouch for what lies before the first entry.
  explicit ChainReader(const VerifyOptions& options, bool begins_anywhere = false)
      : expect_(options.expect), begins_anywhere_(begins_anywhere) {}

  void read(const ChainedRecord& record) {
    ++report_.checked;
    check_number(record);
    check_content(record);
    if (expect_ && record.chain_seq == expect_->seq && to_hex(record.hash) != expect_->hash)
      add({.fault = ChainFault::rewritten,
           .seq = record.chain_seq,
           .until_seq = {},
           .id = record.id,
           .message =
               fmt::format("entry {} has another hash than was expected: the log was written anew", record.chain_seq)});
    last_seq_ = record.chain_seq;
    last_hash_ = record.hash;
  }

  ChainReport end() {
    if (unvouched_ > 0) add_missing(1, unvouched_);
    if (expect_ && last_seq_ < expect_->seq)
      add({.fault = ChainFault::cut,
           .seq = last_seq_ + 1,
           .until_seq = expect_->seq,
           .id = {},
           .message = fmt::format("the log ends with entry {}, and was expected to reach {}: its end was cut off", last_seq_,
                                  expect_->seq)});
    if (report_.checked > 0) report_.head = ChainHead{last_seq_, to_hex(last_hash_)};
    return std::move(report_);
  }

 private:
  void add(ChainBreak found) {
    ++report_.faults;
    if (report_.breaks.size() < breaks_max) report_.breaks.push_back(std::move(found));
  }
  void add_missing(std::int64_t from, std::int64_t until) {
    add({.fault = ChainFault::missing,
         .seq = from,
         .until_seq = until,
         .id = {},
         .message = from == until ? fmt::format("entry {} is missing", from)
                                  : fmt::format("entries {} to {} are missing", from, until)});
  }

  void check_number(const ChainedRecord& record) {
    const auto seq = record.chain_seq;
    if (report_.checked == 1) {
      if (!begins_anywhere_) unvouched_ = seq - 1;
      if (record.prev_hash) hash_before_ = to_hex(*record.prev_hash);
      if (expect_ && expect_->seq == unvouched_ && expect_->hash != hash_before_)
        add({.fault = ChainFault::rewritten,
             .seq = seq,
             .until_seq = {},
             .id = record.id,
             .message = fmt::format("entry {} does not follow the expected one", seq)});
    } else if (seq == last_seq_) {
      add({.fault = ChainFault::duplicate,
           .seq = seq,
           .until_seq = {},
           .id = record.id,
           .message = fmt::format("there is a second entry {}", seq)});
    } else if (seq > last_seq_ + 1) {
      add_missing(last_seq_ + 1, seq - 1);
    } else if (record.prev_hash != last_hash_) {
      add({.fault = ChainFault::unlinked,
           .seq = seq,
           .until_seq = {},
           .id = record.id,
           .message =
               fmt::format("entry {} does not carry the hash of entry {}: one of them was replaced", seq, last_seq_)});
    }
  }

  void check_content(const ChainedRecord& record) {
    if (fits_hash(record)) {
      if (unvouched_ > 0 && record.action == "audit.retire" && record.details) accept_retirement(record.details->text);
      return;
    }
    std::optional<std::int64_t> before;
    if (report_.breaks.size() < breaks_max) before = number_before(record);
    if (before)
      add({.fault = ChainFault::moved,
           .seq = record.chain_seq,
           .until_seq = {},
           .id = record.id,
           .message = fmt::format("entry {} was moved: it stood at {}", record.chain_seq, *before)});
    else
      add({.fault = ChainFault::edited,
           .seq = record.chain_seq,
           .until_seq = {},
           .id = record.id,
           .message = fmt::format("entry {} was edited: its content does not fit its hash", record.chain_seq)});
  }

  /// Whether the entry says that what is missing at the beginning was retired.
  void accept_retirement(const std::string& details) {
    const auto value = boost::json::parse(details);
    const auto* object = value.if_object();
    const auto* last = object ? object->if_contains("last") : nullptr;
    const auto* hash = object ? object->if_contains("hash") : nullptr;
    if (!last || !hash || !last->is_int64() || !hash->is_string()) return;
    if (last->get_int64() != unvouched_ || std::string_view(hash->get_string()) != hash_before_) return;
    report_.retired = std::exchange(unvouched_, 0);
  }

  std::optional<ChainHead> expect_;
  bool begins_anywhere_;
  ChainReport report_;
  std::int64_t unvouched_ = 0;  ///< entries before the first one that nothing has vouched for yet
  std::string hash_before_;     ///< what the first one carries
  std::int64_t last_seq_ = 0;
  Bytes last_hash_;
};

}  // namespace

ChainReport verify_audit(Read& tx, const VerifyOptions& options) {
  require_system(tx.actor(), "the audit log's end and its check");
  ChainReader reader(options);
  auto rows = tx.stream(all_in_order);
  for (const ChainedRecord& record : rows) reader.read(record);
  return reader.end();
}

ChainReport verify_audit_end(Read& tx, std::int64_t entries) {
  require_system(tx.actor(), "the audit log's end and its check");
  // The limit is a literal, because PostgreSQL's planner guesses a tenth of the table for a parameter.
  const auto text = fmt::format(
      "select id, chain_seq, created_at, user_id, user_digest, action, resource_type, resource_id, details,{} user_agent,"
      " prev_hash, hash from audit_logs order by chain_seq desc limit {}",
      tx.engine() == Engine::sqlite ? " ip_address," : " abbrev(ip_address) as ip_address,",
      std::max<std::int64_t>(entries, 0));
  ChainReader reader({}, true);
  const auto newest_first = tx.all(sql::Query<ChainedRecord()>("system.audit_chain_end", text));
  for (auto record = newest_first.rbegin(); record != newest_first.rend(); ++record) reader.read(*record);
  return reader.end();
}

}  // namespace quarry::system
