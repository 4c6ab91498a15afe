#pragma once
/// A string that must not be printed: passwords, tokens, connection URLs with a password in them.
///
/// Errors: none.

#include <string>
#include <string_view>
#include <utility>

namespace quarry {

/// Has no `operator<<` and no formatter, so that it cannot slip into a log. Its memory is overwritten when it ends.
/// Move-only; not thread-safe.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  /// The only way to the text: greppable.
  std::string_view reveal() const noexcept { return value_; }
  /// Whether there is no text.
  bool empty() const noexcept { return value_.empty(); }

 private:
  void wipe() noexcept;
  std::string value_;
};

/// The text with `***` for the password of everything in it that looks like a URL with user and password, and for what
/// follows `password=`: arguments in the wrong place come back in messages. `Error` and the log apply it to theirs.
std::string without_passwords(std::string_view text);

}  // namespace quarry
