#include "support/private_cluster.hpp"

#include <gtest/gtest.h>

#include "support/postgres_admin.hpp"

namespace quarry::test {
namespace {

TEST(PrivateCluster, KeepsWhatWasCommittedOverACrash) {
  std::filesystem::path folder;
  {
    PrivateCluster cluster;
    folder = cluster.folder();
    run_on_postgres(cluster.url(), "create table kept as select 42 as answer");
    cluster.kill_immediate();
    EXPECT_THROW(run_on_postgres(cluster.url(), "select 1"), std::runtime_error);
    cluster.start();
    EXPECT_EQ(run_on_postgres(cluster.url(), "select answer from kept"), std::vector<std::string>{"42"});
    cluster.restart();
    EXPECT_EQ(run_on_postgres(cluster.url(), "show max_connections"), std::vector<std::string>{"200"});
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(PrivateCluster, ReplacesTheDatabaseInAUrl) {
  EXPECT_EQ(url_of_database("postgresql:///postgres?host=/tmp/x&user=quarry", "new"),
            "postgresql:///new?host=/tmp/x&user=quarry");
  EXPECT_EQ(url_of_database("postgresql://ada@db:5433/postgres", "new"), "postgresql://ada@db:5433/new");
  EXPECT_EQ(url_of_database("postgresql://db?user=ada", "new"), "postgresql://db/new?user=ada");
}

}  // namespace
}  // namespace quarry::test
