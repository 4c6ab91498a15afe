#include "quarry/crawl/config_upgrade.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/core/error.hpp"
#include "quarry/crawl/job_config.hpp"

namespace quarry::crawl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What Selextract's worker stored, with the nulls that it wrote for what was not given.
constexpr std::string_view of_worker = R"({
  "url": "https://example.com/shop",
  "fields": [
    {"name": "title", "type": "text", "selector": "h2", "attribute": null, "multiple": false, "required": true,
     "default_value": null},
    {"name": "price", "type": "text", "selector": ".price", "default_value": "0"},
    {"name": "tags", "type": "text", "selector": ".tag", "multiple": true, "required": false, "default_value": "none"},
    {"name": "cover", "type": "image", "selector": "img", "attribute": "data-src", "required": false}
  ],
  "pagination": {"enabled": true, "next_selector": "a.next", "max_pages": 5, "wait_after_click": 2000, "stop_condition": null},
  "rate_limit": {"requests_per_minute": 7, "delay_between_requests": 1000, "random_delay": false, "max_random_delay": 2000},
  "proxy": {"enabled": false, "country": null, "sticky_session": false, "max_failures": 3},
  "browser": {"headless": true, "user_agent": "mine/1", "viewport_width": 1920, "viewport_height": 1080,
              "javascript_enabled": true, "load_images": false, "timeout": 45000},
  "wait_conditions": [{"type": "element", "selector": "h2", "timeout": 5000}],
  "custom_headers": {"Accept-Language": "de"}, "cookies": {"a": "1", "b": "2"},
  "login_required": false, "max_retries": 3, "retry_delay": 5000
})";

TEST(ConfigUpgrade, TheWorkersFormOfVersionOne) {
  const auto upgraded = upgrade_config(of_worker);
  EXPECT_EQ(upgraded.from, 1);
  EXPECT_THAT(upgraded.left_out, ElementsAre("$.rate_limit.max_random_delay", "$.browser.javascript_enabled",
                                             "$.wait_conditions", "$.max_retries", "$.retry_delay"));
  const auto config = parse_job_config(upgraded.text);
  EXPECT_EQ(config.target_url->text(), "https://example.com/shop");
  EXPECT_EQ(config.container_selector, "");
  ASSERT_EQ(config.fields.size(), 4U);
  EXPECT_EQ(config.fields[0], (FieldConfig{"title", FieldType::text, "h2", "", false, true, {}}));
  EXPECT_EQ(config.fields[1], (FieldConfig{"price", FieldType::text, ".price", "", false, false, "\"0\""}));
  EXPECT_EQ(config.fields[2], (FieldConfig{"tags", FieldType::text, ".tag", "", true, false, "[\"none\"]"}));
  EXPECT_EQ(config.fields[3], (FieldConfig{"cover", FieldType::image, "img", "data-src", false, false, {}}));
  EXPECT_EQ(*config.follow, (FollowConfig{"a.next", FollowScope::host, 4, 5, {}, {}}));
  RequestConfig request;
  request.timeout_ms = 45'000;
  request.delay_ms = 8'572;  // seven a minute, rounded to the polite side
  request.user_agent = "mine/1";
  request.headers = {{"Accept-Language", "de"}, {"Cookie", "a=1; b=2"}};
  EXPECT_EQ(config.request, request);
}

