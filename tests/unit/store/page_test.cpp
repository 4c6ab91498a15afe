#include "quarry/store/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quarry/core/error.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

const Uuid kId = parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
constexpr std::string_view kOrder = "jobs.list created_at desc";

void expect_refused(std::string_view order, std::string_view cursor) {
  try {
    store::decode_cursor(order, cursor);
    ADD_FAILURE() << cursor << " was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_THAT(error.client_message(), HasSubstr("cursor"));
  }
}

TEST(Cursor, ComesBackAsItWas) {
  const std::vector<store::KeyValue> keys{store::key(Instant{1'772'366'400'000'001}), store::key(std::int64_t{-7}),
                                          store::key(std::string_view("")), store::key(std::string_view("a\x1f\x1f% ü")),
                                          store::key(kId)};
  for (const auto& sort : keys)
    for (const auto& id : {store::key(kId), store::key(std::int64_t{12})}) {
      const store::PageEnd end{sort, id};
      const auto cursor = store::encode_cursor(kOrder, end);
      EXPECT_EQ(cursor.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                std::string::npos)
          << "it must fit into a URL and a shell's word";
      EXPECT_EQ(store::decode_cursor(kOrder, cursor), end);
    }
}

TEST(Cursor, OfAnotherListOrOrderIsRefused) {
  const auto cursor = store::encode_cursor(kOrder, {store::key(Instant{1}), store::key(kId)});
  expect_refused("jobs.list created_at asc", cursor);
  expect_refused("users.list created_at desc", cursor);
}

TEST(Cursor, ThatWasChangedIsRefused) {
  const auto cursor = store::encode_cursor(kOrder, {store::key(Instant{1'772'366'400'000'000}), store::key(kId)});
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    auto changed = cursor;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    expect_refused(kOrder, changed);
    expect_refused(kOrder, cursor.substr(0, i));
  }
  expect_refused(kOrder, cursor + "A");
  expect_refused(kOrder, "no cursor at all");
  expect_refused(kOrder, std::string(100'000, 'A'));
}

TEST(Cursor, LimitsHaveBounds) {
  EXPECT_NO_THROW(store::check_page({.limit = 1}));
  EXPECT_NO_THROW(store::check_page({.limit = 1000}));
  for (const int limit : {0, -1, 1001}) EXPECT_THROW(store::check_page({.limit = limit}), Error) << limit;
}

}  // namespace
}  // namespace quarry::test
