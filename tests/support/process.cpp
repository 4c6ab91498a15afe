#include "support/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace quarry::test {
namespace {

[[noreturn]] void throw_errno(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

/// Exit code of a child that could not become the program: the shell's, so that logs read as usual.
constexpr int kExitNotStarted = 127;

int make_memory_file(const char* name) {
  const int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) throw_errno("memfd_create");
  return fd;
}

std::string content_of(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) throw_errno("fstat");
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  // pread, because the file's own position belongs to the program that writes it.
  const ssize_t got = pread(fd, text.data(), text.size(), 0);
  if (got < 0) throw_errno("pread");
  text.resize(static_cast<std::size_t>(got));
  return text;
}

/// What `execvpe` wants, made before the fork: afterwards only async-signal-safe calls are allowed.
struct Image {
  std::string program;
  std::vector<std::string> strings;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

Image make_image(const Command& command) {
  Image image{command.program.string(), {command.program.string()}, {}, {}};
  image.strings.insert(image.strings.end(), command.args.begin(), command.args.end());
  const std::size_t argc = image.strings.size();
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (!command.environment.contains(text.substr(0, text.find('=')))) image.strings.push_back(text);
  }
  for (const auto& [name, value] : command.environment) image.strings.push_back(name + "=" + value);
  for (std::size_t i = 0; i < image.strings.size(); ++i)
    (i < argc ? image.argv : image.envp).push_back(image.strings[i].data());
  image.argv.push_back(nullptr);
  image.envp.push_back(nullptr);
  return image;
}

bool become(const User& user) {
  return setgroups(1, &user.gid) == 0 && setresgid(user.gid, user.gid, user.gid) == 0 &&
         setresuid(user.uid, user.uid, user.uid) == 0;
}

/// The child's side of the fork.
[[noreturn]] void become_program(const Command& command, Image& image, const std::array<int, 3>& standard, pid_t parent) {
  setpgid(0, 0);  // a signal from the terminal goes to the test alone, which ends its programs itself
  bool ready = true;
  for (int fd = 0; fd < 3; ++fd) ready = ready && dup2(standard[static_cast<std::size_t>(fd)], fd) == fd;
  if (ready && command.user) ready = become(*command.user);
  // After the change of user, which resets it.
  if (ready && command.dies_with_parent) ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
  if (ready && !command.directory.empty()) ready = chdir(command.directory.c_str()) == 0;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (ready) execvpe(image.program.c_str(), image.argv.data(), image.envp.data());
  const char* const reason = strerrordesc_np(errno);
  dprintf(2, "cannot start %s: %s\n", image.program.c_str(), reason ? reason : "unknown error");
  _exit(kExitNotStarted);
}

Exit decode(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return {info.si_status, 0};
  return {-1, info.si_status};
}

}  // namespace

Process::Process(std::string name, pid_t pid, int pidfd, int out, int err)
    : name_(std::move(name)), pid_(pid), pidfd_(pidfd), out_(out), err_(err) {}

Process::Process(Process&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::exchange(other.pidfd_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      exit_(other.exit_) {}

Process Process::start(const Command& command) {
  Image image = make_image(command);
  const int in = make_memory_file("stdin");
  const int out = make_memory_file("stdout");
  const int err = make_memory_file("stderr");
  if (pwrite(in, command.input.data(), command.input.size(), 0) < 0) throw_errno("pwrite");
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw_errno("fork");
  if (pid == 0) become_program(command, image, {in, out, err}, parent);
  close(in);
  // Through syscall, because glibc 2.36 declares pidfd_open without C linkage.
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) throw_errno("pidfd_open");
  return Process(image.program, pid, pidfd, out, err);
}

Process::~Process() {
  if (pid_ > 0 && !exit_) {
    ::kill(pid_, SIGKILL);
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED);
  }
  release();
}

void Process::release() noexcept {
  for (int* fd : {&pidfd_, &out_, &err_})
    if (*fd >= 0) close(std::exchange(*fd, -1));
  pid_ = -1;
}

bool Process::running() { return !wait_for(std::chrono::milliseconds{0}); }

void Process::signal(int number) {
  if (exit_) return;
  if (::kill(pid_, number) != 0) throw_errno("kill " + name_);
}

Exit Process::kill() {
  signal(SIGKILL);
  return wait();
}

std::optional<Exit> Process::wait_for(std::chrono::milliseconds timeout) {
  if (exit_) return exit_;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  pollfd ended{pidfd_, POLLIN, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int got = poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (got == 0) return std::nullopt;
    if (got > 0) break;
    if (errno != EINTR) throw_errno("poll");
  }
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0) throw_errno("waitid " + name_);
  exit_ = decode(info);
  return exit_;
}

Exit Process::wait(std::chrono::milliseconds timeout) {
  if (const auto exit = wait_for(timeout)) return *exit;
  kill();
  throw std::runtime_error(name_ + " did not end within " + std::to_string(timeout.count()) + " ms and was killed" +
                           describe());
}

void Process::wait_for_output(std::string_view text, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const bool ended = !running();  // asked first: what a program says last is then seen by the look that follows
    if (out().find(text) != std::string::npos || err().find(text) != std::string::npos) return;
    if (ended) throw std::runtime_error(name_ + " ended without saying '" + std::string(text) + "'" + describe());
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error(name_ + " did not say '" + std::string(text) + "' in time" + describe());
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
}

std::string Process::out() const { return content_of(out_); }
std::string Process::err() const { return content_of(err_); }
std::string Process::describe() const { return "\n--- its output:\n" + out() + "--- its errors:\n" + err(); }

Finished run(const Command& command, std::chrono::milliseconds timeout) {
  Process process = Process::start(command);
  const Exit exit = process.wait(timeout);
  return {exit, process.out(), process.err()};
}

}  // namespace quarry::test