TEST(ConfigUpgrade, TheWorkersDefaultsOfRate) {
  const auto config =
      parse_job_config(R"({"url": "http://h/", "fields": [{"name": "t", "type": "text", "selector": "b"}]})");
  EXPECT_EQ(config.request.delay_ms, 2'000) << "thirty a minute";
  EXPECT_FALSE(config.follow);
  EXPECT_EQ(parse_job_config(R"({"url": "http://h/", "fields": [{"name": "t", "type": "text", "selector": "b"}],
                                 "rate_limit": {"requests_per_minute": 120, "delay_between_requests": 3000}})")
                .request.delay_ms,
            3'000);
}

TEST(ConfigUpgrade, TheInterfacesFormOfVersionOne) {
  const auto upgraded = upgrade_config(R"({"urls": ["https://example.com/"], "selectors": {"title": "h1", "price": ".p"},
      "output_format": "csv", "include_metadata": false, "timeout": 40, "custom_headers": {"X-A": "b"}, "schedule": "daily"})");
  EXPECT_THAT(upgraded.left_out, ElementsAre("$.output_format", "$.schedule"));
  const auto config = parse_job_config(upgraded.text);
  EXPECT_EQ(config.target_url->text(), "https://example.com/");
  ASSERT_EQ(config.fields.size(), 2U);
  EXPECT_EQ(config.fields[1], (FieldConfig{"price", FieldType::text, ".p", "", false, false, {}}));
  EXPECT_EQ(config.request.timeout_ms, 40'000);
}

TEST(ConfigUpgrade, TheDocumentsFormIsTodaysButForItsNumber) {
  const auto upgraded = upgrade_config(R"({"targetUrl": "https://example.com", "fields": {}, "schemaVersion": 1})", 7);
  EXPECT_EQ(upgraded.from, 1) << "the config's own word goes before the row's";
  EXPECT_EQ(upgraded.text, R"({"schemaVersion":2,"targetUrl":"https://example.com","fields":{}})");
  EXPECT_THAT(upgraded.left_out, IsEmpty());
}

TEST(ConfigUpgrade, TodaysStaysAsItIs) {
  for (const char* text : {R"( {"schemaVersion": 2, "follow": {}} )", R"({"schemaVersion":2})"}) {
    EXPECT_EQ(upgrade_config(text).text, text);
    EXPECT_EQ(upgrade_config(text).from, 2);
  }
  EXPECT_EQ(upgrade_config(R"({"fields": {}})", 2).text, R"({"fields": {}})");
  const auto once = upgrade_config(of_worker).text;
  EXPECT_EQ(upgrade_config(once).text, once);
}

std::string refusal(std::string_view text, int stored = 1) {
  try {
    upgrade_config(text, stored);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    return error.client_message();
  }
  return "";
}

TEST(ConfigUpgrade, WhatIsNewerIsRefusedAndNotGuessedAt) {
  EXPECT_THAT(refusal(R"({"schemaVersion": 3})"), HasSubstr("$.schemaVersion: 3 is newer than this program, which reads"));
  EXPECT_THAT(refusal("{}", 9), HasSubstr("schema_version: 9 is newer than this program"));
  EXPECT_THAT(refusal(R"({"schemaVersion": 0})"), HasSubstr("$.schemaVersion: a whole number from 1"));
}

TEST(ConfigUpgrade, WhatWouldFetchSomethingElseIsRefusedWithItsPath) {
  const std::string field = R"("fields": [{"name": "t", "type": "text", "selector": "b"}])";
  EXPECT_THAT(refusal(R"({"urls": ["http://a/", "http://b/"], "selectors": {"t": "b"}})"), HasSubstr("$.urls: 2 URLs"));
  EXPECT_THAT(refusal(R"({"url": "http://h/", "login_required": true, )" + field + "}"), HasSubstr("$.login_required: "));
  EXPECT_THAT(refusal(R"({"url": "http://h/", "targetUrl": "http://h/", )" + field + "}"),
              HasSubstr("$.targetUrl: this key"));
  EXPECT_THAT(refusal(R"({"url": "http://h/"})"), HasSubstr("$.fields: an array"));
  EXPECT_THAT(refusal(R"({"url": "http://h/", "fields": [{"name": "t", "type": "text"}]})"),
              HasSubstr("$.fields[0].selector"));
  EXPECT_THAT(refusal(R"({"url": "http://h/", "pagination": {"enabled": true}, )" + field + "}"),
              HasSubstr("$.pagination.next_selector: this key is missing"));
  EXPECT_THAT(refusal(R"({"url": 5, )" + field + "}"), HasSubstr("$.url: a number where a string"));
}

}  // namespace
}  // namespace quarry::crawl
