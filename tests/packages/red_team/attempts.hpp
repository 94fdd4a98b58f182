// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

// What a package must not be able to do. Each attempt ends without harm where it succeeds: what it reads is thrown away,
// what it writes is a new file or a line at an end, what it signals is told to go on.
namespace red_team {

struct Attempt {
  std::string name;
  std::function<void()> act;  // throws a std::exception that says what kept it from its aim
};

// The aims are given as variables of the run:
//   store, other_run, home_file, tmp_file, dataset_file, socket_path   paths
//   tcp_port, udp_port, abstract_socket                   of servers of the host
//   host_pid                                              a process of the host, of the same user
//   shm_key                                               a segment of shared memory of the host
std::vector<Attempt> attempts(const std::filesystem::path& own_run);

}  // namespace red_team
