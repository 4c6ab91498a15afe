/// Completion tokens, on both engines.

#include "quarry/sql/async.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "conformance/sql/things.hpp"
#include "support/both_engines.hpp"

namespace quarry::test {
namespace {

class Async : public BothEngines {
 protected:
  std::unique_ptr<TestDatabase> make_database() override {
    return std::make_unique<TestDatabase>(GetParam(), things_schema());
  }
};
QUARRY_BOTH_ENGINES(Async);

TEST_P(Async, AFutureGivesTheResultOrTheException) {
  namespace asio = boost::asio;
  async_write(
      db(), [](Write& tx) { tx.run(insert_thing, make_thing(1)); }, asio::use_future)
      .get();
  EXPECT_EQ(async_read(
                db(), [](Read& tx) { return tx.value(count_things); }, asio::use_future)
                .get(),
            1);
  auto again = async_write(
      db(), [](Write& tx) { tx.run(insert_thing, make_thing(1)); }, asio::use_future);
  EXPECT_THROW(again.get(), Error);
}

boost::asio::awaitable<void> add_and_count(const Database& db, std::int64_t& count) {
  co_await async_write(
      db, [](Write& tx) { tx.run(insert_thing, make_thing(7)); }, boost::asio::use_awaitable);
  count = co_await async_read(
      db, [](Read& tx) { return tx.value(count_things); }, boost::asio::use_awaitable);
}

TEST_P(Async, ACoroutineGoesOnOnItsOwnLoop) {
  boost::asio::io_context loop;
  std::int64_t count = 0;
  boost::asio::co_spawn(loop, add_and_count(db(), count), boost::asio::detached);
  loop.run();
  EXPECT_EQ(count, 1);
}

TEST_P(Async, ACallbackIsCalledOnItsExecutor) {
  boost::asio::io_context loop;
  std::thread::id called_on;
  async_read(
      db(), [](Read& tx) { return tx.value(count_things); },
      boost::asio::bind_executor(loop.get_executor(), [&](std::exception_ptr failure, std::int64_t count) {
        EXPECT_FALSE(failure);
        EXPECT_EQ(count, 0);
        called_on = std::this_thread::get_id();
      }));
  loop.run();
  EXPECT_EQ(called_on, std::this_thread::get_id());
}

}  // namespace
}  // namespace quarry::test
