#include "conformance/billing/inbox_test.hpp"
#include "quarry/system/key_ring.hpp"

namespace quarry::test {
namespace {

using billing::WebhookStatus;
using system::KeyRing;

class InboxKeys : public InboxTest {
 protected:
  billing::WebhookEvent take_sealed(const std::string& body, const KeyRing& ring) {
    const auto in = db().write([&](Write& tx) { return billing::ingest_trusted(tx, {.body = body}, &ring); });
    return process_with(in.id.value(), &ring);
  }
  billing::WebhookEvent process_with(billing::WebhookEventId id, const KeyRing* ring) {
    return db().write([&](Write& tx) { return billing::process(tx, id, ring); });
  }
  system::Rotated seal(const KeyRing& ring, int limit = 100) {
    return db().write([&](Write& tx) { return billing::seal_webhook_bodies(tx, ring, limit); });
  }
  /// Bodies in which Ada's address can be read.
  std::int64_t in_clear() {
    return count(is_sqlite()
                     ? "select count(*) from webhook_events where instr(raw_body, cast('ada@example.org' as blob)) > 0"
                     : "select count(*) from webhook_events where position('ada@example.org'::bytea in raw_body) > 0");
  }
  std::int64_t under(const std::string& key) {
    return count("select count(*) from webhook_events where key_id = '" + key + "'");
  }
};
QUARRY_BOTH_ENGINES(InboxKeys);

TEST_P(InboxKeys, BodiesAreNowhereInClearAndAreAppliedAllTheSame) {
  const auto ring = KeyRing::generate("k1");
  EXPECT_EQ(take_sealed(ours("order_created"), ring).status, WebhookStatus::processed);
  EXPECT_EQ(take_sealed(anonymous(ours("subscription_created")), ring).status, WebhookStatus::processed)
      << "whose it is says the order";
  EXPECT_EQ(take_sealed(ours("subscription_payment_success"), ring).status, WebhookStatus::processed);
  EXPECT_EQ(plan(ada_), "starter");
  EXPECT_EQ(in_clear(), 0);
  EXPECT_EQ(under("k1"), 3);
  EXPECT_EQ(put(ours("order_created")).outcome, billing::Ingested::duplicate) << "the same body is the same event";
}

TEST_P(InboxKeys, WithoutTheKeyNothingIsSaidOfTheEvent) {
  const auto ring = KeyRing::generate("k1"), other = KeyRing::generate("k2"), impostor = KeyRing::generate("k1");
  const auto id =
      db().write([&](Write& tx) { return billing::ingest_trusted(tx, {.body = ours("subscription_created")}, &ring); }).id;
  for (const KeyRing* wrong : {static_cast<const KeyRing*>(nullptr), &other, &impostor})
    EXPECT_EQ(code_of([&] { process_with(id.value(), wrong); }), ErrorCode::unavailable);
  EXPECT_EQ(find(id.value()).status, WebhookStatus::received);
  EXPECT_EQ(find(id.value()).attempts, 0);
  EXPECT_EQ(code_of([&] { take_sealed(ours("order_created"), impostor); }), ErrorCode::denied)
      << "two keys of one name would lock one half away";
  EXPECT_EQ(process_with(id.value(), &ring).status, WebhookStatus::processed);
}

TEST_P(InboxKeys, ABodyOpensInItsOwnRowOnly) {
  const auto ring = KeyRing::generate("k1");
  take_sealed(ours("order_created"), ring);
  const auto own = take_sealed(ours("subscription_created"), ring);
  run_sql(
      "update webhook_events set raw_body = (select o.raw_body from webhook_events o where o.event_name = 'order_created')");
  EXPECT_EQ(process_with(own.id, &ring).status, WebhookStatus::failed);
  EXPECT_THAT(find(own.id).error_message.value_or(""), testing::HasSubstr("was changed"));
}

TEST_P(InboxKeys, WhatIsInClearOrUnderAnOldKeyIsBroughtUnderTheNewOne) {
  auto ring = KeyRing::generate("k1");
  take(ours("order_created"));
  take_sealed(ours("subscription_created"), ring);
  take_sealed(ours("subscription_updated"), ring);
  EXPECT_EQ(in_clear(), 1);
  ring.add_primary("k2");
  EXPECT_EQ(seal(ring, 2).remaining, 1);
  EXPECT_EQ(seal(ring, 2).rotated, 1);
  EXPECT_EQ(seal(ring, 2).rotated, 0);
  EXPECT_EQ(in_clear(), 0);
  EXPECT_EQ(under("k2"), 3);
  for (const auto& id : db().read([](Read& tx) { return billing::webhook_events_to_replay(tx, true); }))
    EXPECT_EQ(process_with(id, &ring).status, WebhookStatus::processed);
  EXPECT_EQ(code_of([&] { seal(ring, 0); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { seal(KeyRing::generate("k3")); }), ErrorCode::unavailable);
  EXPECT_EQ(under("k2"), 3);
}

}  // namespace
}  // namespace quarry::test
