# quarry_part(NAME SOURCES ... [DEPENDS parts ...] [LIBRARIES targets ...])
#
# One folder of src/ as a static library of its own, so that a test links no more than what it tests. The installed library is
# all of them in one archive (src/CMakeLists.txt).
add_library(quarry_flags INTERFACE)
target_compile_options(quarry_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
  -Wnull-dereference -Wimplicit-fallthrough)
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(quarry_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees ghosts in inlined standard library code with these (GCC 105329, 105651, 105937).
  target_compile_options(quarry_flags INTERFACE -Wno-restrict -Wno-null-dereference -Wno-maybe-uninitialized
                         -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-dangling-pointer)
endif()
if(CMAKE_UNITY_BUILD)
  # Where several files are one, a file's private names lie about its neighbours'. The dev preset compiles each by itself, with these on.
  target_compile_options(quarry_flags INTERFACE -Wno-shadow $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
endif()
if(MOLD AND PROJECT_IS_TOP_LEVEL)
  target_link_options(quarry_flags INTERFACE -fuse-ld=mold)
endif()
if(QUARRY_SANITIZE STREQUAL "address")
  # At a fixed address: four million relocations are a third of the time of a short command, and the tests run thousands of them.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -fno-pie)
  add_link_options(-fsanitize=address,undefined -no-pie)
elseif(QUARRY_SANITIZE STREQUAL "thread")
  # It does not follow the fences in Asio's headers, and says so; what they guard is guarded by mutexes as well.
  add_compile_options(-fsanitize=thread $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-tsan>)
  add_link_options(-fsanitize=thread)
elseif(QUARRY_SANITIZE)
  message(FATAL_ERROR "QUARRY_SANITIZE is '${QUARRY_SANITIZE}': leave it empty, or say address or thread")
endif()

function(quarry_part name)
  cmake_parse_arguments(PART "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(quarry_${name} STATIC ${PART_SOURCES})
  target_include_directories(quarry_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM PART_DEPENDS PREPEND quarry_)
  target_link_libraries(quarry_${name} PUBLIC ${PART_DEPENDS} Boost::headers fmt::fmt PRIVATE ${PART_LIBRARIES} quarry_flags)
  set_property(GLOBAL APPEND PROPERTY quarry_parts quarry_${name})
endfunction()
