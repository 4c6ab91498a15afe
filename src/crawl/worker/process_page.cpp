#include "crawl/worker/process_page.hpp"

#include <fmt/format.h>

#include "crawl/web/charset.hpp"
#include "crawl/web/sniff.hpp"
#include "quarry/core/error.hpp"
#include "quarry/core/utf8.hpp"

namespace quarry::crawl {
namespace {

bool is_html(std::string_view type) { return type == "text/html" || type == "application/xhtml+xml"; }

/// Longest title that the schema takes, in characters; bytes are never fewer.
constexpr std::size_t title_bytes_max = 500;

}  // namespace

void fail_page(const Response& response, Outcome& outcome) {
  outcome.worth_a_retry = worth_a_retry(response);
  if (response.error != FetchError::none) {
    outcome.error = fmt::format("{}: {}", to_string(response.error), response.error_detail);
    // Who has begun to answer was reached: one page that does not come to an end says nothing of the others.
    const bool silent = response.error == FetchError::timeout && response.status == 0;
    outcome.host_in_trouble = response.error == FetchError::connect || silent;
    return;
  }
  outcome.error = fmt::format("HTTP status {}", response.status);
  outcome.host_in_trouble = response.status == 429 || response.status == 503;
  if (response.headers.retry_after) outcome.retry_after = *response.headers.retry_after;
}

namespace {

void read_html(PageContent& content, const ResponseHeaders& headers, std::int64_t depth, std::size_t text_bytes_max,
               html::Parser& parser, const JobContext& job) {
  const auto document = parser.parse(content.body, {.charset = headers.charset});
  content.title = cut_at_character(document.title(), title_bytes_max);
  content.description = document.description();
  content.text = document.visible_text(text_bytes_max);
  content.extraction = job.extractor.items(document, content.url);
  if (!job.extractor.follows() || depth >= job.config.follow->max_depth) return;
  if (job.config.request.obey_robots && html::parse_robots_directives(headers.x_robots_tag).nofollow) return;
  for (auto& link : job.extractor.links(document, content.url)) content.links.push_back({std::move(link), depth + 1});
}

/// What the server says, and what it looks like when the server says nothing.
std::string mime_type_of(const Response& response) {
  if (!response.headers.content_type.empty()) return response.headers.content_type;
  return looks_like_html(response.body) ? "text/html" : "application/octet-stream";
}

/// As it is: what looks like a tag in it is text.
void read_plain(PageContent& content, const ResponseHeaders& headers, std::size_t text_bytes_max) {
  Decoded decoded;
  decode(content.body, headers.charset, decoded);
  content.text = cut_at_character(decoded.text, text_bytes_max);
}

}  // namespace

void process_page(Response response, std::int64_t depth, std::size_t text_bytes_max, html::Parser& parser,
                  Outcome& outcome) {
  if (response.error != FetchError::none || response.status < 200 || response.status >= 300)
    return fail_page(response, outcome);
  PageContent content{.url = std::move(response.url),
                      .status = response.status,
                      .mime_type = mime_type_of(response),
                      .body = std::move(response.body),
                      .title = {},
                      .description = {},
                      .text = {},
                      .extraction = {},
                      .links = {}};
  try {
    if (is_html(content.mime_type))
      read_html(content, response.headers, depth, text_bytes_max, parser, *outcome.job);
    else if (content.mime_type == "text/plain")
      read_plain(content, response.headers, text_bytes_max);
  } catch (const Error& error) {
    // A pattern that proves too costly on this page: the page is kept, its links are not followed.
    outcome.error = error.client_message();
  }
  outcome.content = std::move(content);
}

}  // namespace quarry::crawl
