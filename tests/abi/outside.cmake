# SPDX-License-Identifier: Apache-2.0
#
# cmake -DCASE= -DSOURCE= -DBUILD= -DPREFIX= -DGENERATOR= -DCOMPILER= [-DSENTENCE=] -P outside.cmake
#
# Configures and builds a project outside Trainyard's tree. Without SENTENCE it has to succeed and leave a package behind;
# with SENTENCE it has to fail and say so.
file(REMOVE_RECURSE ${BUILD})
execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G ${GENERATOR} -DCASE=${CASE} -DCMAKE_PREFIX_PATH=${PREFIX}
    -DCMAKE_CXX_COMPILER=${COMPILER}
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(result EQUAL 0)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD}
    OUTPUT_VARIABLE built ERROR_VARIABLE built RESULT_VARIABLE result)
  string(APPEND output "${built}")
endif()

if(SENTENCE)
  string(REGEX REPLACE "[ \n]+" " " line "${output}")
  string(FIND "${line}" "${SENTENCE}" place)
  if(result EQUAL 0 OR place EQUAL -1)
    message(FATAL_ERROR "expected a failure that says: ${SENTENCE}\n${output}")
  endif()
  return()
endif()

if(NOT result EQUAL 0)
  message(FATAL_ERROR "${output}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -E tar tf ${BUILD}/outside.zip OUTPUT_VARIABLE members COMMAND_ERROR_IS_FATAL ANY)
if(NOT members STREQUAL "outside/package.json\noutside/data/words.txt\noutside/liboutside.so\n")
  message(FATAL_ERROR "outside.zip has other members than expected:\n${members}")
endif()
foreach(file package.json data/words.txt liboutside.so)
  if(NOT EXISTS ${BUILD}/outside/${file})
    message(FATAL_ERROR "the staged folder lacks ${file}")
  endif()
endforeach()
