/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAINYARD_TESTS_FAULT_POWER_CUT_H
#define TRAINYARD_TESTS_FAULT_POWER_CUT_H

#include <sys/types.h>

/* What a power cut takes away: everything since the last sync. Watches the calls of a process that write to files and
   change names in folders, and undoes on demand what neither fsync, fdatasync nor syncfs made durable: bytes behind what
   was synced of a file, and names created, replaced and removed in a folder that was not synced since. What lies below a
   folder whose own name is undone goes with it. Files only grow. Paths are absolute.

   `lost` tells how much: 0 everything, another number a random part that it seeds, because a disk may have written more
   than it was asked to: of each folder the last names or any, of each file the last bytes, which may read as zeros.

   A call that changes something goes between power_cut_enter and one of the notes, or power_cut_leave. */
void power_cut_begin(const char* backups, unsigned lost);
void power_cut_enter(void);
void power_cut_leave(void);

/* The absolute path of what a call names below an open folder; stays until the same thread asks again. */
const char* power_cut_place(int folder, const char* path);

/* Before the call: where what is at `path` can be found again; -1 when nothing is there. */
long power_cut_save(const char* path);
/* Before a call that writes. */
void power_cut_writes(int fd);
/* After calls that worked. */
void power_cut_created(const char* path);
void power_cut_renamed(const char* from, const char* to, long saved);
void power_cut_removed(const char* path, long saved);
void power_cut_removed_folder(const char* path);
void power_cut_synced(int fd);
void power_cut_synced_all(void);

/* Undoes. Nothing that is watched goes on after it. */
void power_cut_happen(void);

#endif
