/// quarry-serve-files: a folder as a web site on 127.0.0.1, for `script/run` and the benchmarks.
///
/// Prints the URL on standard output once it listens. With `--until-stdin-closes` it ends when its standard input does,
/// so that a script that started it need not find and stop it: the server goes when the script's end of the pipe goes.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <thread>

#include "support/http/file_server.hpp"

int main(int argc, char** argv) {
  CLI::App app("Serves a folder on 127.0.0.1 and prints the URL");
  std::string folder;
  std::uint16_t port = 0;
  bool until_stdin_closes = false;
  app.add_option("FOLDER", folder, "what to serve")->required();
  app.add_option("--port", port, "0 picks a free one")->capture_default_str();
  app.add_flag("--until-stdin-closes", until_stdin_closes, "end when standard input does");
  CLI11_PARSE(app, argc, argv);
  try {
    quarry::test::FileServer server(folder, port);
    std::cout << "http://127.0.0.1:" << server.port() << "/" << std::endl;
    std::thread watcher;
    if (until_stdin_closes)
      watcher = std::thread([&server] {
        char ignored[256];
        while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
        }
        server.stop();
      });
    server.run();
    if (watcher.joinable()) watcher.join();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "quarry-serve-files: " << error.what() << '\n';
    return 1;
  }
}
