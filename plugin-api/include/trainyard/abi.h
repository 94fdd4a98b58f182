/* SPDX-License-Identifier: Apache-2.0
 *
 * The binary contract between Trainyard and a native package.
 *
 * A package is a shared library that exports ONE constant, `trainyard_package_v1`: a table of functions. Trainyard
 * hands it a second table, `trainyard_host`. Nothing else crosses the border: no C++ type, no exception, no allocator.
 * Authors who write C++20 do not use this file; they include <trainyard/package.hpp>, which is compiled into the
 * package and fills the table.
 *
 * Conventions
 *   1. Both tables begin with `struct_size` and `minor`, as their owner compiled them. Fields are only ever appended.
 *      A reader never looks past the other side's `struct_size`, and an appended field may be null. Neither side
 *      demands the newest minor. A change that is not an append is a new symbol, `trainyard_package_v2`. The small
 *      structs that are passed by value or filled in, trainyard_text and trainyard_value, never change.
 *   2. Text is pointer and length, UTF-8, not terminated, borrowed for the duration of the call.
 *   3. Whoever allocates, frees.
 *   4. No exception and no longjmp may leave a function of either table.
 *   5. Trainyard calls the package from one thread, one call at a time, in the order
 *      create, [process_data], [train, save], [evaluate], [predict]..., destroy. One package lives in one process;
 *      the library is never unloaded, and `destroy` is skipped when the process ends for another reason.
 *   6. The package may call the host from any thread between the entry of `create` and the return of `destroy`. Host
 *      functions copy what they are given and cannot fail.
 *
 * Compiles as C99 and later and as C++11 and later.
 */
#ifndef TRAINYARD_ABI_H
#define TRAINYARD_ABI_H

/* clang-format off: it takes TRAINYARD_NOEXCEPT for a name. */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRAINYARD_ABI_MAJOR 1
#define TRAINYARD_ABI_MINOR 0

/* C++17 and later: the type of a table entry says that it does not throw, so the compiler checks rule 4. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define TRAINYARD_NOEXCEPT noexcept
#else
#define TRAINYARD_NOEXCEPT
#endif

typedef struct trainyard_text {
  const char* data; /* may be null when size is 0 */
  uint64_t size;    /* bytes */
} trainyard_text;

/* What a call of the package returns. Any value not listed reads as TRAINYARD_BUG. */
typedef int32_t trainyard_status;
#define TRAINYARD_OK 0
#define TRAINYARD_CANCELLED 1     /* the call ended early because cancelled() said so */
#define TRAINYARD_INVALID_INPUT 2 /* the data or a parameter is unusable: the user's mistake, never retried */
#define TRAINYARD_FAILED 3        /* the call could not do its work */
#define TRAINYARD_BUG 4           /* the package met a state it holds to be impossible */
#define TRAINYARD_OUT_OF_MEMORY 5

typedef int32_t trainyard_level;
#define TRAINYARD_DEBUG 0
#define TRAINYARD_INFO 1
#define TRAINYARD_WARNING 2
#define TRAINYARD_ERROR 3

/* A typed parameter of the run. `type` says which of the fields holds the value; the others are zero. */
typedef struct trainyard_value {
  uint32_t type;
  uint32_t boolean;    /* 0 or 1 */
  int64_t integer;
  double number;       /* for TRAINYARD_INTEGER also the same value as a double */
  trainyard_text text; /* the value as text, for every type; lives as long as the host */
} trainyard_value;
#define TRAINYARD_STRING 1
#define TRAINYARD_INTEGER 2
#define TRAINYARD_FLOAT 3
#define TRAINYARD_BOOLEAN 4

/* The powers that Trainyard gives to a package. Lives from before `create` until after `destroy`. Every function takes
 * the table's own `self` first. Read-only for the package. */
