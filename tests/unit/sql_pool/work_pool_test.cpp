#include "sql/pool/work_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace quarry::sql {
namespace {

TEST(WorkPool, RunsEverythingThatWasPostedBeforeItEnds) {
  std::atomic<int> done{0};
  {
    WorkPool pool(3);
    for (int i = 0; i < 1000; ++i) pool.post([&] { ++done; });
  }
  EXPECT_EQ(done, 1000);
}

TEST(WorkPool, RunsJobsBesideEachOther) {
  std::promise<void> first, second;
  WorkPool pool(2);
  pool.post([&] {
    first.set_value();
    second.get_future().wait();
  });
  pool.post([&] {
    first.get_future().wait();
    second.set_value();
  });
}

TEST(WorkPool, MayEndOnOneOfItsOwnThreads) {
  auto end = std::make_shared<std::promise<void>>();
  auto ended = end->get_future();
  auto pool = std::make_shared<WorkPool>(2);
  auto* raw = pool.get();
  auto gate = std::make_shared<std::promise<void>>();
  raw->post([pool, gate, end]() mutable {
    gate->get_future().wait();
    pool.reset();  // the last handle: joins the other thread, not itself
    end->set_value();
  });
  pool.reset();
  gate->set_value();
  ended.wait();
}

}  // namespace
}  // namespace quarry::sql
