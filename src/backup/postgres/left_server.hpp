#pragma once
/// A server that has outlived the program that had started it in a scratch folder.

#include <filesystem>

namespace quarry::backup::postgres {

/// Ends the PostgreSQL server whose files lie in `data`, if one runs, and waits for its end: at once by SIGQUIT, after five
/// seconds by SIGKILL. A process that has its number by chance and does not work in that folder is left alone. Never fails.
void stop_left_server(const std::filesystem::path& data) noexcept;

}  // namespace quarry::backup::postgres
