// SPDX-License-Identifier: Apache-2.0
// A shared library like any other: it exports something, but not the entry of a package.
extern "C" __attribute__((visibility("default"))) int trainyard_test_answer();

int trainyard_test_answer() { return 42; }
