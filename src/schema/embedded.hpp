#pragma once
/// The SQL files that the build puts into the binary (cmake/embed.cmake).

#include <span>
#include <string_view>

namespace quarry::schema {

struct EmbeddedFile {
  std::string_view path;
  std::string_view text;
  std::string_view sha256;  ///< as CMake computed it, so that a text mangled on its way is noticed
};

std::span<const EmbeddedFile> embedded_migrations();
EmbeddedFile embedded_sqlite_schema();
EmbeddedFile embedded_postgres_schema();

}  // namespace quarry::schema
