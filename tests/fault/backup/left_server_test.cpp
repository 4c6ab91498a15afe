/// A server that outlived a killed restore is stopped before the folder that it works in is removed.

#include "backup/postgres/left_server.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <thread>

#include "backup/scratch.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

/// A program by the name of the server, at work in a folder of data that a killed run has left.
class LeftServer : public testing::Test {
 protected:
  Process start(const std::filesystem::path& works_in, const std::string& name) {
    const auto program = folder_ / name;
    std::filesystem::copy_file("/bin/sleep", program, std::filesystem::copy_options::overwrite_existing);
    auto process = Process::start({.program = program, .args = {"600"}, .directory = works_in});
    const auto exe = std::filesystem::path("/proc") / std::to_string(process.pid()) / "exe";
    std::error_code not_yet;
    while (process.running() && std::filesystem::read_symlink(exe, not_yet) != program)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return process;
  }
  std::filesystem::path left() {
    const auto data = folder_ / ".quarry-backup-scratch-00000001" / backup::scratch_server;
    std::filesystem::create_directories(data);
    return data;
  }
  static void write_pid(const std::filesystem::path& data, pid_t pid) {
    write_file(data / "postmaster.pid", std::to_string(pid) + "\n" + data.string() + "\n");
  }

  TempDir folder_{"left"};
};

TEST_F(LeftServer, IsStoppedWithItsFolder) {
  const auto data = left();
  auto server = start(data, "postgres");
  write_pid(data, server.pid());
  std::optional<Exit> ended;
  // It waits until the process is gone, which takes somebody who collects it.
  std::thread collector([&] { ended = server.wait_for(std::chrono::seconds(20)); });
  const backup::ScratchFolder next(folder_.path());
  collector.join();
  ASSERT_TRUE(ended);
  EXPECT_NE(ended->signal, 0);
  EXPECT_FALSE(std::filesystem::exists(data));
}

TEST_F(LeftServer, NobodyElseIs) {
  const auto data = left();
  auto elsewhere = start(folder_.path(), "postgres");
  write_pid(data, elsewhere.pid());
  backup::postgres::stop_left_server(data);
  EXPECT_TRUE(elsewhere.running());
  auto other_program = start(data, "something");
  write_pid(data, other_program.pid());
  backup::postgres::stop_left_server(data);
  EXPECT_TRUE(other_program.running());
  write_file(data / "postmaster.pid", "no number\n");
  backup::postgres::stop_left_server(data);
  const backup::ScratchFolder next(folder_.path());
  EXPECT_FALSE(std::filesystem::exists(data));
}

}  // namespace
}  // namespace quarry::test
