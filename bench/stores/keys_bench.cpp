/// SQLite: who a request comes from. Each figure is for a whole call, its transaction included.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/support/scratch.hpp"
#include "quarry/accounts/api_keys.hpp"
#include "quarry/accounts/sessions.hpp"
#include "quarry/limits/limits.hpp"

namespace quarry::bench {
namespace {

/// Users with ten keys each, and a session.
struct Credentials {
  Scratch scratch{Engine::sqlite};
  accounts::Peppers peppers{Secret(std::string(32, 'p'))};
  std::vector<std::string> keys;
  std::vector<std::string> tokens;

  Credentials() {
    for (int i = 0; i < 200; ++i)
      scratch.db().write([&](Write& tx) {
        const auto user = accounts::create_user(
            tx, {.username = fmt::format("user{}", i), .email = fmt::format("u{}@h", i), .password_hash = "!"});
        for (int j = 0; j < 10; ++j)
          keys.emplace_back(
              accounts::create_key(tx, peppers, {.user_id = user.id, .name = "k", .scopes = {"jobs:*"}}).text.reveal());
        tokens.emplace_back(accounts::open_session(tx, user.id).token.reveal());
      });
  }
};
Credentials& credentials() {
  static Credentials made;
  return made;
}

void authorize(benchmark::State& state) {
  auto& all = credentials();
  for (const auto& key : all.keys) accounts::authenticate_key(all.scratch.db(), all.peppers, key);  // noted as used
  std::size_t i = 0;
  for (auto _ : state) {
    const auto who = accounts::authenticate_key(all.scratch.db(), all.peppers, all.keys[++i * 7919 % all.keys.size()]);
    if (!who || !accounts::has_scope(who->key, "jobs:read")) state.SkipWithError("refused");
  }
}
BENCHMARK(authorize)->Name("sqlite_authorize_key/quarry");

/// The whole of what a service asks before it answers: whose key, may it, and has it not called too often. In one
/// transaction, whose commit makes the take durable: with `synchronous=FULL` that is a sync of the disk, which callers at
/// the same time share (`quarry-bench-limits` has 16 of them); with NORMAL it survives the process, not the machine.
void authorize_and_limit(benchmark::State& state, Database& db) {
  auto& all = credentials();
  const limits::Limit limit{.requests = 1'000'000, .period = std::chrono::seconds(1)};  // nothing is denied
  std::size_t i = 0;
  for (auto _ : state) {
    const auto& key = all.keys[++i * 7919 % all.keys.size()];
    const bool admitted = db.write([&](Write& tx) {
      const auto who = accounts::find_key_holder(tx, all.peppers, key);
      return who && accounts::has_scope(who->key, "jobs:read") &&
             limits::take(tx, limits::ApiCall{who->user.id, "GET /jobs"}, limit).admitted;
    });
    if (!admitted) state.SkipWithError("refused");
  }
}
void limited_full(benchmark::State& state) { authorize_and_limit(state, credentials().scratch.db()); }
BENCHMARK(limited_full)->Name("sqlite_authorize_and_limit_full/quarry");

void limited_normal(benchmark::State& state) {
  static Database db = Database::open(credentials().scratch.url(), {.synchronous = Synchronous::normal});
  authorize_and_limit(state, db);
}
BENCHMARK(limited_normal)->Name("sqlite_authorize_and_limit_normal/quarry");

void refuse_unknown(benchmark::State& state) {
  auto& all = credentials();
  SeededRandom random(1);
  const auto stranger = accounts::make_key_text(random);
  for (auto _ : state)
    if (accounts::authenticate_key(all.scratch.db(), all.peppers, stranger.reveal())) state.SkipWithError("let in");
}
BENCHMARK(refuse_unknown)->Name("sqlite_refuse_unknown_key/quarry");

void refuse_malformed(benchmark::State& state) {
  auto& all = credentials();
  auto typo = all.keys.front();
  typo.back() = typo.back() == '0' ? '1' : '0';
  for (auto _ : state)
    if (accounts::authenticate_key(all.scratch.db(), all.peppers, typo)) state.SkipWithError("let in");
}
BENCHMARK(refuse_malformed)->Name("sqlite_refuse_malformed_key/quarry");

void authenticate_session(benchmark::State& state) {
  auto& all = credentials();
  std::size_t i = 0;
  for (auto _ : state)
    if (!accounts::authenticate(all.scratch.db(), all.tokens[++i * 7919 % all.tokens.size()]))
      state.SkipWithError("refused");
}
BENCHMARK(authenticate_session)->Name("sqlite_authenticate_session/quarry");

}  // namespace
}  // namespace quarry::bench
