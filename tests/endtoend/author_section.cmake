# SPDX-License-Identifier: Apache-2.0
# The README's section "Write a package", done word for word by author_section.py.
add_test(NAME "endtoend: author section" COMMAND ${TRAINYARD_SYSTEM_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/author_section.py
  ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_BINARY_DIR} $<TARGET_FILE:trainyard>)
set_tests_properties("endtoend: author section" PROPERTIES ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1" TIMEOUT 300)
