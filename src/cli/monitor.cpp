#include "cli/monitor.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"

namespace quarry::cli {
namespace {

constexpr std::chrono::seconds figures_age_max{2};
constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

std::string health_lines(const ops::HealthReport& report) {
  std::string lines;
  for (const auto& check : report.checks)
    lines += fmt::format("{} {}: {}{}{}\n", boost::describe::enum_to_string(check.state, ""), check.name,
                         printable(check.message), check.remedy ? "; " : "", printable(check.remedy.value_or("")));
  return lines;
}

Monitor::Monitor(const http::LoopbackAddress& address, MonitorSources sources)
    : sources_(std::move(sources)),
      health_(sources_.db, {.blobs = sources_.blobs}),
      server_(std::make_unique<http::StatusServer>(
          address, std::vector<http::StatusPage>{
                       {"/metrics", [this] { return metrics(); }},
                       {"/health/live", [] { return http::StatusAnswer{.body = "live\n"}; }, http::StatusPage::Cost::quick},
                       {"/health/ready", [this] { return ready(); }}})) {}

Monitor::~Monitor() { server_.reset(); }

http::StatusAnswer Monitor::metrics() {
  const auto health = health_.report();
  const auto now = std::chrono::steady_clock::now();
  // What cannot be read is left out, and the health says why.
  if (!health.live) {
    figures_.reset();
  } else if (!figures_ || now - figures_at_ > figures_age_max) {
    figures_ = ops::statistics(sources_.db);
    figures_at_ = now;
  }
  return {
      .content_type = metrics_content_type,
      .body = valid_utf8(ops::metrics_text({.health = &health,
                                            .statistics = figures_ ? &*figures_ : nullptr,
                                            .queries = sources_.queries.get(),
                                            .counts = sources_.counts ? sources_.counts() : std::vector<ops::MetricCount>{},
                                            .version = QUARRY_VERSION}))};
}

http::StatusAnswer Monitor::ready() {
  const auto health = health_.report();
  return {.status = health.ready ? 200 : 503,
          .body = fmt::format("{}\n{}", boost::describe::enum_to_string(health.state, ""), health_lines(health))};
}

}  // namespace quarry::cli
