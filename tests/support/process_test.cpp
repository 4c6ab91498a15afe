#include "support/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;

TEST(Process, GivesExitCodeAndBothOutputsAndPassesInputAndEnvironment) {
  const auto done = run({.program = "sh",
                         .args = {"-c", "read -r line; echo \"$line $GREETING\"; echo bad >&2; exit 3"},
                         .environment = {{"GREETING", "hello"}},
                         .input = "first line\n"});
  EXPECT_EQ(done.exit.code, 3);
  EXPECT_EQ(done.out, "first line hello\n");
  EXPECT_EQ(done.err, "bad\n");
}

TEST(Process, TellsASignalFromAnExitCode) {
  auto process = Process::start({.program = "sleep", .args = {"60"}});
  EXPECT_TRUE(process.running());
  const Exit exit = process.kill();
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_FALSE(exit.ok());
  EXPECT_FALSE(process.running());
}

TEST(Process, WaitsForOutputAndFailsWhenItCannotCome) {
  auto process = Process::start({.program = "sh", .args = {"-c", "echo ready; exec sleep 60"}});
  process.wait_for_output("ready");
  EXPECT_TRUE(process.running());
  auto silent = Process::start({.program = "true"});
  EXPECT_THROW(silent.wait_for_output("ready"), std::runtime_error);
}

TEST(Process, KillsWhatDoesNotEndInTime) {
  auto process = Process::start({.program = "sleep", .args = {"60"}});
  EXPECT_THROW(process.wait(10ms), std::runtime_error);
  EXPECT_FALSE(process.running());
}

TEST(Process, IsNotBlockedByMuchOutput) {
  const auto done = run({.program = "sh", .args = {"-c", "head -c 3000000 /dev/zero"}});
  EXPECT_TRUE(done.exit.ok());
  EXPECT_EQ(done.out.size(), 3'000'000u);
}

TEST(Process, SaysWhatItCouldNotStart) {
  const auto done = run({.program = "/nonexistent/program"});
  EXPECT_EQ(done.exit.code, 127);
  EXPECT_NE(done.err.find("cannot start /nonexistent/program"), std::string::npos) << done.err;
}

TEST(TempDir, IsGoneAtTheEnd) {
  std::filesystem::path path;
  {
    const TempDir folder("probe");
    path = folder.path();
    write_file(folder / "file", "content");
    EXPECT_EQ(read_file(folder / "file"), "content");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace quarry::test
