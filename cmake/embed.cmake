# Puts the SQL of schema/ and migrations/ into the library, with SHA-256 checksums.
#
# Included, it defines quarry_embed_sql(OUTPUT): a build step that makes OUTPUT anew whenever one of the files changes.
# Run as a script (cmake -D SOURCE=... -D OUTPUT=... -P embed.cmake) it is that step.

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(QUARRY_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE} CACHE INTERNAL "")
  function(quarry_embed_sql output)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/migrations/*.sql ${PROJECT_SOURCE_DIR}/schema/*.sql)
    add_custom_command(
      OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR} -D OUTPUT=${output} -P ${QUARRY_EMBED_SCRIPT}
      DEPENDS ${files} ${QUARRY_EMBED_SCRIPT}
      COMMENT "Embedding the schema and the migrations"
      VERBATIM)
  endfunction()
  return()
endif()

# Appends one file as an initializer {path, text, checksum} to the variable `code`.
function(append_file path name)
  set(text "")
  set(hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855)
  if(EXISTS ${path})
    file(READ ${path} text)
    file(SHA256 ${path} hash)
  endif()
  string(APPEND code "{\"${name}\", R\"__quarry__(${text})__quarry__\"sv, \"${hash}\"}")
  set(code "${code}" PARENT_SCOPE)
endfunction()

set(code "// Generated from schema/ and migrations/ by cmake/embed.cmake.
#include \"schema/embedded.hpp\"

// The standard asks compilers for 65,536 characters; both of ours take as many as there are.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \"-Woverlength-strings\"

namespace quarry::schema {
using namespace std::string_view_literals;

namespace {
// The last one is there so that the array is never empty.
constexpr EmbeddedFile files[] = {
")
file(GLOB_RECURSE migrations RELATIVE ${SOURCE}/migrations ${SOURCE}/migrations/*.sql)
foreach(migration IN LISTS migrations)
  append_file(${SOURCE}/migrations/${migration} ${migration})
  string(APPEND code ",\n")
endforeach()
string(APPEND code "{}};
}  // namespace

std::span<const EmbeddedFile> embedded_migrations() { return std::span(files).first(std::size(files) - 1); }
EmbeddedFile embedded_sqlite_schema() {
  return ")
append_file(${SOURCE}/schema/sqlite.sql schema/sqlite.sql)
string(APPEND code ";
}
EmbeddedFile embedded_postgres_schema() {
  return ")
append_file(${SOURCE}/schema/postgres.sql schema/postgres.sql)
string(APPEND code ";
}

}  // namespace quarry::schema

#pragma GCC diagnostic pop
")
file(WRITE ${OUTPUT} "${code}")
