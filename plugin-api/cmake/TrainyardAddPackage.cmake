# SPDX-License-Identifier: Apache-2.0
#
# How a package is built. Works the same inside Trainyard's own tree and after find_package(Trainyard CONFIG).
include_guard(GLOBAL)

# trainyard_add_package(<name> [DISTRIBUTED] SOURCES <file>... [MANIFEST <file>] [FILES <file>...] [FOLDER <dir>])
#
# Builds the native package <name>: the target <name>, a library lib<name>.so with every flag that a package needs, and
# from it a staged folder and a zip as trainyard_stage_package() makes them. Add include folders and libraries to the
# target as usual; a shared library of your own travels along in FILES, because packages look for libraries only beside
# themselves.
#
#   SOURCES   C++20 or C sources; one of them has TRAINYARD_PACKAGE(Class).
#   MANIFEST  the manifest, by default package.json beside the CMakeLists.txt. Its "library" must be lib<name>.so.
#   FILES     what else belongs into the package, such as a model to start with.
#   FOLDER    where the staged folder and the zip appear; by default CMAKE_CURRENT_BINARY_DIR.
#   DISTRIBUTED  the package includes <trainyard/distributed.hpp>, which takes Gloo: Debian calls it libgloo-dev, and the
#             machines that train need libgloo0.
function(trainyard_add_package name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "DISTRIBUTED" "MANIFEST;FOLDER" "SOURCES;FILES")
  _trainyard_complain_about_arguments(trainyard_add_package "${arg_UNPARSED_ARGUMENTS}" "${arg_KEYWORDS_MISSING_VALUES}")
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "trainyard_add_package(${name}) has no SOURCES")
  endif()
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    message(FATAL_ERROR "trainyard_add_package(${name}): native packages are built for Linux, not for ${CMAKE_SYSTEM_NAME}")
  endif()
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
  if(arg_DISTRIBUTED)
    trainyard_find_gloo()
    if(NOT TRAINYARD_GLOO OR NOT TRAINYARD_GLOO_INCLUDE)
      message(FATAL_ERROR "trainyard_add_package(${name}): DISTRIBUTED needs Gloo, which is not here; install libgloo-dev")
    endif()
  endif()

  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE Trainyard::plugin-api)
  target_compile_features(${name} PRIVATE cxx_std_20)
  # GNU_UNIQUE symbols would be shared between packages and pin the library; hidden ones cannot clash with the host's.
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  set_target_properties(${name} PROPERTIES
    OUTPUT_NAME ${name} PREFIX lib SUFFIX .so DEBUG_POSTFIX ""
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    BUILD_WITH_INSTALL_RPATH ON
    INSTALL_RPATH $ORIGIN
    INSTALL_RPATH_USE_LINK_PATH OFF
    LINK_DEPENDS ${here}/trainyard_package.map)
  target_link_options(${name} PRIVATE -Wl,-z,now "LINKER:--version-script=${here}/trainyard_package.map")
  # A missing symbol is an error here and not on the machine that trains; only a sanitizer's symbols come with the host.
  get_directory_property(options COMPILE_OPTIONS)
  string(TOUPPER "CMAKE_CXX_FLAGS_${CMAKE_BUILD_TYPE}" flags_of_build_type)
  if(NOT "${CMAKE_CXX_FLAGS} ${${flags_of_build_type}} ${options}" MATCHES "-fsanitize")
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  add_custom_command(TARGET ${name} POST_BUILD VERBATIM
    COMMAND ${CMAKE_COMMAND} -DLIBRARY=$<TARGET_FILE:${name}> -DNM=${CMAKE_NM} -P ${here}/TrainyardCheckExports.cmake)

  if(arg_DISTRIBUTED)
    target_include_directories(${name} SYSTEM PRIVATE ${TRAINYARD_GLOO_INCLUDE})
    target_link_libraries(${name} PRIVATE ${TRAINYARD_GLOO})
  endif()

  trainyard_stage_package(${name} LIBRARY ${name} MANIFEST "${arg_MANIFEST}" FILES ${arg_FILES} FOLDER "${arg_FOLDER}")
endfunction()

# Sets TRAINYARD_GLOO and TRAINYARD_GLOO_INCLUDE, which are false where there is no Gloo: for who builds a distributed
# package only where that works.
function(trainyard_find_gloo)
  # The configuration that comes with Gloo names no include folder in every version.
  find_library(TRAINYARD_GLOO gloo)
  find_path(TRAINYARD_GLOO_INCLUDE gloo/rendezvous/context.h)
  mark_as_advanced(TRAINYARD_GLOO TRAINYARD_GLOO_INCLUDE)
endfunction()

