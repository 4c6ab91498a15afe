#include <fmt/format.h>

#include <thread>

#include "conformance/system/system_test.hpp"
#include "system/audit_record.hpp"

namespace quarry::test {
namespace {

using system::AuditNote;

class Audit : public SystemTest {};
QUARRY_BOTH_ENGINES(Audit);

TEST_P(Audit, EntriesAreChainedAndReadAsTheyWereWritten) {
  EXPECT_EQ(head(), std::nullopt);
  const auto resource = db().write([](Write& tx) { return tx.new_uuid(); });
  const auto first = audit({.action = "job.cancel",
                            .resource_type = "job",
                            .resource_id = resource,
                            .details = Json{R"({"why": "asked for", "after": 1.50})"},
                            .user_id = ada_,
                            .ip_address = "2001:DB8::0:7",
                            .user_agent = "curl/8"});
  EXPECT_EQ(first.seq, 1);
  const auto second = audit({.action = "login"}, Actor::admin(bob_));
  EXPECT_EQ(second.seq, 2);
  EXPECT_EQ(head(), second);
  const auto found = entries();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].user_id, bob_) << "the actor";
  EXPECT_EQ(found[0].hash, second.hash);
  EXPECT_EQ(found[1].action, "job.cancel");
  EXPECT_EQ(found[1].resource_id, resource);
  EXPECT_EQ(system::canonical_json(found[1].details->text), R"({"after":1.5,"why":"asked for"})");
  EXPECT_EQ(found[1].ip_address, "2001:db8::7");
  EXPECT_EQ(found[1].user_agent, "curl/8");
  EXPECT_EQ(found[1].created_at, clock().now());
  EXPECT_TRUE(verify(second).intact());
  EXPECT_EQ(verify().checked, 2);
}

TEST_P(Audit, BelongsToTheTransactionThatItReports) {
  audit({.action = "one"});
  EXPECT_ANY_THROW(db().write([&](Write& tx) {
    system::audit(tx, {.action = "two"});
    throw std::runtime_error("undone");
  }));
  db().write([&](Write& tx) {
    system::audit(tx, {.action = "three"});
    system::audit(tx, {.action = "four"});
  });
  EXPECT_EQ(head()->seq, 3) << "without a gap";
  EXPECT_TRUE(verify().intact());
}

TEST_P(Audit, OneWrittenOnBehalfOfATenantIsLinkedToThoseItDoesNotSee) {
  audit({.action = "system.start"});
  audit({.action = "login", .user_id = bob_});
  const auto third = audit({.action = "login"}, Actor::user(ada_));
  EXPECT_EQ(third.seq, 3);
  audit({.action = "system.stop"});
  EXPECT_EQ(audit({.action = "logout"}, Actor::user(ada_)).seq, 5);
  EXPECT_TRUE(verify().intact());
  const auto hers = entries({}, Actor::user(ada_));
  ASSERT_EQ(hers.size(), 2U) << "and no others'";
  EXPECT_EQ(hers[0].user_id, ada_);
  EXPECT_EQ(code_of([&] { audit({.action = "login", .user_id = bob_}, Actor::user(ada_)); }), ErrorCode::denied);
  const auto as_ada = [&](auto&& body) { return code_of([&] { db().read({.actor = Actor::user(ada_)}, body); }); };
  EXPECT_EQ(as_ada([](Read& tx) { system::verify_audit(tx); }), ErrorCode::denied);
  EXPECT_EQ(as_ada([](Read& tx) { system::audit_head(tx); }), ErrorCode::denied);
}

TEST_P(Audit, ManyWritersMakeOneChain) {
  constexpr int threads = 8, each = 15;
  std::vector<std::jthread> writers;
  for (int t = 0; t < threads; ++t)
    writers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) audit({.action = "act"}, t % 2 == 0 ? Actor::system() : Actor::user(ada_));
    });
  writers.clear();
  const auto report = verify();
  EXPECT_TRUE(report.intact()) << report.breaks.at(0).message;
  EXPECT_EQ(report.checked, threads * each);
  EXPECT_EQ(report.head->seq, threads * each);
}

