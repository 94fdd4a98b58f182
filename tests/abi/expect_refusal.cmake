# SPDX-License-Identifier: Apache-2.0
#
# cmake -DSENTENCE=<text> -P expect_refusal.cmake -- <command>...
#
# Passes when the command fails with exactly one compiler error, and that error has the sentence.
set(command)
set(behind_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(behind_dashes)
    list(APPEND command ${CMAKE_ARGV${i}})
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(behind_dashes TRUE)
  endif()
endforeach()

execute_process(COMMAND ${command} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(result EQUAL 0)
  message(FATAL_ERROR "compiled, but should have been refused with: ${SENTENCE}")
endif()
string(FIND "${output}" "${SENTENCE}" place)
string(REGEX MATCHALL " error: " errors "${output}")
list(LENGTH errors count)
if(place EQUAL -1 OR NOT count EQUAL 1)
  message(FATAL_ERROR "expected one error that says: ${SENTENCE}\nThe compiler said:\n${output}")
endif()
