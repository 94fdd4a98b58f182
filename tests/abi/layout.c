/* SPDX-License-Identifier: Apache-2.0
 *
 * The binary contract in numbers, for 64-bit Linux: what is asserted here is what packages in the field were compiled
 * with. A new field adds lines and changes the size of its table; no line ever changes. Compiled as every C and C++
 * from C99 and C++11 on, so it uses nothing newer.
 */
#include <stddef.h>
#include <trainyard/abi.h>

#define MUST(name, truth) typedef char must_##name[(truth) ? 1 : -1]
#define FIELD(type, field, offset, bytes) \
  MUST(type##_##field, offsetof(type, field) == (offset) && sizeof(((type*)0)->field) == (bytes))

MUST(be_lp64, sizeof(void*) == 8 && sizeof(long) == 8);

FIELD(trainyard_text, data, 0, 8);
FIELD(trainyard_text, size, 8, 8);
MUST(text_size, sizeof(trainyard_text) == 16);

FIELD(trainyard_value, type, 0, 4);
FIELD(trainyard_value, boolean, 4, 4);
FIELD(trainyard_value, integer, 8, 8);
FIELD(trainyard_value, number, 16, 8);
FIELD(trainyard_value, text, 24, 16);
MUST(value_size, sizeof(trainyard_value) == 40);

FIELD(trainyard_host, struct_size, 0, 4);
FIELD(trainyard_host, minor, 4, 4);
FIELD(trainyard_host, self, 8, 8);
FIELD(trainyard_host, log, 16, 8);
FIELD(trainyard_host, metric, 24, 8);
FIELD(trainyard_host, progress, 32, 8);
FIELD(trainyard_host, cancelled, 40, 8);
FIELD(trainyard_host, explain, 48, 8);
FIELD(trainyard_host, parameter, 56, 8);
FIELD(trainyard_host, directory, 64, 8);
FIELD(trainyard_host, extension, 72, 8);
MUST(host_size, sizeof(trainyard_host) == 80);

FIELD(trainyard_package, struct_size, 0, 4);
FIELD(trainyard_package, minor, 4, 4);
FIELD(trainyard_package, builder, 8, 8);
FIELD(trainyard_package, create, 16, 8);
FIELD(trainyard_package, destroy, 24, 8);
FIELD(trainyard_package, train, 32, 8);
FIELD(trainyard_package, save, 40, 8);
FIELD(trainyard_package, evaluate, 48, 8);
FIELD(trainyard_package, process_data, 56, 8);
FIELD(trainyard_package, predict, 64, 8);
MUST(package_size, sizeof(trainyard_package) == 72);

MUST(status_type, sizeof(trainyard_status) == 4 && (trainyard_status)-1 < 0);
MUST(status_ok, TRAINYARD_OK == 0);
MUST(status_cancelled, TRAINYARD_CANCELLED == 1);
MUST(status_invalid_input, TRAINYARD_INVALID_INPUT == 2);
MUST(status_failed, TRAINYARD_FAILED == 3);
MUST(status_bug, TRAINYARD_BUG == 4);
MUST(status_out_of_memory, TRAINYARD_OUT_OF_MEMORY == 5);

MUST(level_type, sizeof(trainyard_level) == 4 && (trainyard_level)-1 < 0);
MUST(level_debug, TRAINYARD_DEBUG == 0);
MUST(level_info, TRAINYARD_INFO == 1);
MUST(level_warning, TRAINYARD_WARNING == 2);
MUST(level_error, TRAINYARD_ERROR == 3);

MUST(type_string, TRAINYARD_STRING == 1);
MUST(type_integer, TRAINYARD_INTEGER == 2);
MUST(type_float, TRAINYARD_FLOAT == 3);
MUST(type_boolean, TRAINYARD_BOOLEAN == 4);

MUST(major, TRAINYARD_ABI_MAJOR == 1);
