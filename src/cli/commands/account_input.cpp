#include "cli/commands/account_input.hpp"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "cli/read_file.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;

/// Switches the echo of the terminal off, if standard input is one.
class Hidden {
 public:
  explicit Hidden(const char* what) : is_terminal_(isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    auto hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    std::cerr << what << ": " << std::flush;
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
  ~Hidden() {
    if (!is_terminal_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::cerr << '\n';
  }
  bool is_terminal() const noexcept { return is_terminal_; }

 private:
  termios before_{};
  bool is_terminal_;
};

/// A person at a terminal ends with the line, everything else with its end.
std::string read_standard_input(const char* what) {
  const Hidden hidden(what);
  std::string text;
  if (hidden.is_terminal()) {
    std::getline(std::cin, text);
  } else {
    text.resize(secret_bytes_max + 1);
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
    if (text.size() > secret_bytes_max) throw_invalid(fmt::format("the {} is larger than {} bytes", what, secret_bytes_max));
  }
  if (std::cin.bad()) throw Error(ErrorCode::unavailable, fmt::format("the {} cannot be read", what));
  return text;
}

}  // namespace

accounts::User user_of(Read& tx, const std::string& name) {
  auto found = name.find('@') == std::string::npos ? accounts::find_user(tx, name) : accounts::find_user_by_email(tx, name);
  if (!found && name.size() == 36 && name[8] == '-') found = accounts::find_user(tx, UserId{parse_uuid(name)});
  if (!found)
    throw Error(ErrorCode::not_found, fmt::format("there is no user '{}': `quarry user list` names those that are", name));
  return *std::move(found);
}

Secret read_secret(const std::string& file, const char* what) {
  const bool is_file = !file.empty() && file != "-";
  auto text = is_file ? read_file(file, fmt::format("the file of the {}", what), secret_bytes_max, Named::file_or_pipe)
                      : read_standard_input(what);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) throw_invalid(fmt::format("the {} is empty", what));
  if (text.find('\n') != std::string::npos) throw_invalid(fmt::format("the {} has more than one line", what));
  return Secret(std::move(text));
}

void add_pepper_option(CLI::App& command, std::vector<std::string>& files) {
  command
      .add_option("--pepper-file", files,
                  "The file of the secret that keys are hashed with; may be repeated, older ones last [QUARRY_PEPPER_FILE]")
      ->type_name("FILE");
}

accounts::Peppers read_peppers(const Settings& settings, const std::vector<std::string>& files) {
  if (files.empty() && settings.pepper_file) return accounts::Peppers(read_secret(*settings.pepper_file, "pepper"));
  if (files.empty()) return {};
  std::vector<Secret> previous;
  for (std::size_t i = 1; i < files.size(); ++i) previous.push_back(read_secret(files[i], "pepper"));
  return accounts::Peppers(read_secret(files[0], "pepper"), std::move(previous));
}

}  // namespace quarry::cli