TEST_P(Audit, ASnapshotWouldMissTheLastEntry) {
  if (is_sqlite()) GTEST_SKIP() << "writes are serial";
  for (const auto isolation : {Isolation::repeatable_read, Isolation::serializable})
    EXPECT_EQ(
        code_of([&] { db().write({.isolation = isolation}, [](Write& tx) { system::audit(tx, {.action = "act"}); }); }),
        ErrorCode::invalid);
}

TEST_P(Audit, TimeNeverGoesBackAlongTheChain) {
  audit({.action = "first"});
  const auto then = clock().now();
  clock().set(then - std::chrono::hours(1));
  audit({.action = "second"});
  EXPECT_EQ(entries()[0].created_at, then);
  EXPECT_TRUE(verify().intact());
}

TEST_P(Audit, IsAppendOnly) {
  audit({.action = "login", .user_id = ada_});
  EXPECT_ANY_THROW(tamper("update audit_logs set action = 'other'"));
  EXPECT_ANY_THROW(tamper("update audit_logs set user_id = null"));
  EXPECT_ANY_THROW(tamper("delete from audit_logs"));
  if (is_postgres()) {
    EXPECT_ANY_THROW(tamper("truncate audit_logs"));
    EXPECT_ANY_THROW(tamper("truncate audit_logs_default"));
  }
  tamper("delete from users where username = 'ada'");
  EXPECT_EQ(entries()[0].user_id, std::nullopt);
  EXPECT_TRUE(verify().intact()) << "the user's id is no part of the hash";
}

// On SQLite a row in the way of INSERT OR REPLACE is deleted past the trigger that refuses deletions.
TEST_P(Audit, IsNotReplaced) {
  if (is_postgres()) GTEST_SKIP() << "it has no INSERT OR REPLACE";
  audit({.action = "login", .user_id = ada_});
  audit({.action = "logout", .user_id = ada_});
  const std::string columns = "user_id, user_digest, chain_seq, prev_hash, hash, created_at";
  const auto refused = [&](const std::string& into, const std::string& first) {
    return code_of([&] {
      tamper("insert or replace into audit_logs (" + into + ", action, " + columns + ") select " + first + ", 'forged', " +
             columns + " from audit_logs where chain_seq = 1");
    });
  };
  EXPECT_EQ(refused("id", "id"), ErrorCode::constraint);
  EXPECT_EQ(refused("rowid, id", "rowid, randomblob(16)"), ErrorCode::constraint);
  EXPECT_EQ(entries().size(), 2U);
  EXPECT_TRUE(verify().intact());
}

