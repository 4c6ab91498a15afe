/// Random harm to an audit log: whatever changes what the log says is found, and nothing else is called a fault.
///
/// QUARRY_TEST_LONG=1 tries fifty times as many. A failure prints the shortest list of changes that still fails; RC_PARAMS
/// repeats it.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>

#include "quarry/core/error.hpp"
#include "quarry/system/audit.hpp"
#include "quarry/system/audit_verify.hpp"
#include "support/migrated_database.hpp"
#include "system/audit_record.hpp"

namespace quarry::test {
namespace {

using system::ChainedRecord;

constexpr std::size_t entries_count = 8;

enum class Harm { edit, remove, swap_numbers, swap_contents, break_hash, break_link, repeat, rehash, close_ranks };
struct Change {
  Harm harm;
  std::size_t at, other;
  int how;
};
std::ostream& operator<<(std::ostream& out, const Change& change) {
  constexpr const char* names[] = {"edit",       "remove", "swap_numbers", "swap_contents", "break_hash",
                                   "break_link", "repeat", "rehash",       "close_ranks"};
  return out << names[static_cast<int>(change.harm)] << ' ' << change.at << ' ' << change.other << ' ' << change.how;
}

using Rows = std::vector<ChainedRecord>;

void edit(ChainedRecord& row, int how) {
  switch (how % 8) {
    case 0:
      row.action += "x";
      break;
    case 1:
      row.created_at.us += 1;
      break;
    case 2:
      row.details = Json{R"({"text":"\u00e9","n":1e1})"};
      break;  // may be what stands there already
    case 3:
      row.details.reset();
      break;
    case 4:
      row.ip_address = "192.0.2.1";
      break;
    case 5:
      row.resource_id = Uuid{{9}};
      break;
    case 6:
      row.user_digest = Bytes(32);
      break;
    default:
      row.id.bytes[15] ^= std::uint8_t{1};
  }
}

void swap_contents(ChainedRecord& one, ChainedRecord& other) {
  std::swap(one, other);
  std::swap(one.chain_seq, other.chain_seq);
  std::swap(one.prev_hash, other.prev_hash);
  std::swap(one.hash, other.hash);
}

/// As who forges the log would do it: from `from` on, for as long as `count` says.
void rehash(Rows& rows, std::size_t from, std::size_t count) {
  for (std::size_t i = from; i < std::min(rows.size(), from + count); ++i) {
    if (i > 0) rows[i].prev_hash = rows[i - 1].hash;
    rows[i].hash = system::chain_hash(rows[i]);
  }
}

void apply(Rows& rows, const Change& change, Write& tx) {
  if (rows.empty()) return;
  const auto at = change.at % rows.size();
  const auto other = change.other % rows.size();
  switch (change.harm) {
    case Harm::edit:
      edit(rows[at], change.how);
      break;
    case Harm::remove:
      rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case Harm::swap_numbers:
      std::swap(rows[at].chain_seq, rows[other].chain_seq);
      break;
    case Harm::swap_contents:
      swap_contents(rows[at], rows[other]);
      break;
    case Harm::break_hash:
      rows[at].hash[static_cast<std::size_t>(change.how) % 32] ^= std::byte{1};
      break;
    case Harm::break_link:
      if (rows[at].prev_hash) (*rows[at].prev_hash)[static_cast<std::size_t>(change.how) % 32] ^= std::byte{1};
      break;
    case Harm::repeat:
      rows.push_back(rows[at]);
      rows.back().id = tx.new_uuid();
      break;
    case Harm::rehash:
      rehash(rows, at, static_cast<std::size_t>(change.how));
      break;
    case Harm::close_ranks:
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i].chain_seq = static_cast<std::int64_t>(i + 1);
  }
}

/// What the table's own rule would refuse is no case.
void fit_the_table(Rows& rows) {
  for (auto& row : rows) {
    if (row.chain_seq == 1) row.prev_hash.reset();
    if (row.chain_seq != 1 && !row.prev_hash) row.prev_hash = Bytes(32);
  }
}

std::vector<std::string> meaning_of(Rows rows) {
  std::vector<std::string> lines;
  for (const auto& row : rows)
    lines.push_back(system::canonical_text(row) + (row.prev_hash ? system::to_hex(*row.prev_hash) : "") + ' ' +
                    system::to_hex(row.hash));
  std::ranges::sort(lines);
  return lines;
}

constexpr std::string_view columns =
    "id, chain_seq, created_at, user_id, user_digest, action, resource_type, resource_id, details, ip_address, user_agent,"
    " prev_hash, hash";

Rows read_rows(Read& tx) {
  const auto text = fmt::format(
      "select id, chain_seq, created_at, user_id, user_digest, action, resource_type, resource_id, details, {}, user_agent,"
      " prev_hash, hash from audit_logs order by chain_seq",
      tx.engine() == Engine::sqlite ? "ip_address" : "abbrev(ip_address) as ip_address");
  return tx.all(sql::Query<ChainedRecord()>("test.read_chain", text));
}

void replace_rows(Write& tx, const Rows& rows) {
  tx.session().run_script("test.unguard", tx.engine() == Engine::sqlite
                                              ? "drop trigger if exists audit_logs_no_delete; delete from audit_logs"
                                              : "alter table audit_logs disable trigger audit_logs_append_only;"
                                                "alter table audit_logs_default disable trigger audit_logs_append_only;"
                                                "delete from audit_logs");
  const auto text =
      fmt::format("insert into audit_logs ({}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", columns);
  for (const auto& row : rows) tx.run(sql::Command<void(ChainedRecord)>("test.write_chain", text), row);
}

class ChainTamper : public MigratedEngines {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < entries_count; ++i)
      head_ = db().write([&](Write& tx) {
        system::AuditNote note{.action = i % 2 == 0 ? "job.cancel" : "login"};
        if (i % 3 == 0) note.details = Json{R"({"n": 10, "text": "é"})"};
        if (i % 3 == 1) note.ip_address = "2001:db8::1";
        if (i % 4 == 0) note.resource_id = tx.new_uuid();
        return system::audit(tx, note);
      });
  }
  system::ChainHead head_;
};
QUARRY_BOTH_ENGINES(ChainTamper);

