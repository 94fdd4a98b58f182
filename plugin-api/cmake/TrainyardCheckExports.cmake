# SPDX-License-Identifier: Apache-2.0
#
# cmake -DLIBRARY=<file> -DNM=<nm> -P TrainyardCheckExports.cmake
#
# Fails when the library exports anything but the one entry symbol. The failing library is removed, so that the next
# build links and checks it again.
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE table RESULT_VARIABLE result ERROR_VARIABLE error)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${NM} cannot list the exports of ${LIBRARY}: ${error}")
endif()

string(REGEX MATCHALL "[^ \n]+\n" exports "${table}")
string(REPLACE "\n" "" exports "${exports}")
if(exports STREQUAL "trainyard_package_v1")
  return()
endif()

file(REMOVE ${LIBRARY})
if(exports STREQUAL "")
  message(FATAL_ERROR "${LIBRARY} does not export trainyard_package_v1. "
    "Write TRAINYARD_PACKAGE(YourClass) once, in one of its source files.")
endif()
list(JOIN exports ", " exports)
message(FATAL_ERROR "${LIBRARY} must export trainyard_package_v1 and nothing else; it exports ${exports}.")
