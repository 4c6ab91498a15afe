#include "backup/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace quarry::backup {
namespace {

constexpr std::size_t words_bytes_max = 4096;

/// Ours, with what is named in `changes` set to that.
std::vector<std::string> merged_environment(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> words;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!changes.contains(std::string(text.substr(0, text.find('='))))) words.emplace_back(text);
  }
  for (const auto& [name, value] : changes) words.push_back(fmt::format("{}={}", name, value));
  return words;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct FileActions {
  posix_spawn_file_actions_t native;
  FileActions() { posix_spawn_file_actions_init(&native); }
  ~FileActions() { posix_spawn_file_actions_destroy(&native); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
};

}  // namespace

Child::Child(const std::string& program, const std::vector<std::string>& args,
             const std::map<std::string, std::string>& environment, Pipe pipe)
    : program_(program), words_(::memfd_create("words", MFD_CLOEXEC)) {
  if (!words_) throw file_error(errno, "keep the words of", program);
  std::array<int, 2> ends{-1, -1};
  if (pipe != Pipe::none && ::pipe2(ends.data(), O_CLOEXEC) != 0) throw file_error(errno, "make a pipe to", program);
  File read_end(ends[0]), write_end(ends[1]);
  FileActions actions;
  posix_spawn_file_actions_addopen(&actions.native, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions.native, words_.get(), 1);
  posix_spawn_file_actions_adddup2(&actions.native, words_.get(), 2);
  if (pipe == Pipe::to_child) posix_spawn_file_actions_adddup2(&actions.native, read_end.get(), 0);
  if (pipe == Pipe::from_child) posix_spawn_file_actions_adddup2(&actions.native, write_end.get(), 1);
  std::vector<std::string> words{program};
  words.insert(words.end(), args.begin(), args.end());
  auto variables = merged_environment(environment);
  const int failure = ::posix_spawnp(&pid_, program.c_str(), &actions.native, nullptr, pointers_to(words).data(),
                                     pointers_to(variables).data());
  if (failure != 0)
    throw Error(ErrorCode::unavailable,
                fmt::format("could not start {}: PostgreSQL's programs must be installed and on PATH", program),
                {std::strerror(failure), {}, failure});
  pipe_ = pipe == Pipe::to_child ? std::move(write_end) : std::move(read_end);
}

Child::~Child() { stop(SIGTERM); }

void Child::stop(int signal) noexcept {
  if (pid_ < 0) return;
  pipe_.close();
  ::kill(pid_, signal);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

bool Child::running() {
  int status = 0;
  if (pid_ >= 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
  return pid_ >= 0;
}

std::size_t Child::read(std::span<std::byte> into) { return pipe_.read(into, program_); }

bool Child::write(std::span<const std::byte> bytes) {
  // A child that has ended would end us by SIGPIPE. The signal is the thread's own, so it is held back and taken away.
  sigset_t pipe_signal, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  bool written = true;
  try {
    pipe_.write(bytes, program_);
  } catch (const Error& error) {
    if (error.native_code() != EPIPE) throw;
    const timespec now{0, 0};
    sigtimedwait(&pipe_signal, nullptr, &now);
    written = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return written;
}

std::string Child::words() const {
  std::string text(words_bytes_max, '\0');
  const auto size = ::lseek(words_.get(), 0, SEEK_END);
  const auto from = std::max<off_t>(0, size - static_cast<off_t>(text.size()));
  const auto got = ::pread(words_.get(), text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

void Child::wait(std::string_view doing) {
  pipe_.close();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  throw Error(ErrorCode::unavailable,
              fmt::format("could not {}: {} ended with an error, which --log debug shows", doing, program_),
              {words(), {}, WIFEXITED(status) ? WEXITSTATUS(status) : -1});
}

}  // namespace quarry::backup
