#include "cli/page_options.hpp"

namespace quarry::cli {

void add_page_options(CLI::App& command, PageRequest& page) {
  command.add_option("--limit", page.limit, "Rows at most; 50 by default")->check(CLI::Range(1, store::page_limit_max));
  command.add_option("--after", page.after, "Go on where the page before ended, which says how")->type_name("CURSOR");
  command.add_flag("--total", page.with_total, "Count all, too");
}

}  // namespace quarry::cli
