/* SPDX-License-Identifier: Apache-2.0
 *
 * A package written by hand, in C, without a header, against a contract whose tables ended earlier: the package's at
 * `save`, the host's at `directory`. Behind its table lies poison: whoever reads past struct_size and calls what he
 * finds dies.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
  const char* data;
  uint64_t size;
};

struct host {
  uint32_t struct_size;
  uint32_t minor;
  void* self;
  void (*log)(void* self, int32_t level, struct text message);
  void (*metric)(void* self, struct text name, int64_t step, double value);
  void (*progress)(void* self, double fraction, struct text note);
  uint32_t (*cancelled)(void* self);
  void (*explain)(void* self, struct text reason);
  uint32_t (*parameter)(void* self, struct text name, void* value);
  uint32_t (*directory)(void* self, struct text name, struct text* path);
};

enum { OK = 0, FAILED = 3 };

struct counter {
  const struct host* host;
  long trainings;
};

static struct text text_of(const char* words) {
  struct text result = {words, strlen(words)};
  return result;
}

static FILE* open_model(const struct host* host, const char* mode) {
  struct text folder;
  char path[4096];
  if (!host->directory(host->self, text_of("package"), &folder) || folder.size + sizeof "/model.txt" > sizeof path)
    return NULL;
  memcpy(path, folder.data, folder.size);
  strcpy(path + folder.size, "/model.txt");
  return fopen(path, mode);
}

static int32_t create(const struct host* host, void** self) {
  FILE* model;
  struct counter* counter = malloc(sizeof *counter);
  if (!counter) return FAILED;
  counter->host = host;
  counter->trainings = 0;
  model = open_model(host, "r");
  if (model) {
    if (fscanf(model, "%ld", &counter->trainings) != 1) counter->trainings = 0;
    fclose(model);
  }
  *self = counter;
  return OK;
}

static void destroy(void* self) { free(self); }

static int32_t train(void* self, struct text directory) {
  struct counter* counter = self;
  (void)directory;
  ++counter->trainings;
  counter->host->metric(counter->host->self, text_of("trainings"), 1, (double)counter->trainings);
  return OK;
}

static int32_t save(void* self) {
  const struct counter* counter = self;
  FILE* model = open_model(counter->host, "w");
  if (!model || fprintf(model, "%ld\n", counter->trainings) < 0 || fclose(model) != 0) {
    counter->host->explain(counter->host->self, text_of("save: cannot write model.txt"));
    return FAILED;
  }
  return OK;
}

static void poison(void) { abort(); }

struct package {
  uint32_t struct_size;
  uint32_t minor;
  const char* builder;
  int32_t (*create)(const struct host* host, void** self);
  void (*destroy)(void* self);
  int32_t (*train)(void* self, struct text directory);
  int32_t (*save)(void* self);
  void (*beyond[8])(void);
};

extern const struct package trainyard_package_v1;
__attribute__((visibility("default"))) const struct package trainyard_package_v1 = {
    offsetof(struct package, beyond),
    0,
    "a C compiler, no kit",
    create,
    destroy,
    train,
    save,
    {poison, poison, poison, poison, poison, poison, poison, poison},
};
