#pragma once
/// Ends a private server when its owner is gone, however the owner went: a test that ctest kills at its time limit runs no
/// destructor.

#include <sys/types.h>

#include <filesystem>

namespace quarry::test {

/// Looks once a second, from a session of its own, whether the process `owner` still runs. When it does not, it ends the
/// PostgreSQL server in `folder` and removes `folder`. Stops by itself when `folder` is gone.
void watch_cluster(const std::filesystem::path& folder, pid_t owner);

}  // namespace quarry::test
