#include "crawl/web/transfer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "crawl/web/bad_ports.hpp"
#include "quarry/crawl/address.hpp"

namespace quarry::crawl {
namespace {

template <class T>
void set(CURL* handle, CURLoption option, T value) {
  curl_easy_setopt(handle, option, value);
}

long milliseconds(std::chrono::milliseconds time) { return static_cast<long>(std::max<std::int64_t>(time.count(), 1)); }

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

template <class T>
T info(CURL* handle, CURLINFO what) {
  T value{};
  curl_easy_getinfo(handle, what, &value);
  return value;
}

/// Who resolves a name needs some, and does not say that they were missing.
bool descriptors_are_used_up() {
  const int spare = dup(STDERR_FILENO);
  if (spare >= 0) close(spare);
  return spare < 0 && (errno == EMFILE || errno == ENFILE);
}

}  // namespace

Transfer::Transfer(Request request, const FetcherOptions& options, EasyHandle handle)
    : request_(std::move(request)),
      options_(options),
      handle_(std::move(handle)),
      began_(std::chrono::steady_clock::now()),
      response_{.id = request_.id, .requested = request_.url, .url = request_.url} {}

Transfer::~Transfer() { curl_slist_free_all(header_list_); }

bool Transfer::prepare() {
  if (!options_.allow_private && is_bad_port(response_.url.port())) {
    fail(FetchError::refused_address, fmt::format("port {} is not for the web", response_.url.port()));
    return false;
  }
  auto* handle = handle_.get();
  curl_easy_reset(handle);
  headers_ = HeaderCollector();
  response_.body.clear();
  refused_.clear();
  cut_ = starved_ = false;
  set(handle, CURLOPT_URL, response_.url.text().c_str());
  set(handle, CURLOPT_PATH_AS_IS, 1L);
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_NOSIGNAL, 1L);
  // An empty string switches off what the environment says.
  set(handle, CURLOPT_PROXY, options_.proxy.c_str());
  if (!options_.ca_file.empty()) set(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
  set(handle, CURLOPT_USERAGENT, (request_.user_agent.empty() ? options_.user_agent : request_.user_agent).c_str());
  set(handle, CURLOPT_ACCEPT_ENCODING, "");  // all that this libcurl can undo
  set(handle, CURLOPT_ERRORBUFFER, error_text_.data());
  error_text_[0] = '\0';
  set(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(handle, CURLOPT_WRITEDATA, this);
  set(handle, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(handle, CURLOPT_HEADERDATA, this);
  set(handle, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open_socket);
  set(handle, CURLOPT_OPENSOCKETDATA, this);
  set(handle, CURLOPT_PRIVATE, this);
  set_limits();
  set_headers();
  return true;
}

void Transfer::set_limits() {
  auto* handle = handle_.get();
  const auto used = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_);
  set(handle, CURLOPT_TIMEOUT_MS, milliseconds(request_.timeout - used));
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request_.connect_timeout));
  set(handle, CURLOPT_LOW_SPEED_LIMIT, 50L);
  set(handle, CURLOPT_LOW_SPEED_TIME, std::max(milliseconds(request_.stall_timeout) / 1000, 1L));
  // Refuses by Content-Length (zero: never); on_body counts what arrives.
  set(handle, CURLOPT_MAXFILESIZE_LARGE,
      request_.cut_body ? curl_off_t{0} : static_cast<curl_off_t>(request_.body_bytes_max));
}

void Transfer::set_headers() {
  curl_slist_free_all(std::exchange(header_list_, nullptr));
  const auto add = [&](const std::string& line) {
    auto* longer = curl_slist_append(header_list_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    header_list_ = longer;
  };
  if (response_.hops.empty()) {
    if (!request_.etag.empty()) add("If-None-Match: " + request_.etag);
    if (!request_.last_modified.empty()) add("If-Modified-Since: " + request_.last_modified);
  }
  if (host_key(response_.url) == host_key(request_.url))
    for (const auto& [name, value] : request_.headers) add(fmt::format("{}{}{}", name, value.empty() ? ";" : ": ", value));
  set(handle_.get(), CURLOPT_HTTPHEADER, header_list_);
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  auto& body = transfer.response_.body;
  const std::size_t room = transfer.request_.body_bytes_max - body.size();
  if (bytes > room && !transfer.request_.cut_body) {
    transfer.too_large_ = true;
    return 0;
  }
  try {
    body.append(data, std::min(bytes, room));
  } catch (const std::exception&) {
    // An exception must not pass through libcurl; a body that does not fit into memory is too large.
    transfer.too_large_ = true;
    return 0;
  }
  if (bytes <= room) return bytes;
  transfer.cut_ = true;
  return 0;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    if (transfer.headers_.add_line({data, size * count})) return size * count;
  } catch (const std::exception&) {
  }
  transfer.too_large_ = transfer.headers_too_large_ = true;
  return 0;
}

curl_socket_t Transfer::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.options_.allow_private && transfer.options_.proxy.empty()) {
    const auto ip = from_sockaddr(&address->addr);
    const auto block = ip ? reserved_block(*ip) : "not an IP address";
    if (!block.empty()) {
      try {
        transfer.refused_ = fmt::format("{} is {}", ip ? to_string(*ip) : "the address", block);
      } catch (const std::exception&) {
        transfer.refused_ = "reserved";
      }
      return CURL_SOCKET_BAD;
    }
  }
  const auto opened = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (opened < 0 && (errno == EMFILE || errno == ENFILE)) transfer.starved_ = true;
  return opened;
}

