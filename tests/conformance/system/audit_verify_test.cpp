#include <fmt/format.h>

#include "conformance/system/system_test.hpp"

namespace quarry::test {
namespace {

using system::ChainFault;

class AuditVerify : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    for (int i = 1; i <= 10; ++i)
      heads_.push_back(audit({.action = fmt::format("act.{}", i), .details = Json{fmt::format(R"({{"n":{}}})", i)}}));
  }
  /// Past the triggers, as the owner of the file or of the tables can.
  void tamper_unguarded(const std::string& sql) {
    tamper("drop trigger if exists audit_logs_no_update; drop trigger if exists audit_logs_no_delete; " + sql,
           "alter table audit_logs disable trigger audit_logs_append_only; "
           "alter table audit_logs_default disable trigger audit_logs_append_only; " +
               sql);
  }
  struct Found {
    ChainFault fault;
    std::int64_t seq;
    bool operator==(const Found&) const = default;
  };
  std::vector<Found> faults(const std::optional<system::ChainHead>& expect = {}) {
    std::vector<Found> found;
    for (const auto& each : verify(expect).breaks) {
      EXPECT_NE(each.message, "");
      found.push_back({each.fault, each.seq});
    }
    return found;
  }
  using Faults = std::vector<Found>;

  std::vector<system::ChainHead> heads_;
};
QUARRY_BOTH_ENGINES(AuditVerify);

