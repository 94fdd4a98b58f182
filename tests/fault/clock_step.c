// SPDX-License-Identifier: Apache-2.0
//
// Somebody sets the clock of the machine: in processes into which this is preloaded, the time of day differs by
// FAULT_CLOCK seconds from the moment on that the file FAULT_CLOCK_FILE is there. What is measured from one point to
// another by the other clocks stays as it is.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long step(void) {
  const char* const file = getenv("FAULT_CLOCK_FILE");
  const char* const seconds = getenv("FAULT_CLOCK");
  if (file == NULL || seconds == NULL || syscall(SYS_faccessat, AT_FDCWD, file, F_OK) != 0) return 0;
  return atol(seconds);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  const int answer = (int)syscall(SYS_clock_gettime, clock, now);
  if (answer == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += step();
  return answer;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  const int answer = (int)syscall(SYS_gettimeofday, now, zone);
  if (answer == 0) now->tv_sec += step();
  return answer;
}

time_t time(time_t* place) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_REALTIME, &now);
  if (place != NULL) *place = now.tv_sec;
  return now.tv_sec;
}
