#include <fstream>
#include <iterator>

#include "conformance/cli/cli_test.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/queue/enqueue.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class CliBilling : public CliTest {
 protected:
  void SetUp() override {
    db_ = on_real_time();
    user_ = db_->write([](Write& tx) { return accounts::ensure_local_user(tx); });
  }
  /// A fixture's event for the local user, in a file.
  std::string event(const std::string& name) {
    std::ifstream in(std::filesystem::path(QUARRY_SOURCE_DIR) / "tests/fixtures/lemonsqueezy" / (name + ".json"));
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::string fixture_user = "0190b3c4-d5e6-7f80-9a1b-2c3d4e5f6071";
    text.replace(text.find(fixture_user), fixture_user.size(), to_string(user_));
    return file(name + ".json", text);
  }
  std::string file(const std::string& name, const std::string& text) {
    const auto path = database().folder() / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  std::optional<Database> db_;
  UserId user_;
};
QUARRY_BOTH_ENGINES(CliBilling);

TEST_P(CliBilling, PlansAreListedMadeAndChanged) {
  EXPECT_EQ(json({"plan", "list"}).at("plans").as_array().size(), 4U);
  EXPECT_THAT(run({"plan", "list"}).out,
              testing::MatchesRegex("PLAN .*\nfree .* 100 .* 1 .*0.00  -\nstarter .*19.00.*\n.*\n.*\n"));
  EXPECT_EQ(number(json({"plan", "add", "team", "--units", "12000", "--tasks", "20"}), "max_concurrent_tasks"), 20);
  EXPECT_EQ(text(json({"plan", "set", "team", "--variant", "77"}), "provider_variant_id"), "77");
  EXPECT_FALSE(json({"plan", "set", "team", "--inactive"}).at("is_active").as_bool());
  EXPECT_EQ(json({"plan", "list"}).at("plans").as_array().size(), 4U);
  EXPECT_EQ(json({"plan", "list", "--all"}).at("plans").as_array().size(), 5U);
  EXPECT_THAT(refused({"plan", "show", "gold"}, 66), HasSubstr("'gold'"));
  refused({"plan", "set", "team", "--tasks", "0"}, 64);
  refused({"plan", "add", "team"}, 65);
  refused({"plan", "set", "free", "--inactive"}, 64);
}

TEST_P(CliBilling, SubscriptionsAreGivenShownAndEnded) {
  EXPECT_EQ(text(json({"subscription", "show"}), "plan_id"), "free");
  const auto given = text(json({"subscription", "give", "local", "starter"}), "id");
  EXPECT_EQ(text(json({"subscription", "show", "local"}), "by"), given);
  EXPECT_THAT(run({"subscription", "show"}).out, HasSubstr("given"));
  EXPECT_EQ(json({"subscription", "list", "--plan", "starter", "--total"}).at("total").to_number<int>(), 1);
  EXPECT_TRUE(json({"subscription", "end", given}).at("changed").as_bool());
  EXPECT_FALSE(json({"subscription", "end", given}).at("changed").as_bool());
  EXPECT_EQ(text(json({"subscription", "show"}), "plan_id"), "free");
  refused({"subscription", "give", "nobody", "starter"}, 66);
  refused({"subscription", "give", "local", "gold"}, 66);
  refused({"subscription", "give", "local", "starter", "--until", "2001-01-01T00:00:00Z"}, 64);
  refused({"subscription", "give", "local", "starter", "--until", "soon"}, 64);
  refused({"subscription", "end", "0190b3c4-d5e6-7f80-9a1b-2c3d4e5f6071"}, 66);
  refused({"subscription", "list", "--status", "gone"}, 64);
}

TEST_P(CliBilling, UsageIsGrantedShownAndProved) {
  EXPECT_EQ(text(json({"usage", "grant", "local", "2.5", "--event-id", "g"}), "outcome"), "recorded");
  EXPECT_EQ(text(json({"usage", "grant", "local", "2.5", "--event-id", "g"}), "outcome"), "repeated");
  json({"usage", "adjust", "local", "--by", "-20", "--event-id", "a"});
  EXPECT_EQ(number(json({"usage", "show"}), "remaining"), 82'500'000);
  EXPECT_THAT(run({"usage", "show"}).out, HasSubstr("82.5 granted, 0 used, 0 reserved, 82.5 left"));
  EXPECT_EQ(json({"usage", "events", "local"}).at("events").as_array().size(), 3U);
  EXPECT_EQ(json({"usage", "events", "--kind", "adjust"}).at("events").as_array().size(), 1U);
  EXPECT_THAT(run({"usage", "check"}).out, HasSubstr("1 period, 0 of them other than the sum"));
  db_->write([](Write& tx) { tx.session().run_script("test.spoil", "update usage_periods set used = 1000000"); });
  EXPECT_EQ(json({"usage", "check"}, 1).at("differences").as_array().size(), 1U);
  const auto told = run({"usage", "check", "local"});
  EXPECT_EQ(told.exit.code, 1);
  EXPECT_THAT(told.out, testing::ContainsRegex("used +1 +0\n"));
  refused({"usage", "grant", "local", "1", "--event-id", "g"}, 75);
  refused({"usage", "grant", "local", "-1", "--event-id", "x"}, 64);
  refused({"usage", "grant", "local", "many", "--event-id", "x"}, 64);
  refused({"usage", "grant", "local", "0.1234567", "--event-id", "x"}, 64);
  refused({"usage", "show", "nobody"}, 66);
}

