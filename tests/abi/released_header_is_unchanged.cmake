# SPDX-License-Identifier: Apache-2.0
#
# cmake -DCURRENT=<abi.h> -DFROZEN=<folder of released headers> -P released_header_is_unchanged.cmake
#
# A contract that was released never changes: abi.h of minor N is the frozen copy of N, but for comments and white space.
# A minor without a frozen copy is one in the making.
function(read_code file variable)
  file(READ ${file} text)
  string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" " " text "${text}")
  string(REGEX REPLACE "[ \t\r\n]+" " " text "${text}")
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

read_code(${CURRENT} current)
if(NOT current MATCHES "#define TRAINYARD_ABI_MAJOR ([0-9]+) #define TRAINYARD_ABI_MINOR ([0-9]+)")
  message(FATAL_ERROR "${CURRENT} does not define TRAINYARD_ABI_MAJOR and TRAINYARD_ABI_MINOR")
endif()
set(release ${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
if(NOT EXISTS ${FROZEN}/${release}/trainyard/abi.h)
  message(STATUS "${release} is not released; there is nothing to compare with")
  return()
endif()

read_code(${FROZEN}/${release}/trainyard/abi.h frozen)
if(NOT current STREQUAL frozen)
  math(EXPR next "${CMAKE_MATCH_2} + 1")
  message(FATAL_ERROR "${CURRENT} is no longer the contract that was released as ${release}. Packages in the field were "
    "compiled with ${FROZEN}/${release}. Take the change back, or append fields only, set TRAINYARD_ABI_MINOR to ${next}, "
    "extend layout.c, and freeze a copy when it is released.")
endif()