TEST_P(AuditVerify, TheEndAloneIsCheckedInBoundedWork) {
  const auto end_of = [&](std::int64_t entries) {
    return db().read([&](Read& tx) { return system::verify_audit_end(tx, entries); });
  };
  auto report = end_of(4);
  EXPECT_TRUE(report.intact());
  EXPECT_EQ(report.checked, 4);
  EXPECT_EQ(report.head, heads_.back());
  EXPECT_TRUE(end_of(1'000).intact()) << "from the first one on";
  tamper_unguarded("update audit_logs set action = 'forged' where chain_seq = 5");
  EXPECT_TRUE(end_of(4).intact()) << "it lies before";
  report = end_of(6);
  ASSERT_EQ(report.breaks.size(), 1U);
  EXPECT_EQ(report.breaks.front().fault, ChainFault::edited);
  EXPECT_EQ(report.breaks.front().seq, 5);
  tamper_unguarded("delete from audit_logs where chain_seq = 9");
  EXPECT_EQ(end_of(4).breaks.front().fault, ChainFault::missing);
  EXPECT_EQ(
      code_of([&] { db().read({.actor = Actor::user(ada_)}, [](Read& tx) { return system::verify_audit_end(tx, 4); }); }),
      ErrorCode::denied);
}

TEST_P(AuditVerify, AnIntactChainHasNoFault) {
  const auto report = verify(heads_[4]);
  EXPECT_TRUE(report.intact());
  EXPECT_EQ(report.checked, 10);
  EXPECT_EQ(report.head, heads_.back());
}

TEST_P(AuditVerify, AnEditedEntryIsFound) {
  tamper_unguarded("update audit_logs set action = 'harmless' where chain_seq = 4");
  EXPECT_EQ(faults(), (Faults{{ChainFault::edited, 4}}));
  EXPECT_TRUE(verify().breaks[0].id);
}

TEST_P(AuditVerify, EveryColumnCounts) {
  for (const auto* change : {"action = 'x'", "resource_type = 'x'", "details = '{\"n\": 5.5}'", "details = null",
                             "ip_address = '192.0.2.1'", "user_agent = ''", "user_digest = hash"}) {
    renew_database();
    heads_.clear();
    SetUp();
    tamper_unguarded(fmt::format("update audit_logs set {} where chain_seq = 5", change));
    EXPECT_EQ(faults(), (Faults{{ChainFault::edited, 5}})) << change;
  }
  tamper(is_sqlite() ? "update audit_logs set created_at = created_at + 1 where chain_seq = 7"
                     : "update audit_logs set created_at = created_at + interval '1 microsecond' where chain_seq = 7");
  EXPECT_EQ(faults().back(), (Found{ChainFault::edited, 7}));
  tamper(is_sqlite() ? "update audit_logs set id = zeroblob(16) where chain_seq = 9"
                     : "update audit_logs set id = '00000000-0000-0000-0000-000000000000' where chain_seq = 9");
  EXPECT_EQ(faults().back(), (Found{ChainFault::edited, 9}));
}

TEST_P(AuditVerify, AnotherUserIsFoundAndAnErasedOneIsNoFault) {
  audit({.action = "login", .user_id = ada_});
  audit({.action = "login", .user_id = bob_});
  const auto kept = head();
  db().write([&](Write& tx) { tx.session().run_script("test.erase", "delete from users where username = 'bob'"); });
  EXPECT_EQ(entries({.action = "login"})[0].user_id, std::nullopt);
  EXPECT_TRUE(verify(kept).intact());
  const auto cid = make_user("cid");
  const auto blame = [&](std::int64_t seq) {
    tamper_unguarded(
        fmt::format("update audit_logs set user_id = (select id from users where username = 'cid')"
                    " where chain_seq = {}",
                    seq));
  };
  blame(11);
  EXPECT_EQ(entries({.user_id = cid}).size(), 1U);
  EXPECT_EQ(faults(kept), (Faults{{ChainFault::edited, 11}}));
  blame(12);
  EXPECT_EQ(faults(kept), (Faults{{ChainFault::edited, 11}, {ChainFault::edited, 12}})) << "who was erased was another";
  blame(3);
  EXPECT_EQ(faults(kept), (Faults{{ChainFault::edited, 3}, {ChainFault::edited, 11}, {ChainFault::edited, 12}}))
      << "nobody's entry is nobody else's";
}

TEST_P(AuditVerify, AnEntryWithANewHashBreaksTheLink) {
  tamper_unguarded(
      "update audit_logs set hash = (select prev_hash from audit_logs where chain_seq = 3) where chain_seq = 6");
  EXPECT_EQ(faults(), (Faults{{ChainFault::edited, 6}, {ChainFault::unlinked, 7}}));
}

TEST_P(AuditVerify, DeletedEntriesAreFound) {
  tamper_unguarded("delete from audit_logs where chain_seq = 3");
  tamper("delete from audit_logs where chain_seq in (6, 7, 8)");
  EXPECT_EQ(faults(), (Faults{{ChainFault::missing, 3}, {ChainFault::missing, 6}}));
  const auto report = verify();
  EXPECT_EQ(report.breaks[1].until_seq, 8);
  EXPECT_THAT(report.breaks[1].message, testing::HasSubstr("6 to 8"));
}

TEST_P(AuditVerify, ADeletedBeginningIsFound) {
  tamper_unguarded("delete from audit_logs where chain_seq <= 2");
  const auto report = verify();
  ASSERT_EQ(report.faults, 1);
  EXPECT_EQ(report.breaks[0].fault, ChainFault::missing);
  EXPECT_EQ(report.breaks[0].until_seq, 2);
}

TEST_P(AuditVerify, ReorderedEntriesAreFound) {
  tamper_unguarded("update audit_logs set chain_seq = 99 where chain_seq = 4");
  tamper(
      "update audit_logs set chain_seq = 4 where chain_seq = 5; update audit_logs set chain_seq = 5 where chain_seq = 99");
  const auto found = faults();
  EXPECT_THAT(found, testing::Contains(Found{ChainFault::moved, 4}));
  EXPECT_THAT(found, testing::Contains(Found{ChainFault::moved, 5}));
  for (const auto& each : verify().breaks)
    if (each.fault == ChainFault::moved && each.seq == 4) {
      EXPECT_THAT(each.message, testing::HasSubstr("stood at 5"));
    }
}

TEST_P(AuditVerify, ACutTailIsFoundByWhatWasKeptOutside) {
  const auto kept = head();
  tamper_unguarded("delete from audit_logs where chain_seq >= 9");
  EXPECT_TRUE(verify().intact()) << "a chain alone cannot tell";
  const auto report = verify(kept);
  ASSERT_EQ(report.breaks.size(), 1U);
  EXPECT_EQ(report.breaks[0].fault, ChainFault::cut);
  EXPECT_EQ(report.breaks[0].seq, 9);
  EXPECT_EQ(report.breaks[0].until_seq, 10);
  EXPECT_TRUE(verify(heads_[7]).intact());
  tamper("delete from audit_logs");
  EXPECT_EQ(faults(kept), (Faults{{ChainFault::cut, 1}}));
}

TEST_P(AuditVerify, AChainWrittenAnewIsFoundByWhatWasKeptOutside) {
  const auto kept = head();
  tamper_unguarded("delete from audit_logs where chain_seq >= 8");
  for (int i = 0; i < 5; ++i) audit({.action = "forged"});
  EXPECT_TRUE(verify().intact()) << "a chain alone cannot tell";
  EXPECT_EQ(faults(kept), (Faults{{ChainFault::rewritten, 10}}));
  EXPECT_TRUE(verify(heads_[6]).intact());
}

TEST_P(AuditVerify, ADoubleIsFound) {
  tamper_unguarded("update audit_logs set chain_seq = 7 where chain_seq = 8");
  const auto found = faults();
  EXPECT_THAT(found, testing::Contains(Found{ChainFault::duplicate, 7}));
  EXPECT_THAT(found, testing::Contains(Found{ChainFault::missing, 8}));
}

TEST_P(AuditVerify, AThousandFaultsAreCountedAndAHundredShown) {
  db().write([](Write& tx) {
    for (int i = 0; i < 200; ++i) system::audit(tx, {.action = "act"});
  });
  tamper_unguarded("update audit_logs set user_agent = 'x'");
  const auto report = verify();
  EXPECT_EQ(report.faults, 210);
  EXPECT_EQ(report.breaks.size(), 100U);
  EXPECT_EQ(report.checked, 210);
}

TEST_P(AuditVerify, AnEndIsWrittenAndRead) {
  const auto end = *head();
  EXPECT_EQ(system::parse_chain_head(to_string(end)), end);
  for (const std::string& bad : {std::string(), std::string("5"), std::string("5:"), "0:" + end.hash, "x:" + end.hash,
                                 "5:" + end.hash + "0", "5 :" + end.hash, std::string("5:") + std::string(64, 'g')})
    EXPECT_EQ(code_of([&] { system::parse_chain_head(bad); }), ErrorCode::invalid) << bad;
}

}  // namespace
}  // namespace quarry::test
