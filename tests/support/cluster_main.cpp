/// quarry-test-cluster start|stop: one PostgreSQL server for a whole run of ctest, as its fixture.
///
/// `start` writes the server's folder and URL to `cluster_file()`, where `PrivateCluster::shared_url` finds them. The server
/// ends with `stop`, or when the process that has called `start` (ctest) ends.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string_view>

#include "support/private_cluster.hpp"
#include "support/temp_dir.hpp"

namespace {

using namespace quarry::test;

void stop() {
  if (!std::filesystem::exists(cluster_file())) return;
  const std::string text = read_file(cluster_file());
  std::filesystem::remove(cluster_file());
  end_cluster(text.substr(0, text.find('\n')));
}

void start() {
  if (std::getenv("QUARRY_TEST_POSTGRES_URL")) return;
  stop();  // what a killed run has left
  PrivateCluster cluster({.owner = getppid()});
  write_file(cluster_file(), cluster.folder().string() + "\n" + cluster.url() + "\n");
  cluster.release();
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string_view verb = argc == 2 ? argv[1] : "";
  if (verb == "start") {
    start();
  } else if (verb == "stop") {
    stop();
  } else {
    std::fputs("usage: quarry-test-cluster start|stop\n", stderr);
    return 2;
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "quarry-test-cluster: %s\n", error.what());
  return 1;
}
