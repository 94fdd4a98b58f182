// SPDX-License-Identifier: Apache-2.0
//
// To be preloaded into trainyard and into objects_actor: counts their calls that change the disk or start a program, and
// lets one of them meet a fault. Other programs are left alone, and so are standard output and standard error. Where
// trainyard starts the supervisor of a job, the library goes with it.
//
//   FAULT_IN      supervisor: the calls of the supervisor count, and not those of trainyard
//   FAULT_AT      the number of the call, from 1; 0 only lists
//   FAULT_VICTIMS whom a kill kills: s (itself) unless given, p (its parent), d (its descendants)
//   FAULT_MODE    kill        SIGKILL instead of the call
//                 pause       SIGSTOP before the call
//                 kill_after  SIGKILL once it is done
//                 tear        SIGKILL after half of the bytes, where the call writes; else as kill
//                 fail        it fails with FAULT_ERRNO (a number)
//                 fail_on     it and every call after it fail so
//                 cut         the power fails before the call: power_cut.h
//   FAULT_LOST    for `cut`: how much is lost
//   FAULT_BACKUPS for `cut`: an empty folder on the same file system
//   FAULT_REPORT  a file; before each call a line "<number> <call> <path>" is appended
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "power_cut.h"
#include "victims.h"

enum mode { mode_kill, mode_kill_after, mode_tear, mode_fail, mode_fail_on, mode_cut, mode_pause };
enum fate { fate_live, fate_die_after, fate_tear, fate_fail };

static int is_ours;
static pid_t our_pid;  // a fork of ours is another process
static long fault_at;
static enum mode fault_mode;
static int fault_errno;
static int report = -1;
static atomic_long calls;

static const char* text_of(const char* variable) {
  const char* const value = getenv(variable);
  return value == NULL ? "" : value;
}

static int is_chosen(const char* name, int argc, char** argv) {
  const int wants_supervisor = strcmp(text_of("FAULT_IN"), "supervisor") == 0;
  if (strcmp(name, "/trainyard-worker") == 0) return wants_supervisor && argc > 1 && strcmp(argv[1], "supervise") == 0;
  return !wants_supervisor && (strcmp(name, "/trainyard") == 0 || strcmp(name, "/objects_actor") == 0);
}

