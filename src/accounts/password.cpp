#include "quarry/accounts/password.hpp"

#include <crypt.h>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

#include "accounts/memory_budget.hpp"
#include "accounts/stored_hash.hpp"
#include "quarry/core/error.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::accounts {
namespace {

/// A hash of today's cost that no password is known to have. What is checked against it takes the time of a real one.
std::string hash_of_nobody(const HashCost& cost) {
  return fmt::format("$argon2id$v=19$m={},t={},p=1${:A<22}${:A<43}", cost.memory_kib, cost.passes, "Quarry", "nobody");
}

bool matches_argon2id(const std::string& stored, std::string_view password) {
  return crypto_pwhash_str_verify(stored.c_str(), password.data(), password.size()) == 0;
}

bool matches_bcrypt(const std::string& stored, std::string_view password) {
  if (password.find('\0') != std::string_view::npos) return false;  // where crypt would stop reading
  struct Work {
    std::array<char, password_bytes_max + 1> text{};
    crypt_data data{};
    ~Work() { sodium_memzero(this, sizeof *this); }
  };
  const auto work = std::make_unique<Work>();
  std::ranges::copy(password, work->text.begin());
  const char* made = crypt_r(work->text.data(), stored.c_str(), &work->data);
  return made && std::string_view(made).size() == stored.size() && sodium_memcmp(made, stored.data(), stored.size()) == 0;
}

void check_new_password(std::string_view password) {
  if (password.size() > password_bytes_max)
    throw_invalid(fmt::format("the password has {} bytes: at most {} are possible", password.size(), password_bytes_max));
  const auto characters = store::count_characters(password);
  if (!characters) throw_invalid("the password is not UTF-8 text, or has a zero byte in it");
  if (*characters < password_characters_min)
    throw_invalid(
        fmt::format("the password has {} characters: at least {} are wanted", *characters, password_characters_min));
}

}  // namespace

struct PasswordHasher::State {
  explicit State(PasswordOptions given)
      : options(std::move(given)), budget(options.memory_kib_max), nobody(hash_of_nobody(options.cost)) {}

  void tell(std::int64_t memory_kib) const {
    if (options.on_hash) options.on_hash(memory_kib);
  }

  PasswordOptions options;
  MemoryBudget budget;
  std::string nobody;
};

PasswordHasher::PasswordHasher(PasswordOptions options) {
  if (!is_possible(options.cost))
    throw_invalid("the cost of a password hash is 8 to 4194304 KiB of memory and 1 to 64 passes");
  if (options.memory_kib_max < 1) throw_invalid("the memory of all password hashes must be at least 1 KiB");
  if (sodium_init() < 0) throw Error(ErrorCode::unavailable, "libsodium cannot be initialised");
  state_ = std::make_unique<State>(std::move(options));
  // If libsodium could not read it, it would be refused at once, and unknown users would be told by the time it takes.
  const auto& cost = state_->options.cost;
  if (crypto_pwhash_str_needs_rehash(state_->nobody.c_str(), static_cast<unsigned long long>(cost.passes),
                                     static_cast<std::size_t>(cost.memory_kib) * 1024) != 0)
    throw_bug("libsodium does not read the hash of nobody");
}

PasswordHasher::~PasswordHasher() = default;

std::string PasswordHasher::hash(const Secret& password) const {
  check_new_password(password.reveal());
  return rehash(password);
}

std::string PasswordHasher::rehash(const Secret& password) const {
  const auto text = password.reveal();
  const auto& cost = state_->options.cost;
  const auto share = state_->budget.take(cost.memory_kib, state_->options.wait_max);
  state_->tell(cost.memory_kib);
  std::array<char, crypto_pwhash_STRBYTES> made{};
  if (crypto_pwhash_str_alg(made.data(), text.data(), text.size(), static_cast<unsigned long long>(cost.passes),
                            static_cast<std::size_t>(cost.memory_kib) * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
    throw Error(ErrorCode::unavailable, fmt::format("there are no {} KiB of memory to hash a password", cost.memory_kib));
  return made.data();
}

PasswordCheck PasswordHasher::check(const Secret& password, const std::optional<std::string>& stored) const {
  const auto text = password.reveal();
  if (text.size() > password_bytes_max) return PasswordCheck::wrong;
  const auto hash = stored ? parse_stored_hash(*stored) : StoredHash{};
  if (!hash) throw Error(ErrorCode::corrupt, "a stored password hash has no known form: set the user's password anew");
  const auto& wanted = state_->options.cost;
  // bcrypt needs next to no memory; it is counted like a hash of today, so that there are no more of them at once either.
  const auto memory_kib = hash->kind == HashKind::argon2id ? hash->cost.memory_kib : wanted.memory_kib;
  const auto share = state_->budget.take(memory_kib, state_->options.wait_max);
  state_->tell(memory_kib);
  bool is_right = false;
  switch (hash->kind) {
    case HashKind::nobodys:
      static_cast<void>(matches_argon2id(state_->nobody, text));
      return PasswordCheck::wrong;
    case HashKind::argon2id:
      is_right = matches_argon2id(*stored, text);
      break;
    case HashKind::bcrypt:
      is_right = matches_bcrypt(*stored, text);
      break;
  }
  if (!is_right) return PasswordCheck::wrong;
  return is_outdated(*hash, wanted) ? PasswordCheck::outdated : PasswordCheck::right;
}

void check_password_hash(std::string_view hash) {
  if (hash.size() > 255 || !parse_stored_hash(hash))
    throw_invalid("the password hash is neither Argon2id ($argon2id$v=19$...) nor bcrypt ($2a$, $2b$ or $2y$)");
}

}  // namespace quarry::accounts
