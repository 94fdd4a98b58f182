// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "storage/values/json.hpp"

namespace trainyard {

// How much has to stand between a job and the rest of the machine.
//
//   strict       every layer, or the job does not start
//   best_effort  the layers that this machine has
//   none         no layer
//
// What needs no power of the machine is always there: limits of the process, no new privileges, closed descriptors, a
// session and a process group of its own, death with the supervisor, a clean environment.
enum class IsolationMode { strict, best_effort, none };
std::string_view name_of(IsolationMode mode);  // strict, best-effort, none
Result<IsolationMode> parse_isolation_mode(std::string_view text);

// What a job reaches by network: nothing but itself, or what this machine reaches.
enum class NetworkAccess { none, host };
std::string_view name_of(NetworkAccess access);
Result<NetworkAccess> parse_network_access(std::string_view text);

enum class Layer {
  landlock,  // rules on paths, for signals and for abstract sockets, which no privilege lifts
  seccomp,   // system calls that a job has no business with fail
  user,      // a user namespace: an ordinary user's way to the other namespaces; root needs none
  mount,     // a file system of its own, with the system read-only and the job's folders
  pid,       // process numbers of its own; whatever it started ends with it
  ipc,       // System V and POSIX message queues, semaphores and shared memory of its own
  network,   // a network of its own, with nothing but a loopback device
  cgroup,    // control groups: limits that hold for all its processes together
};
inline constexpr Layer kLayers[] = {Layer::landlock, Layer::seccomp, Layer::user,    Layer::mount,
                                    Layer::pid,      Layer::ipc,     Layer::network, Layer::cgroup};
std::string_view name_of(Layer layer);
Result<Layer> parse_layer(std::string_view text);
// For people: what the layer keeps a job from, and how a machine that lacks it can get it.
std::string what_it_does(Layer layer);
std::string what_helps(Layer layer);

// What a machine lacks for this user, each with the reason and what helps: part of a sentence. Found out by trying.
struct IsolationFacts {
  bool root = false;                     // no user namespace is needed
  std::map<Layer, std::string> missing;  // what is not here works
  friend bool operator==(const IsolationFacts&, const IsolationFacts&) = default;
};

// What a run asks for.
struct IsolationWish {
  IsolationMode mode = IsolationMode::best_effort;
  NetworkAccess network = NetworkAccess::none;
  std::set<Layer> without;  // that its code cannot work in; no mode asks for them then
  friend bool operator==(const IsolationWish&, const IsolationWish&) = default;
};

// What stands around one job.
struct Isolation {
  IsolationWish wish;
  std::set<Layer> layers;
  std::map<Layer, std::string> missing;  // that the mode asks for
  [[nodiscard]] bool has(Layer layer) const { return layers.contains(layer); }
  friend bool operator==(const Isolation&, const Isolation&) = default;
};

// Pure. `incompatible` names the first missing layer when the mode is strict.
Result<Isolation> plan_isolation(const IsolationWish& wish, const IsolationFacts& facts);

Json to_json(const IsolationWish& wish);
Result<IsolationWish> isolation_wish_from(const Json& json);

Json to_json(const IsolationFacts& facts);
Result<IsolationFacts> isolation_facts_from(const Json& json);
Json to_json(const Isolation& isolation);
Result<Isolation> isolation_from(const Json& json);

}  // namespace trainyard
