#pragma once
/// The provider's events, from tests/fixtures, and an inbox to put them into.

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "conformance/billing/billing_test.hpp"
#include "quarry/billing/inbox.hpp"

namespace quarry::test {

class InboxTest : public BillingTest {
 protected:
  static constexpr const char* fixture_user = "0190b3c4-d5e6-7f80-9a1b-2c3d4e5f6071";

  void SetUp() override {
    BillingTest::SetUp();
    db().write([](Write& tx) {
      billing::update_plan(tx, "starter", {.provider_variant_id = "501"});
      billing::update_plan(tx, "professional", {.provider_variant_id = "502"});
      billing::update_plan(tx, "enterprise", {.provider_variant_id = "503"});
    });
  }
  void TearDown() override { expect_sums(); }

  static std::string file(const std::string& name) {
    std::ifstream in(std::filesystem::path(QUARRY_SOURCE_DIR) / "tests/fixtures/lemonsqueezy" / (name + ".json"));
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  }
  /// The event as the fixture has it, for a user, with some attributes changed.
  static std::string event(const std::string& name, UserId user, const boost::json::object& changes = {}) {
    auto document = boost::json::parse(file(name)).as_object();
    auto& attributes = document.at("data").at("attributes").as_object();
    for (const auto& [key, value] : changes) attributes[key] = value;
    auto text = boost::json::serialize(document);
    replace(text, fixture_user, to_string(user));
    return text;
  }
  std::string ours(const std::string& name, const boost::json::object& changes = {}) { return event(name, ada_, changes); }
  /// Without a word on whose it is.
  static std::string anonymous(std::string text) {
    auto document = boost::json::parse(text).as_object();
    document.at("meta").as_object().erase("custom_data");
    return boost::json::serialize(document);
  }
  static std::string in_test_mode(std::string text) {
    auto document = boost::json::parse(text).as_object();
    document.at("meta").as_object()["test_mode"] = true;
    return boost::json::serialize(document);
  }

  billing::IngestResult put(const std::string& body) {
    return db().write([&](Write& tx) { return billing::ingest_trusted(tx, {.body = body}); });
  }
  billing::WebhookEvent process(billing::WebhookEventId id) {
    return db().write([&](Write& tx) { return billing::process(tx, id); });
  }
  /// Stores and applies.
  billing::WebhookEvent take(const std::string& body) { return process(put(body).id.value()); }
  billing::WebhookEvent find(billing::WebhookEventId id) {
    return db().read([&](Read& tx) { return billing::find_webhook_event(tx, id).value(); });
  }
  std::optional<billing::Subscription> subscription(const std::string& id = "710001") {
    return db().read([&](Read& tx) { return billing::find_subscription(tx, std::string_view(id)); });
  }
  void replay(bool everything) {
    const auto ids = db().read([&](Read& tx) { return billing::webhook_events_to_replay(tx, everything); });
    for (const auto& id : ids) process(id);
  }
};

}  // namespace quarry::test