/// Thrown to take a case's harm back.
struct Undo {};

TEST_P(ChainTamper, WhatChangesTheLogIsFoundAndNothingElse) {
  const bool is_long = std::getenv("QUARRY_TEST_LONG") != nullptr;
  setenv("RC_PARAMS", is_long ? "max_success=15000" : "max_success=400", 0);
  // At their full range whatever the size of a case is: RapidCheck would begin with the first entry only.
  const auto number = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, entries_count));
  const auto how = rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 32));
  const bool good = rc::check("harm is found", [&] {
    const auto harm = rc::gen::element(Harm::edit, Harm::remove, Harm::swap_numbers, Harm::swap_contents, Harm::break_hash,
                                       Harm::break_link, Harm::repeat, Harm::rehash, Harm::close_ranks);
    // Few: one change hides behind another.
    const auto count = *rc::gen::element<std::size_t>(0, 1, 1, 1, 1, 2, 2, 2, 3, 5);
    const auto changes =
        *rc::gen::container<std::vector<Change>>(count, rc::gen::construct<Change>(harm, number, number, how));
    bool is_same = false;
    bool keeps_all = false;
    system::ChainReport report;
    try {
      db().write({.alone = true}, [&](Write& tx) {
        const auto before = read_rows(tx);
        auto rows = before;
        for (const auto& change : changes) apply(rows, change, tx);
        fit_the_table(rows);
        replace_rows(tx, rows);
        const auto was = meaning_of(before);
        const auto is = meaning_of(rows);
        is_same = is == was;
        keeps_all = std::ranges::includes(is, was);
        report = system::verify_audit(tx, {.expect = head_});
        throw Undo{};
      });
    } catch (const Undo&) {
    } catch (const Error& error) {
      RC_PRE(error.code() != ErrorCode::constraint);  // the table's keys have noticed
      throw;
    }
    for (const auto& found : report.breaks) RC_LOG() << found.message << "\n";
    // What was added behind the kept end, and is rightly chained, is what any program does.
    if (is_same || !keeps_all) RC_ASSERT(report.intact() == is_same);
  });
  EXPECT_TRUE(good);
}

}  // namespace
}  // namespace quarry::test
