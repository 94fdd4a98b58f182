// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <chrono>

// What multiplies as fast as it can, and what runs it. Every process of a bomb ends by itself after a time, so that a
// test that fails leaves nothing behind; how many there are at once, whoever starts it has to bound.
namespace trainyard::test {

enum class Bomb {
  tree,    // each forks without end, and goes on
  chains,  // each forks one and ends at once, in eight chains
};
enum class Sessions { shared, own };

inline constexpr std::chrono::seconds kBombEnds{25};

[[noreturn]] void explode(Bomb bomb, Sessions sessions);

// The exit code of the child, or -1 when a signal ended it; after a minute it is killed.
int code_of(pid_t child);

// Runs `body` in a child, which ends with what it returns.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  return code_of(child);
}

}  // namespace trainyard::test
