#pragma once
/// Transactions for event loops: the closure runs on the database's own threads, and the result comes back through an Asio
/// completion token (`use_future`, a callback, `use_awaitable`).
///
///     std::future<User> user = async_read(db, [id](Read& tx) { return get_user(tx, id); }, boost::asio::use_future);
///     User user = co_await async_read(db, [id](Read& tx) { return get_user(tx, id); }, boost::asio::use_awaitable);
///
/// The closure is copied or moved in, and may outlive the caller's scope: capture by value. It must not wait for the event
/// loop. An exception arrives as `std::exception_ptr`, which `use_future` and `use_awaitable` throw again. The result type
/// must have a default constructor (use `std::optional` where it has none).
///
/// A handler is called on its associated executor. Thread-safe, as `Database` is. `DatabaseOptions::async_threads` bounds
/// how many run at once; further ones wait in line.
///
/// Errors: those of `Database::read` and `Database::write`, handed to the token.

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "quarry/sql/backend.hpp"
#include "quarry/sql/database.hpp"

namespace quarry {

namespace sql::detail {

template <class R>
struct AsyncSignature {
  static_assert(std::is_default_constructible_v<R>, "the result needs a default constructor: return a std::optional");
  using type = void(std::exception_ptr, R);
};
template <>
struct AsyncSignature<void> {
  using type = void(std::exception_ptr);
};

/// Runs `work` and hands its outcome to `handler` on the handler's executor.
template <class R, class Handler, class Work>
void run_and_complete(std::shared_ptr<Handler> handler, Work& work) {
  auto executor = boost::asio::get_associated_executor(*handler);
  std::exception_ptr failure;
  if constexpr (std::is_void_v<R>) {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    boost::asio::dispatch(executor, [handler, failure] { std::move (*handler)(failure); });
  } else {
    auto result = std::make_shared<R>();
    try {
      *result = work();
    } catch (...) {
      failure = std::current_exception();
    }
    boost::asio::dispatch(executor, [handler, failure, result] { std::move (*handler)(failure, std::move(*result)); });
  }
}

template <class R, class Work, class CompletionToken>
auto post_work(const Database& db, Work work, CompletionToken&& token) {
  return boost::asio::async_initiate<CompletionToken, typename AsyncSignature<R>::type>(
      [](auto handler, const Database& database, Work job) {
        using Handler = std::decay_t<decltype(handler)>;
        auto shared_handler = std::make_shared<Handler>(std::move(handler));
        // The loop must not run out of work while the database is busy for it.
        auto guard = std::make_shared<decltype(boost::asio::make_work_guard(*shared_handler))>(
            boost::asio::make_work_guard(*shared_handler));
        auto shared_job = std::make_shared<Work>(std::move(job));
        database.backend().post([shared_handler, shared_job, guard] {
          run_and_complete<R>(shared_handler, *shared_job);
          guard->reset();
        });
      },
      token, db, std::move(work));
}

}  // namespace sql::detail

/// `Database::read`, on one of the database's own threads.
template <std::invocable<Read&> F, class CompletionToken>
auto async_read(const Database& db, F body, CompletionToken&& token, ReadOptions options = {}) {
  using R = std::invoke_result_t<F&, Read&>;
  return sql::detail::post_work<R>(
      db, [db, options, body = std::move(body)]() mutable -> R { return db.read(options, body); },
      std::forward<CompletionToken>(token));
}

/// `Database::write`, likewise.
template <std::invocable<Write&> F, class CompletionToken>
auto async_write(const Database& db, F body, CompletionToken&& token, WriteOptions options = {}) {
  using R = std::invoke_result_t<F&, Write&>;
  return sql::detail::post_work<R>(
      db, [db, options, body = std::move(body)]() mutable -> R { return db.write(options, body); },
      std::forward<CompletionToken>(token));
}

}  // namespace quarry
