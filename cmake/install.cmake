# What `cmake --install` gives: headers, libquarry.a, the program, and what find_package(quarry) and pkg-config need.
#
# libquarry.a is a static archive, so its users link what it needs. They find it where we have found it: by the same names, which
# quarryConfig.cmake makes anew on their machine.
include(CMakePackageConfigHelpers)

if(NOT TARGET quarry_modest)
  add_library(quarry_modest UNKNOWN IMPORTED)  # its own package brings a CMake file that names static and shared in one
  set_target_properties(quarry_modest PROPERTIES IMPORTED_LOCATION ${MODEST_LIBRARY}
                                                 INTERFACE_INCLUDE_DIRECTORIES ${MODEST_INCLUDE_DIR})
endif()
target_link_libraries(quarry PRIVATE PkgConfig::libpq PkgConfig::sqlite3 PkgConfig::sodium PkgConfig::crypt PkgConfig::curl PkgConfig::zstd
                                     spdlog::spdlog quarry_modest)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quarry)
install(TARGETS quarry EXPORT quarry ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/quarry DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.hpp)
install(EXPORT quarry FILE quarryTargets.cmake NAMESPACE quarry:: DESTINATION ${package_dir})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md)
if(TARGET quarry-cli)
  install(TARGETS quarry-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(cmake/quarryConfig.cmake.in ${PROJECT_BINARY_DIR}/package/quarryConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# Before 1.0 a new minor version may break its users.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/quarryConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/quarryConfig.cmake ${PROJECT_BINARY_DIR}/package/quarryConfigVersion.cmake
        DESTINATION ${package_dir})

configure_file(cmake/quarry.pc.in ${PROJECT_BINARY_DIR}/package/quarry.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/package/quarry.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY packaging DESTINATION ${CMAKE_INSTALL_DATADIR}/quarry)
