#include "quarry/core/time.hpp"

#include <gtest/gtest.h>

#include "quarry/core/error.hpp"

namespace quarry {
namespace {

TEST(Time, WritesMicrosecondsInUtc) {
  EXPECT_EQ(to_iso8601({0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_iso8601({1'772'366'400'123'456}), "2026-03-01T12:00:00.123456Z");
  EXPECT_EQ(to_iso8601({-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, ReadsWhatItWrites) {
  for (const std::int64_t us : {0LL, 1LL, -1LL, 951'782'399'999'999LL, 4'102'444'800'000'000LL})
    EXPECT_EQ(parse_iso8601(to_iso8601({us})).us, us);
}

TEST(Time, ReadsZonesAndShortFractions) {
  EXPECT_EQ(parse_iso8601("2026-03-01T12:00:00Z"), parse_iso8601("2026-03-01T14:30:00+02:30"));
  EXPECT_EQ(parse_iso8601("2026-03-01T12:00:00.5Z").us % 1'000'000, 500'000);
}

TEST(Time, RefusesWhatIsNoTimeAndNamesIt) {
  for (const char* text : {"", "yesterday", "2026-02-30T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:00",
                           "2026-03-01 12:00:00Z", "2026-03-01T12:00:00Zjunk", "2026-03-01T12:00:00+02"}) {
    try {
      parse_iso8601(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      EXPECT_NE(error.client_message().find(text), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace quarry
