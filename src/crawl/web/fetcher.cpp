#include "quarry/crawl/fetcher.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "crawl/web/transfer.hpp"
#include "quarry/core/error.hpp"

namespace quarry::crawl {
namespace {

struct MultiDeleter {
  void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
};

void initialise_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw_bug("libcurl could not be initialised");
  });
}

void demand(CURLMcode code) {
  if (code != CURLM_OK) throw_bug(fmt::format("libcurl: {}", curl_multi_strerror(code)));
}

}  // namespace

std::string_view to_string(FetchError error) noexcept {
  switch (error) {
    case FetchError::none:
      return "none";
    case FetchError::dns:
      return "dns";
    case FetchError::connect:
      return "connect";
    case FetchError::tls:
      return "tls";
    case FetchError::timeout:
      return "timeout";
    case FetchError::interrupted:
      return "interrupted";
    case FetchError::protocol:
      return "protocol";
    case FetchError::encoding:
      return "encoding";
    case FetchError::too_large:
      return "too_large";
    case FetchError::refused_address:
      return "refused_address";
    case FetchError::redirect_loop:
      return "redirect_loop";
    case FetchError::redirect_invalid:
      return "redirect_invalid";
    case FetchError::redirect_refused:
      return "redirect_refused";
    case FetchError::starved:
      return "starved";
    case FetchError::cancelled:
      return "cancelled";
  }
  return "none";
}

bool worth_a_retry(FetchError error) noexcept {
  switch (error) {
    case FetchError::dns:
    case FetchError::connect:
    case FetchError::timeout:
    case FetchError::interrupted:
    case FetchError::protocol:
    case FetchError::starved:
    case FetchError::cancelled:
      return true;
    case FetchError::none:
    case FetchError::tls:
    case FetchError::encoding:
    case FetchError::too_large:
    case FetchError::refused_address:
    case FetchError::redirect_loop:
    case FetchError::redirect_invalid:
    case FetchError::redirect_refused:
      return false;
  }
  return false;
}

bool worth_a_retry(const Response& response) noexcept {
  if (response.error != FetchError::none) return worth_a_retry(response.error);
  constexpr int statuses[] = {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524};
  return std::find(std::begin(statuses), std::end(statuses), response.status) != std::end(statuses);
}

struct Fetcher::State {
  FetcherOptions options;
  const Clock& clock;
  // Before the transfers: handles must leave the multi handle before it goes.
  std::unique_ptr<CURLM, MultiDeleter> multi;
  std::deque<Request> waiting;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> running;
  std::vector<EasyHandle> idle_handles;
  std::vector<Response> ended;
  std::atomic<bool> woken{false};

  State(FetcherOptions given, const Clock& with) : options(std::move(given)), clock(with) {
    initialise_once();
    multi.reset(curl_multi_init());
    if (!multi) throw_bug("libcurl could not be initialised");
    const auto set = [&](CURLMoption option, std::size_t value) {
      demand(curl_multi_setopt(multi.get(), option, static_cast<long>(value)));
    };
    set(CURLMOPT_MAXCONNECTS, options.connections_kept_max);
    set(CURLMOPT_MAX_HOST_CONNECTIONS, options.connections_per_host_max);
  }
  ~State() {
    for (auto& [handle, transfer] : running) curl_multi_remove_handle(multi.get(), handle);
  }

  EasyHandle take_handle() {
    if (idle_handles.empty()) {
      EasyHandle made(curl_easy_init());
      if (!made) throw std::bad_alloc();
      return made;
    }
    auto handle = std::move(idle_handles.back());
    idle_handles.pop_back();
    return handle;
  }

  void start_waiting() {
    while (!waiting.empty() && running.size() < options.in_flight_max) {
      auto transfer = std::make_unique<Transfer>(std::move(waiting.front()), options, take_handle());
      waiting.pop_front();
      run(std::move(transfer));
    }
  }

  /// Begins the next hop, or ends the transfer.
  void run(std::unique_ptr<Transfer> transfer) {
    if (!transfer->prepare()) return end(std::move(transfer));
    auto* handle = transfer->handle();
    demand(curl_multi_add_handle(multi.get(), handle));
    running.emplace(handle, std::move(transfer));
  }

  void end(std::unique_ptr<Transfer> transfer) {
    ended.push_back(std::move(transfer->response()));
    idle_handles.push_back(transfer->release_handle());
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const auto code = message->data.result;
      auto* handle = message->easy_handle;
      auto node = running.extract(handle);
      demand(curl_multi_remove_handle(multi.get(), handle));
      auto transfer = std::move(node.mapped());
      if (transfer->finish_hop(code, clock.now()))
        run(std::move(transfer));
      else
        end(std::move(transfer));
    }
  }

  void step() {
    start_waiting();
    int active = 0;
    demand(curl_multi_perform(multi.get(), &active));
    collect();
    start_waiting();
  }
};

Fetcher::Fetcher(FetcherOptions options, const Clock& clock) : state_(std::make_unique<State>(std::move(options), clock)) {}
Fetcher::~Fetcher() = default;

void Fetcher::submit(Request request) { state_->waiting.push_back(std::move(request)); }

std::size_t Fetcher::in_flight() const noexcept {
  return state_->waiting.size() + state_->running.size() + state_->ended.size();
}

std::vector<Response> Fetcher::poll(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    state_->step();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (!state_->ended.empty() || state_->woken.exchange(false) || left.count() <= 0)
      return std::exchange(state_->ended, {});
    constexpr std::int64_t wait_ms_max = 60'000;
    demand(curl_multi_poll(state_->multi.get(), nullptr, 0,
                           static_cast<int>(std::min<std::int64_t>(left.count(), wait_ms_max)), nullptr));
  }
}

bool Fetcher::cancel(std::uint64_t id) {
  const auto is_it = [id](const auto& one) { return one.id == id; };
  if (std::erase_if(state_->waiting, is_it) + std::erase_if(state_->ended, is_it) > 0) return true;
  const auto found =
      std::ranges::find_if(state_->running, [&](const auto& entry) { return is_it(entry.second->response()); });
  if (found == state_->running.end()) return false;
  demand(curl_multi_remove_handle(state_->multi.get(), found->first));
  state_->idle_handles.push_back(found->second->release_handle());
  state_->running.erase(found);
  return true;
}

std::vector<Response> Fetcher::cancel_all() {
  auto running = std::exchange(state_->running, {});
  for (auto& [handle, transfer] : running) {
    demand(curl_multi_remove_handle(state_->multi.get(), handle));
    transfer->cancel();
    state_->end(std::move(transfer));
  }
  for (const auto& request : std::exchange(state_->waiting, {}))
    state_->ended.push_back({.id = request.id,
                             .requested = request.url,
                             .url = request.url,
                             .error = FetchError::cancelled,
                             .error_detail = "cancelled"});
  return std::exchange(state_->ended, {});
}

void Fetcher::wake() noexcept {
  state_->woken = true;
  curl_multi_wakeup(state_->multi.get());
}

}  // namespace quarry::crawl
