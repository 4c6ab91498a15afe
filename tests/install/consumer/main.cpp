/// A program outside of Quarry's tree, as a user would write it: opens a database, asks it something, prints the answer.

#include <cstdio>
#include <quarry/sql/database.hpp>
#include <string>

namespace {

constexpr quarry::sql::Query<std::string(std::string_view)> greet{"consumer.greet", "select 'hello, ' || $1"};

}  // namespace

int main() try {
  const auto db = quarry::Database::open("sqlite::memory:");
  const std::string answer = db.read([](quarry::Read& tx) { return tx.value(greet, "quarry"); });
  std::puts(answer.c_str());
  return 0;
} catch (const quarry::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