FetchError Transfer::classify(CURLcode code) const {
  if (too_large_) return FetchError::too_large;
  if (cut_) return FetchError::none;
  switch (code) {
    case CURLE_OK:
      return FetchError::none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return descriptors_are_used_up() ? FetchError::starved : FetchError::dns;
    case CURLE_COULDNT_CONNECT:
      if (starved_) return FetchError::starved;
      return refused_.empty() ? FetchError::connect : FetchError::refused_address;
    case CURLE_INTERFACE_FAILED:
      return FetchError::connect;
    case CURLE_OPERATION_TIMEDOUT:
      return FetchError::timeout;
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_OUT_OF_MEMORY:  // what libcurl calls a header line that it has no room for
      return FetchError::too_large;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return FetchError::tls;
    case CURLE_BAD_CONTENT_ENCODING:
      return FetchError::encoding;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
      return FetchError::protocol;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return FetchError::interrupted;
    default:
      return FetchError::protocol;
  }
}

void Transfer::fail(FetchError error, std::string detail) {
  response_.error = error;
  response_.error_detail = std::move(detail);
  response_.body.clear();
  response_.body.shrink_to_fit();
}

void Transfer::cancel() { fail(FetchError::cancelled, "cancelled"); }

void Transfer::add_timings() {
  auto* handle = handle_.get();
  auto& sum = response_.timings;
  // libcurl counts each hop from zero.
  const auto before_us = sum.total_us;
  const auto since = [&](CURLINFO what) {
    const auto us = info<curl_off_t>(handle, what);
    return us == 0 ? 0 : before_us + us;
  };
  sum.name_us = since(CURLINFO_NAMELOOKUP_TIME_T);
  sum.connect_us = since(CURLINFO_CONNECT_TIME_T);
  sum.tls_us = since(CURLINFO_APPCONNECT_TIME_T);
  sum.first_byte_us = since(CURLINFO_STARTTRANSFER_TIME_T);
  sum.total_us = before_us + info<curl_off_t>(handle, CURLINFO_TOTAL_TIME_T);
  response_.wire_bytes += static_cast<std::uint64_t>(info<curl_off_t>(handle, CURLINFO_SIZE_DOWNLOAD_T));
  response_.reused_connection = info<long>(handle, CURLINFO_NUM_CONNECTS) == 0;
  if (const char* address = info<char*>(handle, CURLINFO_PRIMARY_IP)) response_.remote_address = address;
}

bool Transfer::finish_hop(CURLcode code, Instant now) {
  add_timings();
  const auto error = classify(code);
  response_.status = static_cast<int>(info<long>(handle_.get(), CURLINFO_RESPONSE_CODE));
  if (error == FetchError::none) {
    if (is_redirect(response_.status) && follow(response_.status)) return true;
    response_.headers = headers_.take(now);
    return false;
  }
  std::string detail = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
  if (error == FetchError::refused_address) detail = refused_;
  if (error == FetchError::starved) detail = "too many files are open: raise the limit (ulimit -n)";
  if (error == FetchError::too_large) detail = what_is_too_large(code);
  fail(error, kept(detail));  // libcurl quotes names from certificates
  return false;
}

std::string Transfer::what_is_too_large(CURLcode code) const {
  if (headers_too_large_) return fmt::format("headers of more than {} bytes", header_bytes_max);
  if (code == CURLE_OUT_OF_MEMORY) return "a header line that is too long";
  return fmt::format("more than {} bytes", request_.body_bytes_max);
}

bool Transfer::admitted(const Url& from, const Url& to) const {
  if (!request_.admit_redirect) return true;
  try {
    return request_.admit_redirect(from, to);
  } catch (const std::exception&) {
    // Whoever cannot decide has not said yes, and the response must not be lost.
    return false;
  }
}

bool Transfer::follow(int status) {
  const Url from = response_.url;
  const auto to = headers_.location().empty() ? std::nullopt : try_resolve(from, headers_.location());
  if (!to) {
    fail(FetchError::redirect_invalid,
         headers_.location().empty() ? "a redirect without Location" : "Location is no URL that can be fetched");
    return false;
  }
  response_.location = to;
  const bool again = *to == from || std::any_of(response_.hops.begin(), response_.hops.end(),
                                                [&](const Hop& hop) { return hop.url == *to; });
  if (again || static_cast<int>(response_.hops.size()) >= request_.redirects_max) {
    // A caller that wants no redirects followed asks for none: that is an answer, and no loop.
    if (request_.redirects_max > 0) fail(FetchError::redirect_loop, again ? "a redirect leads back" : "too many redirects");
    return false;
  }
  if (!admitted(from, *to)) {
    fail(FetchError::redirect_refused, "the redirect leads to where the crawl may not go");
    return false;
  }
  response_.hops.push_back({from, status});
  response_.url = *to;
  response_.location.reset();
  return true;
}

}  // namespace quarry::crawl
