#pragma once
/// The options of every list: which page of it.

#include <CLI/CLI.hpp>

#include "quarry/store/page.hpp"

namespace quarry::cli {

/// `--limit N`, `--after CURSOR`, `--total`.
void add_page_options(CLI::App& command, PageRequest& page);

}  // namespace quarry::cli
