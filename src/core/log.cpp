#include "quarry/core/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>
#include <memory>

#include "quarry/core/error.hpp"
#include "quarry/core/time.hpp"

namespace quarry::log {
namespace {

/// spdlog's own default logger writes to stdout, where `--json` must stand alone.
std::shared_ptr<spdlog::logger> logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("quarry", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return instance;
}

std::atomic<bool> as_json{false};

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::off;
}

bool read_level(std::string_view word, Level& level) {
  constexpr std::pair<std::string_view, Level> names[] = {{"trace", Level::trace}, {"debug", Level::debug},
                                                          {"info", Level::info},   {"warn", Level::warn},
                                                          {"error", Level::error}, {"off", Level::off}};
  for (const auto& [name, value] : names)
    if (name == word) return level = value, true;
  return false;
}

}  // namespace

Options parse_options(std::string_view text) {
  Options options;
  for (std::string_view rest = text; !rest.empty();) {
    const auto comma = rest.find(',');
    const auto word = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (word == "json") options.format = Format::json;
    else if (word == "text") options.format = Format::text;
    else if (!read_level(word, options.level))
      throw_invalid(fmt::format("--log '{}': a level (trace, debug, info, warn, error, off), a format (text, json), "
                                "or both with a comma between", text));
  }
  return options;
}

void configure(const Options& options) {
  as_json = options.format == Format::json;
  logger()->set_level(native(options.level));
  logger()->set_pattern(options.format == Format::json ? "%v" : "%Y-%m-%dT%H:%M:%S.%fZ %^%l%$ %v",
                        spdlog::pattern_time_type::utc);
}

bool enabled(Level level) noexcept { return logger()->should_log(native(level)); }

void write(Level level, std::string_view message) {
  if (!as_json) {
    logger()->log(native(level), message);
    return;
  }
  const auto name = spdlog::level::to_string_view(native(level));
  logger()->log(native(level), fmt::format(R"({{"time":"{}","level":"{}","message":{}}})", to_iso8601(SystemClock{}.now()),
                                           std::string_view(name.data(), name.size()),
                                           boost::json::serialize(boost::json::string_view(message))));
}

}  // namespace quarry::log