typedef struct trainyard_host {
  uint32_t struct_size;
  uint32_t minor;
  void* self;

  /* One message for the run's log. */
  void (*log)(void* self, trainyard_level level, trainyard_text text) TRAINYARD_NOEXCEPT;

  /* One measurement. `name` matches [\w-]{1,64}, `step` is 0 or more; others are dropped with a warning in the log. */
  void (*metric)(void* self, trainyard_text name, int64_t step, double value) TRAINYARD_NOEXCEPT;

  /* How far the current call is: `fraction` from 0 to 1, `note` is a few words or empty. */
  void (*progress)(void* self, double fraction, trainyard_text note) TRAINYARD_NOEXCEPT;

  /* 1 once the run is asked to stop. The package then saves nothing more and returns TRAINYARD_CANCELLED soon. Cheap:
   * may be asked in an inner loop. */
  uint32_t (*cancelled)(void* self) TRAINYARD_NOEXCEPT;

  /* Why the status that this call is about to return is not TRAINYARD_OK. The last explanation counts. */
  void (*explain)(void* self, trainyard_text reason) TRAINYARD_NOEXCEPT;

  /* Fills *value and returns 1 when the run has a parameter of this name, else returns 0 and leaves *value alone. */
  uint32_t (*parameter)(void* self, trainyard_text name, trainyard_value* value) TRAINYARD_NOEXCEPT;

  /* The absolute path of a folder of the run: "package" (the private copy that becomes the new version, also the
   * working directory), "artifacts", "data", "training_data", "test_data", "checkpoint" (what one attempt of the run
   * leaves there, the next one finds). Returns 0 when the run has no such folder. The text lives as long as the host. */
  uint32_t (*directory)(void* self, trainyard_text name, trainyard_text* path) TRAINYARD_NOEXCEPT;

  /* A later power by its identifier, or null. */
  const void* (*extension)(void* self, trainyard_text id) TRAINYARD_NOEXCEPT;
} trainyard_host;

/* Receives the answer of `predict`; may be called once, before `predict` returns. */
typedef void (*trainyard_answer)(void* receiver, trainyard_text answer) TRAINYARD_NOEXCEPT;

/* What a package can do. */
typedef struct trainyard_package {
  uint32_t struct_size;
  uint32_t minor;

  /* Who compiled the package: compiler and kit in a few words, terminated by NUL; static. Kept with a version. */
  const char* builder;

  /* Required. Makes the object that the other functions get as `self`, and loads the current model from the package
   * folder. On any status but TRAINYARD_OK nothing was made and `destroy` is not called. */
  trainyard_status (*create)(const trainyard_host* host, void** self) TRAINYARD_NOEXCEPT;

  /* Required. */
  void (*destroy)(void* self) TRAINYARD_NOEXCEPT;

  /* Null when the package cannot be trained; then `save` is null too. `directory` is an absolute path. */
  trainyard_status (*train)(void* self, trainyard_text directory) TRAINYARD_NOEXCEPT;

  /* Called after every `train`: writes the model into the package folder. */
  trainyard_status (*save)(void* self) TRAINYARD_NOEXCEPT;

  /* May be null. Stores one finite number in *score. */
  trainyard_status (*evaluate)(void* self, trainyard_text directory, double* score) TRAINYARD_NOEXCEPT;

  /* May be null. Turns the input dataset into `training_data` and `test_data`. */
  trainyard_status (*process_data)(void* self, trainyard_text directory) TRAINYARD_NOEXCEPT;

  /* May be null. */
  trainyard_status (*predict)(void* self, trainyard_text input, trainyard_answer answer,
                              void* receiver) TRAINYARD_NOEXCEPT;
} trainyard_package;

#if defined(__GNUC__)
#define TRAINYARD_EXPORT __attribute__((visibility("default")))
#else
#define TRAINYARD_EXPORT
#endif

/* The one symbol that a package exports. A constant: reading it runs no code of the package. */
extern TRAINYARD_EXPORT const trainyard_package trainyard_package_v1;

#ifdef __cplusplus
}
#endif

#endif