__attribute__((constructor)) static void begin(int argc, char** argv) {
  static const char* const modes[] = {"kill", "kill_after", "tear", "fail", "fail_on", "cut", "pause"};
  char program[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
  if (size <= 0) return;
  program[size] = '\0';
  const char* const name = strrchr(program, '/');
  if (name == NULL || !is_chosen(name, argc, argv)) return;
  fault_at = atol(text_of("FAULT_AT"));
  fault_errno = atoi(text_of("FAULT_ERRNO"));
  for (int i = 0; i < 7; ++i) {
    if (strcmp(modes[i], text_of("FAULT_MODE")) == 0) fault_mode = (enum mode)i;
  }
  report = (int)syscall(SYS_openat, AT_FDCWD, text_of("FAULT_REPORT"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fault_mode == mode_cut) power_cut_begin(text_of("FAULT_BACKUPS"), (unsigned)atoi(text_of("FAULT_LOST")));
  our_pid = getpid();
  is_ours = 1;
}

static void die(void) { kill_victims(*text_of("FAULT_VICTIMS") == '\0' ? "s" : text_of("FAULT_VICTIMS")); }

static enum fate meet(const char* call, const char* path) {
  if (!is_ours || getpid() != our_pid) return fate_live;
  const long number = atomic_fetch_add(&calls, 1) + 1;
  if (report >= 0) {
    char line[PATH_MAX + 64];
    const int size = snprintf(line, sizeof(line), "%ld %s %s\n", number, call, path);
    syscall(SYS_write, report, line, size < (int)sizeof(line) ? (size_t)size : sizeof(line) - 1);
  }
  if (fault_at == 0 || number < fault_at || (number > fault_at && fault_mode != mode_fail_on)) return fate_live;
  switch (fault_mode) {
    case mode_kill: die(); break;
    case mode_cut:
      power_cut_happen();
      die();
      break;
    case mode_kill_after: return fate_die_after;
    case mode_tear: return fate_tear;
    case mode_pause: raise(SIGSTOP); break;
    case mode_fail:
    case mode_fail_on: errno = fault_errno; return fate_fail;
  }
  return fate_live;
}

// For calls that get a descriptor: only what is a file or a folder counts.
static enum fate meet_fd(const char* call, int fd) {
  struct stat status;
  if (!is_ours || fd <= 2 || fstat(fd, &status) != 0 || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
    return fate_live;
  char link[64];
  char path[PATH_MAX];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  path[size < 0 ? 0 : size] = '\0';
  return meet(call, path);
}

// REAL(link) is the function that `link` stands before.
#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

// Performs the call as its fate wants it; `failed` is what it answers when it fails. `before` and `worked` tell the power
// cut of it.
#define PERFORM_NOTED(fate_of_call, failed, before, call, worked) \
  do {                                                            \
    const enum fate fate = (fate_of_call);                        \
    if (fate == fate_fail) return (failed);                       \
    if (fate == fate_tear) die();                                 \
    power_cut_enter();                                            \
    before;                                                       \
    const __typeof__(call) result = (call);                       \
    if (result >= 0) worked;                                      \
    power_cut_leave();                                            \
    if (fate == fate_die_after) die();                            \
    return result;                                                \
  } while (0)
#define NOTHING (void)0
#define PERFORM(fate_of_call, failed, call) PERFORM_NOTED(fate_of_call, failed, NOTHING, call, NOTHING)

#define MODE_ARGUMENT(flags, mode)              \
  mode_t mode = 0;                              \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
    va_list rest;                               \
    va_start(rest, flags);                      \
    mode = (mode_t)va_arg(rest, unsigned);      \
    va_end(rest);                               \
  }

int open(const char* path, int flags, ...) {
  MODE_ARGUMENT(flags, mode)
  const int creates = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
  PERFORM_NOTED((flags & O_CREAT) != 0 ? meet("open", path) : fate_live, -1, NOTHING, REAL(open)(path, flags, mode),
                if (creates) power_cut_created(path));
}

int open64(const char* path, int flags, ...) {
  MODE_ARGUMENT(flags, mode)
  const int creates = (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
  PERFORM_NOTED((flags & O_CREAT) != 0 ? meet("open", path) : fate_live, -1, NOTHING, REAL(open64)(path, flags, mode),
                if (creates) power_cut_created(path));
}

int openat(int folder, const char* path, int flags, ...) {
  MODE_ARGUMENT(flags, mode)
  const int creates = (flags & O_CREAT) != 0 && faccessat(folder, path, F_OK, 0) != 0;
  PERFORM_NOTED((flags & O_CREAT) != 0 ? meet("openat", path) : fate_live, -1, NOTHING,
                REAL(openat)(folder, path, flags, mode), if (creates) power_cut_created(power_cut_place(folder, path)));
}

int openat64(int folder, const char* path, int flags, ...) {
  MODE_ARGUMENT(flags, mode)
  const int creates = (flags & O_CREAT) != 0 && faccessat(folder, path, F_OK, 0) != 0;
  PERFORM_NOTED((flags & O_CREAT) != 0 ? meet("openat", path) : fate_live, -1, NOTHING,
                REAL(openat64)(folder, path, flags, mode),
                if (creates) power_cut_created(power_cut_place(folder, path)));
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const enum fate fate = meet_fd("write", fd);
  if (fate == fate_fail) return -1;
  power_cut_enter();
  power_cut_writes(fd);
  const ssize_t written = REAL(write)(fd, bytes, fate == fate_tear ? size / 2 : size);
  power_cut_leave();
  if (fate == fate_tear || fate == fate_die_after) die();
  return written;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const enum fate fate = meet_fd("pwrite", fd);
  if (fate == fate_fail) return -1;
  power_cut_enter();
  power_cut_writes(fd);
  const ssize_t written = REAL(pwrite)(fd, bytes, fate == fate_tear ? size / 2 : size, offset);
  power_cut_leave();
  if (fate == fate_tear || fate == fate_die_after) die();
  return written;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) { return pwrite(fd, bytes, size, offset); }

// libzip writes through a FILE: what a full disk refuses comes to light here at the latest.
int fclose(FILE* file) {
  const int fd = fileno(file);
  const int access = fd < 0 ? -1 : fcntl(fd, F_GETFL);
  const int writes = access >= 0 && (access & O_ACCMODE) != O_RDONLY;
  PERFORM(writes ? meet_fd("fclose", fd) : fate_live, EOF, REAL(fclose)(file));
}

ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t size, unsigned flags) {
  PERFORM(meet_fd("copy_file_range", to), -1, REAL(copy_file_range)(from, from_offset, to, to_offset, size, flags));
}

int fsync(int fd) { PERFORM_NOTED(meet_fd("fsync", fd), -1, NOTHING, REAL(fsync)(fd), power_cut_synced(fd)); }
int fdatasync(int fd) {
  PERFORM_NOTED(meet_fd("fdatasync", fd), -1, NOTHING, REAL(fdatasync)(fd), power_cut_synced(fd));
}
int syncfs(int fd) { PERFORM_NOTED(meet_fd("syncfs", fd), -1, NOTHING, REAL(syncfs)(fd), power_cut_synced_all()); }
int ftruncate(int fd, off_t size) { PERFORM(meet_fd("ftruncate", fd), -1, REAL(ftruncate)(fd, size)); }
int ftruncate64(int fd, off64_t size) { PERFORM(meet_fd("ftruncate", fd), -1, REAL(ftruncate64)(fd, size)); }
int fchmod(int fd, mode_t mode) { PERFORM(meet_fd("fchmod", fd), -1, REAL(fchmod)(fd, mode)); }
int flock(int fd, int operation) { PERFORM(meet_fd("flock", fd), -1, REAL(flock)(fd, operation)); }

int chmod(const char* path, mode_t mode) { PERFORM(meet("chmod", path), -1, REAL(chmod)(path, mode)); }
int mkdir(const char* path, mode_t mode) {
  PERFORM_NOTED(meet("mkdir", path), -1, NOTHING, REAL(mkdir)(path, mode), power_cut_created(path));
}
int rmdir(const char* path) {
  PERFORM_NOTED(meet("rmdir", path), -1, NOTHING, REAL(rmdir)(path), power_cut_removed_folder(path));
}
int unlink(const char* path) {
  PERFORM_NOTED(meet("unlink", path), -1, const long saved = power_cut_save(path), REAL(unlink)(path),
                power_cut_removed(path, saved));
}
int link(const char* from, const char* to) {
  PERFORM_NOTED(meet("link", to), -1, NOTHING, REAL(link)(from, to), power_cut_created(to));
}
int rename(const char* from, const char* to) {
  PERFORM_NOTED(meet("rename", to), -1, const long saved = power_cut_save(to), REAL(rename)(from, to),
                power_cut_renamed(from, to, saved));
}

int mkdirat(int folder, const char* path, mode_t mode) {
  PERFORM_NOTED(meet("mkdirat", path), -1, NOTHING, REAL(mkdirat)(folder, path, mode),
                power_cut_created(power_cut_place(folder, path)));
}

int unlinkat(int folder, const char* path, int flags) {
  if ((flags & AT_REMOVEDIR) != 0) {
    PERFORM_NOTED(meet("unlinkat", path), -1, NOTHING, REAL(unlinkat)(folder, path, flags),
                  power_cut_removed_folder(power_cut_place(folder, path)));
  }
  PERFORM_NOTED(meet("unlinkat", path), -1, const long saved = power_cut_save(power_cut_place(folder, path)),
                REAL(unlinkat)(folder, path, flags), power_cut_removed(power_cut_place(folder, path), saved));
}

int fchmodat(int folder, const char* path, mode_t mode, int flags) {
  PERFORM(meet("fchmodat", path), -1, REAL(fchmodat)(folder, path, mode, flags));
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  PERFORM_NOTED(meet("linkat", to), -1, NOTHING, REAL(linkat)(from_folder, from, to_folder, to, flags),
                power_cut_created(power_cut_place(to_folder, to)));
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  PERFORM_NOTED(meet("renameat", to), -1, const long saved = power_cut_save(power_cut_place(to_folder, to)),
                REAL(renameat)(from_folder, from, to_folder, to),
                power_cut_renamed(power_cut_place(from_folder, from), power_cut_place(to_folder, to), saved));
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  PERFORM_NOTED(meet("renameat2", to), -1, const long saved = power_cut_save(power_cut_place(to_folder, to)),
                REAL(renameat2)(from_folder, from, to_folder, to, flags),
                power_cut_renamed(power_cut_place(from_folder, from), power_cut_place(to_folder, to), saved));
}

// The supervisor is given an environment of its own, to which what makes this library work is added.
static char** environment_of(char* const arguments[], char* const environment[]) {
  static char* joined[256];
  if (arguments[0] == NULL || arguments[1] == NULL || strcmp(arguments[1], "supervise") != 0)
    return (char**)environment;
  int count = 0;
  for (; *environment != NULL && count < 128; ++environment) joined[count++] = *environment;
  for (char** own = environ; *own != NULL && count < 255; ++own) {
    if (strncmp(*own, "LD_PRELOAD=", 11) == 0 || strncmp(*own, "FAULT_", 6) == 0) joined[count++] = *own;
  }
  joined[count] = NULL;
  return joined;
}

int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const arguments[], char* const environment[]) {
  PERFORM(meet("posix_spawn", path), fault_errno,
          REAL(posix_spawn)(pid, path, actions, attributes, arguments, environment_of(arguments, environment)));
}
