/// A unique key lets one task in: alone, in bulk, and when many come at once.

#include <atomic>
#include <thread>

#include "conformance/queue/queue_test.hpp"

namespace quarry::test {
namespace {

class QueueUnique : public QueueTest {};
QUARRY_BOTH_ENGINES(QueueUnique);

TEST_P(QueueUnique, ASecondTaskWithTheKeyIsADuplicate) {
  const NewTask page{.unique_key = "https://a.example/"};
  put(page);
  const auto again = put_all({&page, 1});
  EXPECT_TRUE(again.ids.empty());
  EXPECT_EQ(again.duplicates, 1);
  EXPECT_EQ(count(TaskStatus::pending), 1);
}

TEST_P(QueueUnique, TheKeyIsKeptAfterTheEnd) {
  put({.unique_key = "once"});
  end(take_one());
  const NewTask again{.unique_key = "once"};
  EXPECT_EQ(put_all({&again, 1}).duplicates, 1);
}

TEST_P(QueueUnique, WhileActiveMeansUntilTheEnd) {
  const NewTask task{.unique_key = "poll", .unique_while_active = true};
  for (const auto how : {0, 1, 2, 3}) {
    put(task);
    EXPECT_EQ(put_all({&task, 1}).duplicates, 1);
    if (how == 3) {
      const auto id = db().read([&, q = queue()](Read& tx) { return list_tasks(tx, q, TaskStatus::pending).front().id; });
      db().write([&](Write& tx) { cancel_task(tx, id); });
      continue;
    }
    const auto claimed = take_one();
    EXPECT_EQ(put_all({&task, 1}).duplicates, 1) << "it is under way";
    if (how == 0) end(claimed);
    if (how == 1) lose(claimed, true);
    if (how == 2) {
      lose(claimed);
      EXPECT_EQ(put_all({&task, 1}).duplicates, 1) << "it will be tried again";
      clock().advance(1h);
      end(take_one());
    }
  }
  put(task);
}

TEST_P(QueueUnique, WhoeverIsTriedAgainHasItsKeyAgain) {
  const NewTask task{.unique_key = "poll", .unique_while_active = true, .max_retries = 0};
  const auto first = put(task);
  lose(take_one());
  EXPECT_EQ(db().write([&, q = queue()](Write& tx) { return redrive(tx, q).tasks; }), 1);
  EXPECT_EQ(put_all({&task, 1}).duplicates, 1) << "the dead letter is active again";
  lose(take_one());
  // Another has the key by now: the dead letter stays one, however it is asked.
  const auto second = put(task);
  EXPECT_EQ(db().write([&, q = queue()](Write& tx) { return redrive(tx, q).tasks; }), 0);
  EXPECT_FALSE(db().write([&](Write& tx) { return retry_task(tx, first); }));
  EXPECT_EQ(status(first), TaskStatus::dead);
  end(take_one());
  EXPECT_EQ(status(second), TaskStatus::completed);
  EXPECT_TRUE(db().write([&](Write& tx) { return retry_task(tx, first); }));
  EXPECT_EQ(put_all({&task, 1}).duplicates, 1);
}

TEST_P(QueueUnique, OfTwoDeadLettersWithOneKeyTheOlderIsTriedAgain) {
  const NewTask task{.unique_key = "poll", .unique_while_active = true, .max_retries = 0};
  std::vector<TaskId> ids;
  for (int i = 0; i < 2; ++i) {
    ids.push_back(put(task));
    lose(take_one());
    clock().advance(1s);
  }
  EXPECT_EQ(db().write([&, q = queue()](Write& tx) { return redrive(tx, q).tasks; }), 1);
  EXPECT_EQ(status(ids[0]), TaskStatus::pending);
  EXPECT_EQ(status(ids[1]), TaskStatus::dead);
}

TEST_P(QueueUnique, WhoStaysADeadLetterDoesNotEndTheRedrive) {
  const NewTask twin{.unique_key = "poll", .unique_while_active = true, .max_retries = 0};
  for (const auto& task : {twin, twin, NewTask{.max_retries = 0}}) {
    put(task);
    lose(take_one());
    clock().advance(1s);
  }
  const auto redrive_two = [&, q = queue()] {
    return db().write([&](Write& tx) { return redrive(tx, q, TaskStatus::dead, 2); });
  };
  const auto first = redrive_two();
  EXPECT_EQ(first.tasks, 1) << "of the two that were looked at";
  EXPECT_FALSE(first.done);
  const auto second = redrive_two();
  EXPECT_EQ(second.tasks, 1);
  EXPECT_TRUE(second.done);
}

TEST_P(QueueUnique, WorksWithinOneBatchAndAgainstWhatIsThere) {
  put({.unique_key = "k0"});
  std::vector<NewTask> batch;
  for (int i = 0; i < 12'000; ++i) batch.push_back({.host_key = "a.example", .unique_key = "k" + std::to_string(i % 6'000)});
  const auto result = put_all(batch);
  EXPECT_EQ(result.ids.size(), 5'999U);
  EXPECT_EQ(result.duplicates, 6'001);
  EXPECT_EQ(host("a.example").pending, 5'999);
}

TEST_P(QueueUnique, KeysOfTwoQueuesAreApart) {
  put({.unique_key = "k"});
  const auto other = db().write([](Write& tx) { return open_queue(tx, "others"); });
  EXPECT_TRUE(db().write([&](Write& tx) { return enqueue(tx, other, NewTask{.unique_key = "k"}); }));
}

TEST_P(QueueUnique, Q8_ConcurrentInsertsOfOneKeyMakeOneRow) {
  const auto into = queue();
  std::atomic<int> inserted = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int round = 0; round < 20; ++round) {
          std::vector<NewTask> batch;
          // Every thread its own order: row locks met in different orders are how deadlocks are made.
          for (int i = 0; i < 10; ++i) batch.push_back({.unique_key = std::to_string(round * 10 + (t % 2 ? i : 9 - i))});
          inserted += static_cast<int>(db().write([&](Write& tx) { return enqueue(tx, into, batch).ids.size(); }));
        }
      });
    }
  }
  EXPECT_EQ(inserted, 200);
  EXPECT_EQ(count(TaskStatus::pending), 200);
}

TEST_P(QueueUnique, RefusesWhatTheSchemaCannotHold) {
  const auto into = queue();
  const auto refused = [&](const NewTask& task) {
    try {
      db().write([&](Write& tx) { enqueue(tx, into, task); });
    } catch (const Error& error) {
      return error.code() == ErrorCode::invalid;
    }
    return false;
  };
  EXPECT_TRUE(refused({.unique_key = ""}));
  EXPECT_TRUE(refused({.unique_key = std::string(2601, 'k')}));
  EXPECT_TRUE(refused({.host_key = ""}));
  EXPECT_TRUE(refused({.host_key = std::string(301, 'h')}));
  EXPECT_TRUE(refused({.priority = 0}));
  EXPECT_TRUE(refused({.priority = 11}));
  EXPECT_TRUE(refused({.max_retries = -1}));
  EXPECT_TRUE(refused({.max_stalls = 0}));
  EXPECT_TRUE(refused({.task_type = std::string(101, 't')}));
  EXPECT_THROW(put({.payload = {"{"}}), Error) << "JSON that is none";
  EXPECT_THROW(db().write([](Write& tx) { open_queue(tx, ""); }), Error);
  EXPECT_EQ(count(TaskStatus::pending), 0);
}

}  // namespace
}  // namespace quarry::test
