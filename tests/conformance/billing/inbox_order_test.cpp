/// Whatever order the provider's events come in, and however often: the same state.

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "conformance/billing/inbox_test.hpp"

namespace quarry::test {
namespace {

class InboxOrder : public InboxTest {
 protected:
  /// A story's events, told of a user and a subscription of their own.
  struct Story {
    UserId user;
    std::string number;  ///< four digits, in the place of 0001
    std::string own(std::string text) const {
      for (const char* start : {"71", "72", "73", "74"}) {
        replace(text, std::string(start) + "0001", start + number);
        replace(text, std::string(start) + "0002", start + number + "2");
      }
      return text;
    }
  };
  Story begin(int number) { return {make_user("user" + std::to_string(number)), std::to_string(1000 + number)}; }
  std::vector<std::string> events(const Story& story, bool with_the_end) {
    const auto one = [&](const char* name, const boost::json::object& changes = {}) {
      return story.own(event(name, story.user, changes));
    };
    std::vector<std::string> all{
        one("order_created"), anonymous(one("subscription_created")),
        one("subscription_payment_success", {{"billing_reason", "initial"},
                                             {"created_at", "2026-01-10T09:00:03.000000Z"},
                                             {"updated_at", "2026-01-10T09:00:03.000000Z"}}),
        anonymous(one("subscription_payment_failed")),
        anonymous(one("subscription_updated",
                      {{"status", "past_due"}, {"updated_at", "2026-02-10T09:00:05.000000Z"}, {"variant_id", 501}})),
        one("subscription_payment_recovered"), anonymous(one("subscription_payment_success")), one("subscription_paused"),
        anonymous(one("subscription_unpaused")), one("subscription_updated"), one("subscription_cancelled"),
        anonymous(one("subscription_resumed")), one("subscription_payment_refunded"), one("order_refunded"),
        one("license_key_created"), one("license_key_updated"), one("affiliate_activated"),
        // The same second as the one that resumed it, with another plan: the rank of the names decides.
        anonymous(one("subscription_updated", {{"updated_at", "2026-02-26T12:00:00.000000Z"}, {"variant_id", 501}}))};
    // The first invoice has a number of its own.
    replace(all[2], "74" + story.number + "2", "74" + story.number + "1");
    if (with_the_end) all.push_back(anonymous(one("subscription_expired")));
    return all;
  }
  std::string state_of(const Story& story) {
    const auto now = usage(story.user);
    const auto s = subscription("71" + story.number).value();
    return fmt::format("{} {} {} {} {} {} {} {} {} {} {}", now.entitlement.plan.id, now.balance.granted, now.balance.used,
                       to_iso8601(now.balance.period_start), boost::describe::enum_to_string(s.status, ""), s.plan_id,
                       to_iso8601(s.current_period_start), s.cancel_at_period_end, s.anchor_day,
                       s.ends_at ? to_iso8601(*s.ends_at) : "-", to_iso8601(s.provider_updated_at.value()));
  }
};
QUARRY_BOTH_ENGINES(InboxOrder);

TEST_P(InboxOrder, ShuffledAndRepeatedEventsEndInTheSameState) {
  std::mt19937 random(20'260'301);
  for (const bool with_the_end : {false, true}) {
    const auto first = begin(with_the_end ? 100 : 0);
    for (const auto& body : events(first, with_the_end)) take(body);
    const auto wanted = state_of(first);
    EXPECT_THAT(wanted, testing::StartsWith(with_the_end ? "free" : "professional 2500000000 0 2026-02-10"));
    for (int i = 1; i <= 25; ++i) {
      const auto story = begin((with_the_end ? 100 : 0) + i);
      auto bodies = events(story, with_the_end);
      for (std::size_t again = random() % 12; again > 0; --again) bodies.push_back(bodies[random() % bodies.size()]);
      std::ranges::shuffle(bodies, random);
      for (const auto& body : bodies) take(body);
      ASSERT_EQ(state_of(story), wanted) << "shuffle " << i;
    }
  }
  EXPECT_EQ(count("select count(*) from webhook_events where status <> 'processed'"), 0) << "nothing is left waiting";
  const auto before = count("select count(*) from usage_events");
  replay(true);
  EXPECT_EQ(count("select count(*) from usage_events"), before) << "told again, it says nothing new";
}

TEST_P(InboxOrder, ManyAtOnceEndInTheSameState) {
  const auto first = begin(0);
  for (const auto& body : events(first, false)) take(body);
  const auto story = begin(1);
  const auto bodies = events(story, false);
  at_once(6, [&](int thread) {
    for (std::size_t i = 0; i < bodies.size(); ++i)
      take(bodies[(i * 5 + static_cast<std::size_t>(thread) * 3) % bodies.size()]);
  });
  EXPECT_EQ(state_of(story), state_of(first));
  EXPECT_EQ(count("select count(*) from webhook_events where status <> 'processed'"), 0);
}

}  // namespace
}  // namespace quarry::test
