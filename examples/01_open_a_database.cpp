/// Opens a database, brings its schema up, writes and reads in transactions. `01_open_a_database [sqlite:FILE |
/// postgresql://...]`
#include <fmt/format.h>

#include "open.hpp"

using namespace quarry;

// SQL stands beside the code that uses it: what comes back, what goes in, and a name for errors and metrics.
constexpr sql::Query<std::int64_t(std::string)> count_of_status{"example.count_jobs",
                                                                "select count(*) from scraping_jobs where status = $1"};

int main(int argc, char** argv) {
  const auto db = open_example(argc, argv);

  // Commits when the closure returns, rolls back when it throws; what it returns comes out.
  const auto job = db.write([](Write& tx) {
    const auto user = accounts::ensure_local_user(tx);
    return jobs::submit(tx, {.user_id = user, .title = "Lithium papers", .keywords = {"lithium"}});
  });

  // A read sees one moment. A function that takes `Read&` cannot write.
  const auto pending = db.read([](Read& tx) { return tx.value(count_of_status, "pending"); });
  fmt::print("job {} on {}; {} pending\n", to_string(job.id), to_string(db.engine()), pending);

  try {
    db.write([&](Write& tx) {
      jobs::cancel(tx, job.id);
      jobs::change_status(tx, job.id, jobs::JobStatus::running);  // no cancelled job runs again: this throws
    });
  } catch (const Error& error) {
    fmt::print("refused, as it should be: {}\n", error.client_message());  // and the job is not cancelled either
  }
}
