#pragma once
/// What a stored password hash says about itself.
///
/// Argon2id: the PHC string format (github.com/P-H-C/phc-string-format), with the parameters in libsodium's order `m,t,p`.
/// bcrypt: `$2b$`, two digits of cost, `$`, 22 characters of salt and 31 of hash (crypt(5)).

#include <optional>
#include <string_view>

#include "quarry/accounts/password.hpp"

namespace quarry::accounts {

enum class HashKind {
  nobodys,  ///< begins with `!`
  argon2id,
  bcrypt,
};

struct StoredHash {
  HashKind kind = HashKind::nobodys;
  HashCost cost{0, 0};  ///< of Argon2id
};

/// Nothing for what is none of them, or costs more than anybody should be made to wait for: 4 GiB, 64 passes, bcrypt's 16.
std::optional<StoredHash> parse_stored_hash(std::string_view text);

/// Whether `wanted` is an improvement.
bool is_outdated(const StoredHash& stored, const HashCost& wanted) noexcept;

bool is_possible(const HashCost& cost) noexcept;

}  // namespace quarry::accounts
