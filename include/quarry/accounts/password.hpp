#pragma once
/// Passwords: hashed with Argon2id, checked against what is stored.
///
///     PasswordHasher hasher;                       // one for the program: it bounds the memory of all logins together
///     const auto hash = hasher.hash(password);     // outside of any transaction: 50 ms and 64 MiB
///     db.write([&](Write& tx) { accounts::create_user(tx, {.username = "ada", .password_hash = hash}); });
///
/// **Stored** are PHC strings: `$argon2id$v=19$m=65536,t=2,p=1$salt$hash`. bcrypt hashes of old systems (`$2a$`, `$2b$`,
/// `$2y$`) are checked, too, and called outdated, as are weaker Argon2id ones: `login` replaces them. A stored hash is never
/// made weaker: it is outdated only if it takes no more memory than wanted and does less work (memory x passes). What
/// begins with `!` is nobody's password (the convention of shadow(5)).
///
/// **A password** is UTF-8 of at least 8 characters and at most 1024 bytes, compared byte by byte. It is neither trimmed nor
/// cut nor normalised: a client that takes it from a keyboard should send NFC (RFC 8265), so that the same keys give the
/// same bytes everywhere. A longer one is wrong without being hashed. (bcrypt itself heeds 72 bytes; that ends with the
/// upgrade.)
///
/// **Memory**: every hash that is computed takes what it says, and at most `memory_kib_max` are in use at once. Who comes
/// then waits in line for up to `wait_max` and is told `busy` afterwards.
///
/// Costs: OWASP's Password Storage Cheat Sheet wants 19 MiB with two passes at least; the default is libsodium's
/// INTERACTIVE, 64 MiB with two passes, 54 ms on the machine of docs/benchmarks.md.
///
/// Errors: `invalid` (a new password out of its bounds), `busy`, `corrupt` (a stored hash of no known form), `unavailable`
/// (no memory). Thread safety: all members may be called by any number of threads.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "quarry/core/secret.hpp"

namespace quarry::accounts {

inline constexpr std::size_t password_characters_min = 8;
inline constexpr std::size_t password_bytes_max = 1024;

struct HashCost {
  std::int64_t memory_kib = 65'536;  ///< 8 to 4 Mi
  std::int64_t passes = 2;           ///< 1 to 64
};

struct PasswordOptions {
  HashCost cost{};
  /// Of all hashes that are computed at once; at least one always may.
  std::int64_t memory_kib_max = 262'144;
  std::chrono::milliseconds wait_max{10'000};
  /// Called for each hash that is computed, right before, with its memory: for metrics and tests.
  std::function<void(std::int64_t memory_kib)> on_hash{};
};

enum class PasswordCheck {
  wrong,
  right,
  outdated,  ///< right, and the stored hash should be replaced
};

class PasswordHasher {
 public:
  /// Throws `invalid` for a cost out of bounds.
  explicit PasswordHasher(PasswordOptions options = {});
  PasswordHasher(const PasswordHasher&) = delete;
  PasswordHasher& operator=(const PasswordHasher&) = delete;
  ~PasswordHasher();

  /// A new hash of a password that somebody has chosen. Throws `invalid` when it is too short, too long or no UTF-8.
  std::string hash(const Secret& password) const;
  /// A new hash of a password that has just been found right, whatever its length.
  std::string rehash(const Secret& password) const;
  /// Without a stored hash, or with one that is nobody's, it takes as long as with one of today's and says `wrong`.
  PasswordCheck check(const Secret& password, const std::optional<std::string>& stored) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Throws `invalid` for what is neither an Argon2id nor a bcrypt hash that `PasswordHasher` reads, nor begins with `!`.
void check_password_hash(std::string_view hash);

}  // namespace quarry::accounts
