#pragma once
/// One migration file, read: directives, statements, and the rules that a script must keep.

#include "quarry/schema/migration.hpp"

namespace quarry::schema {

/// Throws `MigrationError` (bad_set) with the path and the line.
Script read_script(Engine engine, Direction direction, std::string path, std::string text);

}  // namespace quarry::schema
