# SPDX-License-Identifier: Apache-2.0
# What documents tell authors to do, done word for word by followed_document.py.
function(trainyard_follow name document section)
  add_test(NAME "endtoend: ${name}" COMMAND ${TRAINYARD_SYSTEM_PYTHON}
    ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/followed_document.py ${PROJECT_SOURCE_DIR}/${document} "${section}"
    ${PROJECT_BINARY_DIR} $<TARGET_FILE:trainyard>)
  set_tests_properties("endtoend: ${name}" PROPERTIES ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1" TIMEOUT 300)
endfunction()

trainyard_follow("README, write a package" README.md "## Write a package")
trainyard_follow("docs/ai-center.md" docs/ai-center.md "")
trainyard_follow("docs/argo.md" docs/argo.md "## Write one")
trainyard_follow("docs/what-your-code-sees.md" docs/what-your-code-sees.md "")

add_test(NAME "endtoend: VERIFY.md of a capsule" COMMAND ${TRAINYARD_SYSTEM_PYTHON}
  ${CMAKE_CURRENT_LIST_DIR}/followed_capsule.py $<TARGET_FILE:trainyard> ${TRAINYARD_TEST_PACKAGES_DIR}/counts.zip
  ${PROJECT_SOURCE_DIR}/tests/golden/check_schemas.py)
set_tests_properties("endtoend: VERIFY.md of a capsule" PROPERTIES ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1" TIMEOUT 300)