TEST_P(Audit, ListFilterAndPage) {
  const auto resource = db().write([](Write& tx) { return tx.new_uuid(); });
  for (int i = 1; i <= 7; ++i) {
    clock().advance(std::chrono::minutes(1));
    audit({.action = i % 2 == 0 ? "job.create" : "job_x",
           .resource_type = i < 3 ? "job" : "user",
           .resource_id = i == 5 ? std::optional(resource) : std::nullopt,
           .user_id = i < 5 ? ada_ : bob_});
  }
  const auto seqs = [&](const system::AuditFilter& filter) {
    std::vector<std::int64_t> found;
    for (const auto& entry : entries(filter)) found.push_back(entry.chain_seq);
    return found;
  };
  using Seqs = std::vector<std::int64_t>;
  EXPECT_EQ(seqs({}), (Seqs{7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(seqs({.user_id = bob_}), (Seqs{7, 6, 5}));
  EXPECT_EQ(seqs({.action = "job.create"}), (Seqs{6, 4, 2}));
  EXPECT_EQ(seqs({.action_prefix = "job_"}), (Seqs{7, 5, 3, 1})) << "an underscore is no wildcard";
  EXPECT_EQ(seqs({.resource_type = "job"}), (Seqs{2, 1}));
  EXPECT_EQ(seqs({.resource_id = resource}), Seqs{5});
  const auto at = [&](int minute) { return TestDatabase::kStart + std::chrono::minutes(minute); };
  EXPECT_EQ(seqs({.since = at(3), .until = at(5)}), (Seqs{4, 3}));
  db().read([&](Read& tx) {
    EXPECT_EQ(system::count_audit(tx, {.user_id = ada_}), 4);
    PageRequest page{.limit = 3};
    Seqs all;
    for (bool more = true; more;) {
      const auto found = system::list_audit(tx, {}, page, store::Direction::ascending);
      for (const auto& entry : found.rows) all.push_back(entry.chain_seq);
      more = found.next.has_value();
      page.after = found.next.value_or("");
    }
    EXPECT_EQ(all, (Seqs{1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(code_of([&] { system::list_audit(tx, {}, {.after = "x"}); }), ErrorCode::invalid);
  });
}

TEST_P(Audit, BadInputIsNamedAndClientsWordsAreTidied) {
  const auto refused = [&](const AuditNote& note) { return code_of([&] { audit(note); }); };
  EXPECT_EQ(refused({.action = ""}), ErrorCode::invalid);
  EXPECT_EQ(refused({.action = std::string(101, 'x')}), ErrorCode::invalid);
  EXPECT_EQ(refused({.action = "x", .resource_type = std::string(51, 'x')}), ErrorCode::invalid);
  EXPECT_EQ(refused({.action = "x", .details = Json{"[1]"}}), ErrorCode::invalid);
  EXPECT_EQ(refused({.action = "x", .details = Json{R"({"a":1,"a":2})"}}), ErrorCode::invalid);
  EXPECT_EQ(refused({.action = "x", .details = Json{R"({"a":"\u0000"})"}}), ErrorCode::invalid);
  EXPECT_EQ(refused({.action = "x", .ip_address = "somewhere"}), ErrorCode::invalid);
  EXPECT_EQ(refused({.action = "x", .user_id = UserId{}}), ErrorCode::constraint);
  EXPECT_EQ(head(), std::nullopt);
  audit({.action = "x", .user_agent = "\x1b[31m\xff" + std::string(600, 'x')});
  EXPECT_EQ(entries()[0].user_agent, "?[31m?" + std::string(494, 'x'));
  EXPECT_TRUE(verify().intact());
}

// jsonb rewrites numbers, key order, spaces and escapes; the chain must not notice.
TEST_P(Audit, WhatTheEngineMakesOfJsonDoesNotMatter) {
  for (const auto* details : {R"({"b":1e2,"a":-0.0,"long":123456789012345678901234567890,"small":0.000000001234})",
                              R"({"x":{"bb":1,"a":[]},"":""})", R"({"text":"\u00e9\u0007\ud83d\ude00\/ \"\\"})",
                              R"({"n":3.14159265358979323846264338327950288,"e":1E-290})", "{}"})
    audit({.action = "json", .details = Json{details}});
  const auto report = verify();
  EXPECT_TRUE(report.intact()) << report.breaks.at(0).message;
}

// Rows of one engine are a chain on the other: the hash is of what they say and not of how an engine keeps it.
TEST(AuditOnBothEngines, AChainOfTheOneIsAChainOnTheOther) {
  TestDatabase sqlite(Engine::sqlite, test::head());
  TestDatabase postgres(Engine::postgres, test::head());
  system::ChainHead end;
  for (int i = 0; i < 3; ++i)
    end = sqlite.db().write([&](Write& tx) {
      return system::audit(tx, {.action = "act",
                                .resource_id = tx.new_uuid(),
                                .details = Json{R"({"b":1.10e-12,"a":"é","c":[1E5,{}]})"},
                                .ip_address = "2001:db8::0",
                                .user_agent = "x"});
    });
  static constexpr std::string_view columns =
      "id, chain_seq, created_at, user_id, user_digest, action, resource_type, resource_id, details, ip_address, user_agent,"
      " prev_hash, hash";
  const auto rows = sqlite.db().read([&](Read& tx) {
    const auto text = fmt::format("select {} from audit_logs", columns);
    return tx.all(sql::Query<system::ChainedRecord()>("test.read", text));
  });
  const auto report = postgres.db().write([&](Write& tx) {
    const auto text =
        fmt::format("insert into audit_logs ({}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", columns);
    for (const auto& row : rows) tx.run(sql::Command<void(system::ChainedRecord)>("test.write", text), row);
    return system::verify_audit(tx, {.expect = end});
  });
  EXPECT_TRUE(report.intact()) << report.breaks.at(0).message;
  EXPECT_EQ(report.checked, 3);
}

}  // namespace
}  // namespace quarry::test
