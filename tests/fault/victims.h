/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRAINYARD_TESTS_FAULT_VICTIMS_H
#define TRAINYARD_TESTS_FAULT_VICTIMS_H

/* Kills by SIGKILL: p the parent of this process, d all that descend from it, s itself. Returns when it is none of them. */
void kill_victims(const char* letters);

#endif
