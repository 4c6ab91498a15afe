#pragma once
/// Options that say how to crawl, where nothing is crawled.

#include <fmt/format.h>

#include "cli/commands/crawl_options.hpp"
#include "quarry/core/error.hpp"

namespace quarry::cli {

/// Without this they would be dropped without a word. Throws `invalid` that names the one that was given; `remedy` says what
/// they are for.
inline void refuse_crawl_options(const TargetCli& cli, const char* remedy) {
  const auto refuse = [&](bool given, const char* option) {
    if (given) throw_invalid(fmt::format("{} {}", option, remedy));
  };
  refuse(cli.max_pages.has_value(), "--max-pages");
  refuse(cli.depth.has_value(), "--depth");
  refuse(cli.delay_ms.has_value(), "--delay-ms");
  refuse(cli.user_agent.has_value(), "--user-agent");
  refuse(cli.no_robots, "--no-robots");
}

}  // namespace quarry::cli
