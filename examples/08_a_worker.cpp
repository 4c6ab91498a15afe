/// A worker of one's own: claims, does the work, and finishes it with everything that came of it in one transaction. Killed
/// at any moment, it leaves all of a task or none of it, and another worker takes the rest.
#include <fmt/format.h>

#include "open.hpp"

using namespace quarry;

int main(int argc, char** argv) {
  const auto db = open_example(argc, argv);
  const auto [queue, job] = db.write([](Write& tx) {
    const auto user = accounts::ensure_local_user(tx);
    const auto made = queue::open_queue(tx, "numbers");
    const auto squares = jobs::submit(tx, {.user_id = user, .job_type = "squares", .title = "Squares"}).id;
    std::vector<queue::NewTask> tasks;
    for (int i = 1; i <= 3; ++i) {
      queue::NewTask task;
      task.payload = {fmt::format("{}", i)};
      task.unique_key = fmt::format("{}:{}", to_string(squares), i);  // once, however often it is put in
      tasks.push_back(task);
    }
    jobs::add_tasks(tx, squares, made, tasks);
    return std::pair{made, squares};
  });

  while (true) {
    const auto tasks = db.write([&](Write& tx) { return queue::claim(tx, queue, {.worker = "example", .limit = 10}); });
    if (tasks.empty()) break;
    for (const auto& task : tasks) {
      const int number = std::stoi(task.payload.text);
      db.write([&](Write& tx) {
        if (number < 4) {  // work that finds more work
          queue::NewTask next;
          next.payload = {fmt::format("{}", number + 1)};
          next.unique_key = fmt::format("{}:{}", to_string(job), number + 1);
          jobs::add_tasks(tx, job, queue, std::vector{next});
        }
        jobs::append_log(tx, job, {.message = fmt::format("{} squared is {}", number, number * number)});
        jobs::add_gain(tx, job, {.results = 1});
        // Throws, and undoes all of the above, when the lease has meanwhile been given to somebody else.
        queue::finish_or_throw(
            tx, std::vector<queue::Finish>{{task.id, task.lease_token, Json{fmt::format("{}", number * number)}}});
      });
    }
  }
  const auto done = db.read([&](Read& tx) { return jobs::get(tx, job); });
  for (const auto& line : db.read([&](Read& tx) { return jobs::list_log(tx, job); })) fmt::print("{}\n", line.message);
  fmt::print("{}: {} of {} done, {} results\n", jobs::to_string(done.status), done.processed_items, done.total_items,
             done.results_count);
}
