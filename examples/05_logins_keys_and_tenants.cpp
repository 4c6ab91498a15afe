/// Passwords, sessions, API keys, and transactions on a user's behalf.
#include <fmt/format.h>

#include "open.hpp"

using namespace quarry;

int main(int argc, char** argv) {
  const auto db = open_example(argc, argv);
  accounts::PasswordHasher hasher;  // one for the program: it bounds the memory of all logins together
  const auto hash = hasher.hash(Secret("correct horse battery staple"));
  const auto [ada, bob] = db.write([&](Write& tx) {
    return std::pair{accounts::create_user(tx, {.username = "ada", .email = "ada@example.org", .password_hash = hash}),
                     accounts::create_user(tx, {.username = "bob", .email = "bob@example.org", .google_id = "42"})};
  });
  const auto wrong = accounts::login(db, hasher, {.name = "ada", .password = Secret("a guess")});
  const auto right = accounts::login(db, hasher, {.name = "ada", .password = Secret("correct horse battery staple")});
  fmt::print("{} {}\n", wrong.opened.has_value(), right.opened.has_value());

  // The token is shown once; what is stored cannot be turned back into it.
  const auto who = accounts::authenticate(db, right.opened->token.reveal());
  if (!who) return 1;

  const accounts::Peppers peppers(Secret("a pepper that stands in no database"));
  const auto key =
      db.write([&](Write& tx) { return accounts::create_key(tx, peppers, {.user_id = ada.id, .name = "laptop"}); });
  const auto holder = accounts::authenticate_key(db, peppers, key.text.reveal());
  fmt::print("the key is {}'s\n", holder->user.username);

  // Ada's transactions see what is Ada's; on PostgreSQL the server sees to it as well.
  const auto job = db.write({.actor = Actor::user(bob.id)},
                            [&](Write& tx) { return jobs::submit(tx, {.user_id = bob.id, .title = "Bob's"}).id; });
  const auto seen = [&](const Actor& actor) {
    return db.read({.actor = actor}, [&](Read& tx) { return jobs::exists(tx, job); });
  };
  fmt::print("ada {}, bob {}, an admin {}\n", seen(who->actor), seen(Actor::user(bob.id)), seen(Actor::admin(ada.id)));
}