# trainyard_stage_package(<name> [LIBRARY <target>] [MANIFEST <file>] [FILES <file>...] [FOLDER <dir>])
#
# Makes, as part of the build, the folder <dir>/<name>/ with package.json, the library of the target and FILES, and the zip
# <dir>/<name>.zip with that folder as its one root. FILES below the manifest's folder keep their place relative to it,
# others land beside the manifest. The target <name>_zip builds it; its properties TRAINYARD_PACKAGE_FOLDER and
# TRAINYARD_PACKAGE_ZIP say where it is. Does not need Trainyard's programs.
function(trainyard_stage_package name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LIBRARY;MANIFEST;FOLDER" "FILES")
  _trainyard_complain_about_arguments(trainyard_stage_package "${arg_UNPARSED_ARGUMENTS}" "")
  if(NOT name MATCHES "^[A-Za-z][A-Za-z0-9_-]*$")
    message(FATAL_ERROR "'${name}' is no package name: it is a letter followed by letters, digits, _ and -")
  endif()
  if(NOT arg_MANIFEST)
    set(arg_MANIFEST package.json)
  endif()
  if(NOT arg_FOLDER)
    set(arg_FOLDER ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  get_filename_component(manifest ${arg_MANIFEST} ABSOLUTE)
  get_filename_component(manifest_folder ${manifest} DIRECTORY)
  get_filename_component(folder ${arg_FOLDER} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_BINARY_DIR})
  _trainyard_check_manifest(${name} ${manifest} "${arg_LIBRARY}")

  set(staged ${folder}/${name})
  set(zip ${folder}/${name}.zip)
  set(sources ${manifest})
  set(copies COMMAND ${CMAKE_COMMAND} -E copy ${manifest} ${staged}/package.json)
  set(members ${name}/package.json)
  foreach(file IN LISTS arg_FILES)
    get_filename_component(source ${file} ABSOLUTE)
    file(RELATIVE_PATH place ${manifest_folder} ${source})
    if(place MATCHES "^\\.\\./")
      get_filename_component(place ${source} NAME)
    endif()
    get_filename_component(parent ${staged}/${place} DIRECTORY)
    list(APPEND sources ${source})
    list(APPEND copies COMMAND ${CMAKE_COMMAND} -E make_directory ${parent})
    list(APPEND copies COMMAND ${CMAKE_COMMAND} -E copy ${source} ${staged}/${place})
    list(APPEND members ${name}/${place})
  endforeach()
  if(arg_LIBRARY)
    list(APPEND sources ${arg_LIBRARY} $<TARGET_FILE:${arg_LIBRARY}>)
    list(APPEND copies COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:${arg_LIBRARY}> ${staged})
    list(APPEND members ${name}/$<TARGET_FILE_NAME:${arg_LIBRARY}>)
  endif()

  # One fixed order and time, so that a zip changes only with its members (and their access times, which zip keeps too).
  add_custom_command(OUTPUT ${zip} DEPENDS ${sources} VERBATIM COMMENT "Packing ${name}.zip"
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${staged} ${zip}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${staged}
    ${copies}
    COMMAND ${CMAKE_COMMAND} -E chdir ${folder} ${CMAKE_COMMAND} -E env TZ=UTC0
      ${CMAKE_COMMAND} -E tar cf ${zip} --format=zip --mtime=1980-01-01 ${members})
  add_custom_target(${name}_zip ALL DEPENDS ${zip})
  set_target_properties(${name}_zip PROPERTIES TRAINYARD_PACKAGE_FOLDER ${staged} TRAINYARD_PACKAGE_ZIP ${zip})
endfunction()

# The mistakes that would otherwise show only when the package is added to a store.
function(_trainyard_check_manifest name manifest library)
  if(NOT EXISTS ${manifest})
    message(FATAL_ERROR "package '${name}' has no manifest: ${manifest} does not exist. "
      "Write it, or name it with MANIFEST.")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${manifest})
  file(READ ${manifest} json)
  string(JSON manifest_name ERROR_VARIABLE error GET "${json}" name)
  if(error)
    message(FATAL_ERROR "${manifest} is no manifest: ${error}")
  endif()
  if(NOT manifest_name STREQUAL name)
    message(FATAL_ERROR "${manifest} says \"name\": \"${manifest_name}\", but the package is built as '${name}'")
  endif()
  if(library)
    string(JSON manifest_library ERROR_VARIABLE error GET "${json}" library)
    if(NOT manifest_library STREQUAL "lib${library}.so")
      message(FATAL_ERROR "${manifest} says \"library\": \"${manifest_library}\", "
        "but the library is built as lib${library}.so")
    endif()
  endif()
endfunction()

function(_trainyard_complain_about_arguments function unknown empty)
  if(unknown)
    message(FATAL_ERROR "${function} does not know the arguments: ${unknown}")
  endif()
  if(empty)
    message(FATAL_ERROR "${function} got no value after: ${empty}")
  endif()
endfunction()
