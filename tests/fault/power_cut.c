// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "power_cut.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { most_changes = 20000, most_files = 2000 };

enum kind { kind_created, kind_renamed, kind_removed, kind_removed_folder };

struct change {
  enum kind kind;
  int durable;
  char* folder;  // that has to be synced
  char* path;
  char* from;  // of a renaming
  long saved;  // what was at the path, or -1
};

struct file {
  dev_t device;
  ino_t inode;
  int fd;
  off_t durable;  // bytes
};

static int is_on;
static unsigned lost;
static const char* backups;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct change changes[most_changes];
static int change_count;
static struct file files[most_files];
static int file_count;
static long saved_count;

void power_cut_begin(const char* folder, unsigned how_much) {
  backups = folder;
  lost = how_much;
  srand(how_much);
  is_on = 1;
}

void power_cut_enter(void) {
  if (is_on) pthread_mutex_lock(&mutex);
}

void power_cut_leave(void) {
  if (is_on) pthread_mutex_unlock(&mutex);
}

static void backup_path(long number, char* path) { snprintf(path, PATH_MAX, "%s/%ld", backups, number); }

// System calls throughout: the functions of these names are those that are watched.
static int link_name(const char* from, const char* to) {
  return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

long power_cut_save(const char* path) {
  if (!is_on) return -1;
  char backup[PATH_MAX];
  backup_path(saved_count, backup);
  return link_name(path, backup) == 0 ? saved_count++ : -1;
}

const char* power_cut_place(int folder, const char* path) {
  static __thread char places[2][PATH_MAX * 2];
  static __thread int turn;
  if (!is_on || folder == AT_FDCWD || *path == '/') return path;
  char link[64];
  char* const place = places[turn = 1 - turn];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
  const ssize_t size = readlink(link, place, PATH_MAX - 1);
  if (size < 0) return path;
  snprintf(place + size, PATH_MAX, "/%s", path);
  return place;
}

static void note(enum kind kind, const char* path, const char* from, long saved) {
  if (!is_on || change_count == most_changes) return;
  struct change* const change = &changes[change_count++];
  change->kind = kind;
  change->durable = 0;
  change->path = strdup(path);
  change->from = from == NULL ? NULL : strdup(from);
  change->folder = strdup(path);
  change->saved = saved;
  char* const slash = strrchr(change->folder, '/');
  if (slash != NULL) *slash = '\0';
}

void power_cut_created(const char* path) { note(kind_created, path, NULL, -1); }
void power_cut_renamed(const char* from, const char* to, long saved) { note(kind_renamed, to, from, saved); }
void power_cut_removed(const char* path, long saved) { note(kind_removed, path, NULL, saved); }
void power_cut_removed_folder(const char* path) { note(kind_removed_folder, path, NULL, -1); }

static struct file* find_file(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return NULL;
  for (int i = 0; i < file_count; ++i) {
    if (files[i].device == status.st_dev && files[i].inode == status.st_ino) return &files[i];
  }
  if (file_count == most_files) return NULL;
  struct file* const file = &files[file_count++];
  file->device = status.st_dev;
  file->inode = status.st_ino;
  // Kept open, so that its inode names no other file later.
  file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 200);
  file->durable = status.st_size;
  return file;
}

void power_cut_writes(int fd) {
  if (is_on) find_file(fd);
}

void power_cut_synced(int fd) {
  if (!is_on) return;
  struct stat status;
  if (fstat(fd, &status) != 0) return;
  if (S_ISREG(status.st_mode)) {
    struct file* const file = find_file(fd);
    if (file != NULL) file->durable = status.st_size;
    return;
  }
  char link[64];
  char path[PATH_MAX];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  if (size < 0) return;
  path[size] = '\0';
  for (int i = 0; i < change_count; ++i) {
    if (strcmp(changes[i].folder, path) == 0) changes[i].durable = 1;
  }
}

void power_cut_synced_all(void) {
  if (!is_on) return;
  for (int i = 0; i < change_count; ++i) changes[i].durable = 1;
  for (int i = 0; i < file_count; ++i) {
    struct stat status;
    if (fstat(files[i].fd, &status) == 0) files[i].durable = status.st_size;
  }
}

// A folder keeps the first changes since its last sync, or, as nobody promises that they are made in their order, any.
static void choose_changes(void) {
  if (lost == 0) return;
  for (int i = 0; i < change_count; ++i) {
    if (changes[i].durable) continue;
    int later = rand() % 2;
    for (int before = 0; before < i && !later && lost % 2 == 0; ++before)
      later = !changes[before].durable && strcmp(changes[before].folder, changes[i].folder) == 0;
    if (!later) changes[i].durable = 1;
  }
}

static void undo(const struct change* change) {
  char backup[PATH_MAX];
  if (change->saved >= 0) backup_path(change->saved, backup);
  switch (change->kind) {
    case kind_created:
      backup_path(saved_count++, backup);
      syscall(SYS_renameat2, AT_FDCWD, change->path, AT_FDCWD, backup, 0);
      break;
    case kind_renamed:
      syscall(SYS_renameat2, AT_FDCWD, change->path, AT_FDCWD, change->from, 0);
      if (change->saved >= 0) link_name(backup, change->path);
      break;
    case kind_removed:
      if (change->saved >= 0) link_name(backup, change->path);
      break;
    case kind_removed_folder: syscall(SYS_mkdirat, AT_FDCWD, change->path, 0755); break;
  }
}

static void cut_file(const struct file* file) {
  struct stat status;
  if (file->fd < 0 || fstat(file->fd, &status) != 0 || status.st_size <= file->durable) return;
  off_t kept = file->durable;
  if (lost % 3 == 1) kept += rand() % (status.st_size - file->durable);
  syscall(SYS_ftruncate, file->fd, kept);
  // The size was written, and the bytes were not.
  if (lost % 3 == 2) syscall(SYS_ftruncate, file->fd, status.st_size);
}

void power_cut_happen(void) {
  if (!is_on) return;
  pthread_mutex_lock(&mutex);
  choose_changes();
  for (int i = change_count; i-- > 0;) {
    if (!changes[i].durable) undo(&changes[i]);
  }
  for (int i = 0; i < file_count; ++i) cut_file(&files[i]);
  // Never unlocked: whoever wants to change something waits for the end.
}
