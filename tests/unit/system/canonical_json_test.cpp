#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "quarry/core/error.hpp"
#include "quarry/system/audit.hpp"
#include "system/audit_record.hpp"

namespace quarry::test {
namespace {

using system::canonical_json;

TEST(CanonicalJson, SpellingsOfOneValueHaveOneForm) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {" { \"b\" : [ 1 , 2 ] , \"a\" : { } } ", R"({"a":{},"b":[1,2]})"},
      {R"({"b":{"y":1,"x":[{"k":null}]},"aa":true,"a":false})", R"({"a":false,"aa":true,"b":{"x":[{"k":null}],"y":1}})"},
      {R"("\u0041\u00e9\/\n\u001f\ud83d\ude00")", "\"A\xC3\xA9/\\n\\u001f\xF0\x9F\x98\x80\""},
      {"[]", "[]"},
      {"[[],[{}],\"\"]", "[[],[{}],\"\"]"},
      {"null", "null"},
      {"  \"x\"  ", "\"x\""},
  };
  for (const auto& [spelling, form] : cases) EXPECT_EQ(canonical_json(spelling), form) << spelling;
}

TEST(CanonicalJson, NumbersAreNotRounded) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"0", "0"},
      {"-0", "0"},
      {"0.000", "0"},
      {"0e5", "0"},
      {"1.0", "1"},
      {"100", "100"},
      {"1e2", "100"},
      {"1.50", "1.5"},
      {"-12.340e1", "-123.4"},
      {"123456789012345678901", "123456789012345678901"},
      {"1234567890123456789012", "1.234567890123456789012e21"},
      {"0.1", "0.1"},
      {"0.00000015", "0.00000015"},
      {"1.5e-7", "0.00000015"},
      {"-0.00000000150", "-1.5e-9"},
      {"1E+300", "1e300"},
      {"9223372036854775808", "9223372036854775808"},
      {"-9223372036854775809", "-9223372036854775809"},
      {"3.14159265358979323846264338327950288", "3.14159265358979323846264338327950288e0"},
  };
  for (const auto& [spelling, form] : cases)
    EXPECT_EQ(canonical_json(spelling), form.ends_with("e0") ? form.substr(0, form.size() - 2) : form) << spelling;
}

TEST(CanonicalJson, IsItsOwnForm) {
  for (const char* text : {R"({"z":[1.25e-3,{"y":"\u0007"}],"a":1e25})", "[0.5,-1e-9,12]"}) {
    const auto form = canonical_json(text);
    EXPECT_EQ(canonical_json(form), form);
  }
}

TEST(CanonicalJson, WhatHasNoFormIsRefused) {
  const std::string deep(40, '[');
  for (const std::string& text :
       {std::string("{"), std::string("[1,]"), std::string("1 2"), std::string(""), std::string("{\"a\":1,\"a\":2}"),
        std::string("\"\\u0000\""), std::string("1e400"), std::string("1e99999999999999999999"), "1" + std::string(120, '3'),
        std::string("'x'"), deep + std::string(40, ']'), std::string("\"\xff\"")})
    EXPECT_THROW(canonical_json(text), Error) << text;
}

TEST(AuditRecord, HasTheDocumentedForm) {
  system::ChainedRecord record{.id = parse_uuid("01234567-89ab-7def-8123-456789abcdef"),
                               .chain_seq = 1,
                               .created_at = {1'772'366'400'000'001},
                               .action = "job.cancel",
                               .resource_type = "job",
                               .details = Json{"{\"b\": 1.0, \"a\": \"\\u00e9\"}"},
                               .ip_address = "2001:DB8:0:0:0:0:0:1"};
  const std::string form = R"({"action":"job.cancel","created_at":1772366400000001,"details":{"a":"é","b":1},)"
                           R"("id":"01234567-89ab-7def-8123-456789abcdef","ip_address":"2001:db8::1","resource_id":null,)"
                           R"("resource_type":"job","seq":1,"user_agent":null,"user_digest":null})";
  EXPECT_EQ(system::canonical_text(record), form);
  // As `printf %s FORM | sha256sum` says.
  EXPECT_EQ(system::to_hex(system::chain_hash(record)), "fd9fa79cb88d0fd12c57edc1ec48b6d9bfa5267fd98ce15110cfb1d8f8cf13ed");
  record.prev_hash = system::chain_hash(record);
  record.chain_seq = 2;
  EXPECT_NE(system::chain_hash(record), *record.prev_hash);
}

TEST(AuditRecord, AddressesHaveOneSpelling) {
  EXPECT_EQ(system::canonical_ip("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(system::canonical_ip("::FFFF:192.0.2.7"), "::ffff:192.0.2.7");
  EXPECT_EQ(system::canonical_ip("0:0:0:0:0:0:0:0"), "::");
  for (const char* bad : {"", "192.0.2", "192.0.2.7/24", "fe80::1%eth0", "localhost", "1.2.3.4 "})
    EXPECT_EQ(system::canonical_ip(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace quarry::test
