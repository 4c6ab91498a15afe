#include "bench/support/program.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "quarry/core/error.hpp"

namespace quarry::bench {

int run_program(CLI::App& app, int argc, const char* const* argv, const std::function<void()>& body) {
  try {
    app.parse(argc, argv);
    body();
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const Error& error) {
    fmt::print(stderr, "{} ({}) {}\n", error.client_message(), error.query_name(), error.engine_message());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  return 1;
}

}  // namespace quarry::bench
