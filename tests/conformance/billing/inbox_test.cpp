#include "conformance/billing/inbox_test.hpp"

#include <sodium.h>

namespace quarry::test {
namespace {

using billing::Ingested;
using billing::SubscriptionStatus;
using billing::WebhookStatus;
using testing::HasSubstr;

std::string sign(const std::string& body, const std::string& secret) {
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(body.data()), body.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  std::string hex(2 * mac.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), mac.data(), mac.size());
  hex.pop_back();
  return hex;
}

class Inbox : public InboxTest {
 protected:
  Ingested ingest(const std::string& body, std::optional<std::string> signature) {
    const billing::WebhookSecrets secrets{Secret("the new secret"), Secret("the old one")};
    return db().write([&](Write& tx) {
      return billing::ingest(tx, {.body = body, .signature = signature, .event_name = "order_created"}, secrets).outcome;
    });
  }
  std::int64_t stored() { return count("select count(*) from webhook_events"); }
};
QUARRY_BOTH_ENGINES(Inbox);

TEST_P(Inbox, TakesWhatIsSignedAndNothingElse) {
  const auto body = ours("order_created");
  const auto good = sign(body, "the new secret");
  EXPECT_EQ(ingest(body, std::nullopt), Ingested::no_signature);
  EXPECT_EQ(ingest(body, ""), Ingested::no_signature);
  EXPECT_EQ(ingest(body, sign(body, "another secret")), Ingested::bad_signature);
  EXPECT_EQ(ingest(body, sign(body, "")), Ingested::bad_signature);
  EXPECT_EQ(ingest(body + " ", good), Ingested::bad_signature);
  EXPECT_EQ(ingest(body, good.substr(0, 63)), Ingested::bad_signature) << "a length that is not a MAC's is no error";
  EXPECT_EQ(ingest(body, good + "00"), Ingested::bad_signature);
  EXPECT_EQ(ingest(body, good.substr(0, 62) + " 0"), Ingested::bad_signature);
  EXPECT_EQ(ingest(body, std::string(64, 'g')), Ingested::bad_signature);
  EXPECT_EQ(stored(), 0);
  EXPECT_EQ(ingest(body, good), Ingested::stored);
  EXPECT_EQ(ingest(body, good), Ingested::duplicate);
  const auto other = ours("order_refunded");
  auto upper = sign(other, "the old one");
  for (auto& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(ingest(other, upper), Ingested::stored) << "the secret from before";
  EXPECT_EQ(stored(), 2);
  const std::string large(billing::webhook_bytes_max + 1, ' ');
  EXPECT_EQ(ingest(large, sign(large, "the new secret")), Ingested::too_large);
}

// The vector of RFC 4231, 4.3.
TEST_P(Inbox, TheSignatureIsHmacSha256) {
  EXPECT_TRUE(billing::is_signed("what do ya want for nothing?",
                                 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", {Secret("Jefe"), {}}));
  EXPECT_FALSE(billing::is_signed("what do ya want for nothing?",
                                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3844", {Secret("Jefe"), {}}));
}

TEST_P(Inbox, StoresWhatItCannotRead) {
  for (const std::string body : {"not json", "[]", "{}", "", "{\"meta\": {\"event_name\": 5}, \"data\": null}"}) {
    EXPECT_EQ(ingest(body, sign(body, "the new secret")), Ingested::stored) << body;
    const auto event = process(put(body).id.value());
    EXPECT_EQ(event.event_name, body.find('5') == std::string::npos ? "order_created" : "5");
  }
  EXPECT_EQ(count("select count(*) from webhook_events where status = 'failed'"), 4);
}

TEST_P(Inbox, ASubscriptionGivesItsPlan) {
  EXPECT_EQ(take(ours("subscription_created")).status, WebhookStatus::processed);
  EXPECT_EQ(plan(ada_), "starter");
  const auto now = subscription().value();
  EXPECT_EQ(now.user_id, ada_);
  EXPECT_EQ(now.status, SubscriptionStatus::active);
  EXPECT_EQ(now.anchor_day, 10);
  EXPECT_EQ(now.provider_customer_id, "730001");
  EXPECT_EQ(now.renews_at, parse_iso8601("2026-02-10T09:00:00Z"));
  EXPECT_EQ(balance(ada_).period_start, parse_iso8601("2026-02-10T00:00:00Z"));
  EXPECT_EQ(balance(ada_).granted, 1000 * unit);
}

// SX-5: a replayed subscription_created filled the units up again.
TEST_P(Inbox, TheSameEventTenTimesIsOneEffect) {
  take(ours("subscription_created"));
  reserve(ada_, "work", 700 * unit);
  for (int i = 0; i < 10; ++i) take(ours("subscription_created"));
  EXPECT_EQ(stored(), 1);
  EXPECT_EQ(balance(ada_).remaining(), 300 * unit);
  EXPECT_EQ(count("select count(*) from usage_events where kind = 'grant'"), 1);
}

// SX-6: an error in the handler was answered with 200 and forgotten.
TEST_P(Inbox, WhatFailsStaysWithItsReasonAndIsTriedAgain) {
  const auto bad = take(ours("subscription_created", {{"status", "dormant"}}));
  EXPECT_EQ(bad.status, WebhookStatus::failed);
  EXPECT_EQ(bad.attempts, 1);
  EXPECT_THAT(bad.error_message.value_or(""), HasSubstr("'dormant'"));
  replay(false);
  EXPECT_EQ(find(bad.id).attempts, 2);
  EXPECT_EQ(plan(ada_), "free");
}

TEST_P(Inbox, AVariantThatIsNotKnownYetWaits) {
  const auto event = take(ours("subscription_created", {{"variant_id", 999}}));
  EXPECT_EQ(event.status, WebhookStatus::parked);
  EXPECT_THAT(event.error_message.value_or(""), HasSubstr("variant 999"));
  db().write([](Write& tx) { billing::create_plan(tx, {"gold", "Gold", 9'000, 9, 9'900, "999"}); });
  replay(false);
  EXPECT_EQ(find(event.id).status, WebhookStatus::processed);
  EXPECT_EQ(plan(ada_), "gold");
}

TEST_P(Inbox, WhatEndsNeedsNoPlanThatIsSold) {
  take(ours("subscription_created"));
  EXPECT_EQ(plan(ada_), "starter");
  EXPECT_EQ(take(ours("subscription_updated", {{"variant_id", 999}})).status, WebhookStatus::parked);
  EXPECT_EQ(take(ours("subscription_expired", {{"variant_id", 999}})).status, WebhookStatus::processed);
  EXPECT_EQ(subscription()->status, SubscriptionStatus::expired);
  EXPECT_EQ(plan(ada_), "free");
}

// SX-8, when the newer messages are not kept any more.
TEST_P(Inbox, AnOldMessageAfterThePurgeBringsNothingBack) {
  take(ours("subscription_created"));
  take(ours("subscription_expired"));
  EXPECT_EQ(plan(ada_), "free");
  run_sql("delete from webhook_events");
  const auto again = take(ours("subscription_created"));
  EXPECT_EQ(again.status, WebhookStatus::processed);
  EXPECT_EQ(subscription()->status, SubscriptionStatus::expired);
  EXPECT_EQ(plan(ada_), "free");
}

// SX-7: the id of an invoice was taken for that of a subscription, so renewals never matched one.
TEST_P(Inbox, AnInvoiceNamesItsSubscription) {
  take(ours("subscription_created"));
  EXPECT_EQ(subscription()->current_period_start, parse_iso8601("2026-01-10T00:00:00Z"));
  EXPECT_EQ(take(ours("subscription_payment_success")).status, WebhookStatus::processed);
  EXPECT_EQ(subscription()->current_period_start, parse_iso8601("2026-02-10T00:00:00Z"));
  EXPECT_EQ(subscription()->current_period_end, parse_iso8601("2026-03-10T00:00:00Z"));
  take(ours("subscription_payment_recovered"));
  EXPECT_EQ(subscription()->current_period_end, parse_iso8601("2026-03-10T00:00:00Z")) << "one invoice, one period";
}

TEST_P(Inbox, AnInvoiceWaitsForItsSubscription) {
  const auto early = take(ours("subscription_payment_failed"));
  EXPECT_EQ(early.status, WebhookStatus::parked);
  take(ours("subscription_created"));
  EXPECT_EQ(find(early.id).status, WebhookStatus::processed);
  EXPECT_EQ(subscription()->status, SubscriptionStatus::past_due);
}

TEST_P(Inbox, ASubscriptionWaitsForTheOrderThatSaysWhoseItIs) {
  const auto early = take(anonymous(ours("subscription_created")));
  EXPECT_EQ(early.status, WebhookStatus::parked);
  take(ours("order_created"));
  EXPECT_EQ(find(early.id).status, WebhookStatus::processed);
  EXPECT_EQ(plan(ada_), "starter");
  EXPECT_EQ(take(anonymous(ours("subscription_updated"))).status, WebhookStatus::processed);
  EXPECT_EQ(plan(ada_), "professional");
}

TEST_P(Inbox, FailedPaymentsAreDunnedAndRecovered) {
  take(ours("subscription_created"));
  take(ours("subscription_payment_failed"));
  EXPECT_EQ(subscription()->status, SubscriptionStatus::past_due);
  EXPECT_EQ(plan(ada_), "starter") << "while it is tried again";
  take(ours("subscription_payment_recovered"));
  EXPECT_EQ(subscription()->status, SubscriptionStatus::active);
  take(ours("subscription_updated", {{"status", "unpaid"}}));
  EXPECT_EQ(plan(ada_), "free");
}

// SX-9, by the provider's own events.
TEST_P(Inbox, CancelledResumedExpired) {
  take(ours("subscription_created"));
  take(ours("subscription_cancelled"));
  EXPECT_EQ(subscription()->status, SubscriptionStatus::cancelled);
  EXPECT_TRUE(subscription()->cancel_at_period_end);
  EXPECT_EQ(plan(ada_), "professional") << "until it ends";
  take(ours("subscription_resumed"));
  EXPECT_FALSE(subscription()->cancel_at_period_end);
  EXPECT_EQ(subscription()->ends_at, std::nullopt);
  take(ours("subscription_cancelled", {{"updated_at", "2026-02-28T00:00:00.000000Z"}}));
  go_to("2026-03-10T09:00:00Z");
  EXPECT_EQ(plan(ada_), "free");
  take(ours("subscription_expired"));
  EXPECT_EQ(subscription()->status, SubscriptionStatus::expired);
  EXPECT_EQ(plan(ada_), "free");
}

TEST_P(Inbox, APauseEndsThePlanUnlessItIsFree) {
  take(ours("subscription_created"));
  take(ours("subscription_paused"));
  EXPECT_EQ(plan(ada_), "free");
  take(ours("subscription_unpaused"));
  EXPECT_EQ(plan(ada_), "starter");
  take(ours("subscription_paused", {{"updated_at", "2026-02-18T00:00:00.000000Z"},
                                    {"pause", {{"mode", "free"}, {"resumes_at", "2026-03-18T00:00:00.000000Z"}}}}));
  EXPECT_EQ(plan(ada_), "starter") << "served on without payments";
}

// SX-8: a late update overwrote newer state.
TEST_P(Inbox, OldNewsChangesNothing) {
  take(ours("subscription_resumed"));
  take(ours("subscription_created"));
  take(ours("subscription_cancelled"));
  EXPECT_EQ(subscription()->status, SubscriptionStatus::active);
  EXPECT_EQ(plan(ada_), "professional");
  EXPECT_EQ(subscription()->provider_updated_at, parse_iso8601("2026-02-26T12:00:00Z"));
}

TEST_P(Inbox, AnUpgradeKeepsWhatWasUsed) {
  take(ours("subscription_created"));
  reserve(ada_, "r", 900 * unit);
  settle("s", "r", 900 * unit);
  take(ours("subscription_updated"));
  EXPECT_EQ(balance(ada_).granted, 5000 * unit);
  EXPECT_EQ(balance(ada_).used, 900 * unit);
}

TEST_P(Inbox, ARefundTakesItsShareBackOnce) {
  take(ours("subscription_created"));
  take(ours("subscription_payment_success"));
  take(ours("subscription_payment_refunded"));
  EXPECT_EQ(balance(ada_).granted, 500 * unit);
  take(ours("order_refunded"));
  EXPECT_EQ(balance(ada_).granted, 500 * unit) << "the order is not counted besides its invoice";
  take(ours("subscription_payment_refunded", {{"refunded_amount", 1900}, {"updated_at", "2026-02-28T12:00:00.000000Z"}}));
  EXPECT_EQ(balance(ada_).granted, 0);
  replay(true);
  EXPECT_EQ(balance(ada_).granted, 0);
}

TEST_P(Inbox, TestModeNeverTouchesWhatIsLive) {
  EXPECT_EQ(take(in_test_mode(ours("subscription_created"))).status, WebhookStatus::processed);
  EXPECT_FALSE(subscription());
  take(ours("subscription_created"));
  take(in_test_mode(ours("subscription_expired")));
  EXPECT_EQ(subscription()->status, SubscriptionStatus::active);
  EXPECT_EQ(plan(ada_), "starter");
}

TEST_P(Inbox, UnknownNamesAndOtherObjectsAreKept) {
  for (const char* name : {"affiliate_activated", "license_key_created", "license_key_updated", "order_created"})
    EXPECT_EQ(take(ours(name)).status, WebhookStatus::processed) << name;
  EXPECT_EQ(stored(), 4);
  EXPECT_EQ(plan(ada_), "free");
}

TEST_P(Inbox, IsListedAndIsForAdmins) {
  const auto id = take(ours("subscription_created")).id;
  take(ours("order_created"));
  const auto list = [&](const billing::WebhookFilter& filter) {
    return db().read([&](Read& tx) { return billing::list_webhook_events(tx, filter).rows.size(); });
  };
  EXPECT_EQ(list({}), 2U);
  EXPECT_EQ(list({.subscription_id = "710001"}), 1U);
  EXPECT_EQ(list({.event_name = "order_created"}), 1U);
  EXPECT_EQ(list({.status = WebhookStatus::failed}), 0U);
  EXPECT_EQ(code_of([&] { process({}); }), ErrorCode::not_found);
  const auto as_ada = Actor::user(ada_);
  EXPECT_EQ(code_of([&] { db().write({.actor = as_ada}, [&](Write& tx) { billing::process(tx, id); }); }),
            ErrorCode::denied);
  EXPECT_EQ(code_of([&] { db().read({.actor = as_ada}, [&](Read& tx) { billing::list_webhook_events(tx); }); }),
            ErrorCode::denied);
}

}  // namespace
}  // namespace quarry::test