TEST_P(CliBilling, DaysAreRolledUpAndLostReservationsGivenBack) {
  const auto queue = db_->write([](Write& tx) { return queue::open_queue(tx, "work"); });
  db_->write([&](Write& tx) { queue::enqueue(tx, queue, queue::NewTask{}, {.user_id = user_}); });
  const auto got = db_->write([&](Write& tx) { return billing::claim(tx, queue, {.worker = "test"}); });
  EXPECT_EQ(number(json({"usage", "expire"}), "reservations"), 0);
  const queue::Finish done{got.at(0).id, got[0].lease_token};
  db_->write([&](Write& tx) { queue::finish_or_throw(tx, std::span(&done, 1)); });
  EXPECT_EQ(number(json({"usage", "expire"}), "reservations"), 1);
  EXPECT_EQ(number(json({"usage", "rollup"}), "users"), 1);
  EXPECT_EQ(json({"usage", "daily"}).at("days").as_array().size(), 1U);
  EXPECT_EQ(json({"usage", "daily", "local", "--until", "2001-01-01"}).at("days").as_array().size(), 0U);
  EXPECT_EQ(number(json({"usage", "rollup", "--date", "2001-01-01"}), "users"), 0);
  refused({"usage", "rollup", "--date", "today"}, 64);
  refused({"usage", "daily", "--from", "2001"}, 64);
}

TEST_P(CliBilling, IsSwitchedOnAndOff) {
  EXPECT_FALSE(json({"billing", "status"}).at("enforced").as_bool());
  EXPECT_TRUE(json({"billing", "on"}).at("enforced").as_bool());
  EXPECT_THAT(run({"billing", "status"}).out, HasSubstr("plans are enforced"));
  EXPECT_FALSE(json({"billing", "off"}).at("enforced").as_bool());
}

TEST_P(CliBilling, EventsAreTakenShownAndToldAgain) {
  const auto early = json({"billing", "ingest", event("subscription_payment_success")});
  EXPECT_EQ(text(early.at("event").as_object(), "status"), "parked");
  const auto waits = json({"billing", "ingest", event("subscription_created")});
  EXPECT_EQ(text(waits.at("event").as_object(), "status"), "parked");
  EXPECT_THAT(run({"billing", "events", "--status", "parked"}).out, HasSubstr("no plan is sold as variant 501"));
  json({"plan", "set", "starter", "--variant", "501"});
  EXPECT_EQ(text(json({"subscription", "show"}), "plan_id"), "starter");
  EXPECT_EQ(json({"billing", "events", "--status", "parked"}).at("events").as_array().size(), 0U);
  const auto again = json({"billing", "ingest", event("subscription_created")});
  EXPECT_EQ(text(again, "outcome"), "duplicate");
  EXPECT_EQ(number(json({"billing", "replay", "--all"}), "processed"), 2);
  EXPECT_EQ(number(json({"billing", "replay", "--failed"}), "events"), 0);
  const auto id = text(again.at("event").as_object(), "id");
  EXPECT_EQ(number(json({"billing", "replay", "--id", id}), "processed"), 1);
  refused({"billing", "replay", "--id", "0190b3c4-d5e6-7f80-9a1b-2c3d4e5f6071"}, 66);
  refused({"billing", "replay", "--all", "--failed"}, 64);
  refused({"billing", "ingest", "nowhere.json"}, 66);
  const auto bad = json({"billing", "ingest", file("bad.json", "no json"), "--event-name", "order_created"}, 1);
  EXPECT_EQ(text(bad.at("event").as_object(), "status"), "failed");
  EXPECT_EQ(number(json({"billing", "replay"}, 1), "failed"), 1);
}

TEST_P(CliBilling, SignaturesAreChecked) {
  // RFC 4231, 4.3.
  const auto body = file("body", "what do ya want for nothing?");
  const std::string good = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  const auto secret = file("secret", "Jefe\n");
  const auto other = file("other", "not it\n");
  refused({"billing", "ingest", body, "--signature", good}, 64);
  refused({"billing", "ingest", body, "--secret-file", secret}, 64);
  refused({"billing", "ingest", body, "--signature", good, "--secret-file", other}, 77);
  refused({"billing", "ingest", body, "--signature", good.substr(1), "--secret-file", secret}, 77);
  EXPECT_EQ(json({"billing", "events"}).at("events").as_array().size(), 0U);
  json({"billing", "ingest", body, "--signature", good, "--secret-file", other, "--secret-file", secret}, 1);
  EXPECT_EQ(json({"billing", "events"}).at("events").as_array().size(), 1U) << "stored, although it is no document";
}

}  // namespace
}  // namespace quarry::test
