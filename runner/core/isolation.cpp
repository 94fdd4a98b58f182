// SPDX-License-Identifier: Apache-2.0
#include "runner/core/isolation.hpp"

#include "storage/values/named_enum.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kFactsSchema = "trainyard.isolation-facts/1";
constexpr std::string_view kModes[] = {"strict", "best-effort", "none"};
constexpr std::string_view kAccesses[] = {"none", "host"};
constexpr std::string_view kLayerNames[] = {"landlock", "seccomp", "user", "mount", "pid", "ipc", "network", "cgroup"};

Json layers_json(const std::set<Layer>& layers) {
  Json json = Json::array();
  for (const Layer layer : layers) json.push_back(name_of(layer));
  return json;
}

Json missing_json(const std::map<Layer, std::string>& missing) {
  Json json = Json::object();
  for (const auto& [layer, why] : missing) json[std::string(name_of(layer))] = why;
  return json;
}

Result<std::map<Layer, std::string>> missing_from(const Json& json) {
  std::map<Layer, std::string> missing;
  if (!json.is_object()) return fail(Errc::invalid, "is not an object");
  for (const auto& [name, why] : json.items()) {
    if (!why.is_string()) return fail(Errc::invalid, "'" + name + "' is not a text");
    missing[TRY(parse_layer(name))] = why.get<std::string>();
  }
  return missing;
}

Result<std::set<Layer>> layers_from(const Json& json) {
  std::set<Layer> layers;
  if (!json.is_array()) return fail(Errc::invalid, "is not a list");
  for (const Json& name : json)
    layers.insert(TRY(parse_layer(name.is_string() ? name.get<std::string>() : std::string())));
  return layers;
}

// Why a layer is no use, or cannot be made, without another one that is not there; null when nothing is against it.
const std::string* needed_by(Layer layer, const IsolationWish& wish, const IsolationFacts& facts) {
  static const std::string kMount = "it needs the layer mount: without, every process would still be seen in /proc";
  static const std::string kUser = "an ordinary user needs the layer user for it";
  const auto is_off = [&](Layer other) { return facts.missing.contains(other) || wish.without.contains(other); };
  const bool is_namespace =
      layer == Layer::mount || layer == Layer::pid || layer == Layer::ipc || layer == Layer::network;
  if (is_namespace && !facts.root && is_off(Layer::user)) return &kUser;
  return layer == Layer::pid && is_off(Layer::mount) ? &kMount : nullptr;
}

}  // namespace

std::string_view name_of(IsolationMode mode) { return kModes[static_cast<std::size_t>(mode)]; }

Result<IsolationMode> parse_isolation_mode(std::string_view text) {
  if (const auto value = enum_named<IsolationMode>(kModes, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of strict, best-effort, none");
}

std::string_view name_of(NetworkAccess access) { return kAccesses[static_cast<std::size_t>(access)]; }

Result<NetworkAccess> parse_network_access(std::string_view text) {
  if (const auto value = enum_named<NetworkAccess>(kAccesses, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is neither none nor host");
}

std::string_view name_of(Layer layer) { return kLayerNames[static_cast<std::size_t>(layer)]; }

Result<Layer> parse_layer(std::string_view text) {
  if (const auto value = enum_named<Layer>(kLayerNames, text)) return *value;
  return fail(Errc::invalid,
              "'" + std::string(text) + "' is none of landlock, seccomp, user, mount, pid, ipc, network, cgroup");
}

std::string what_it_does(Layer layer) {
  switch (layer) {
    case Layer::landlock: return "files of others are out of reach, whoever the run's user is";
    case Layer::seccomp: return "system calls that no training needs fail";
    case Layer::user: return "gives an ordinary user the layers below";
    case Layer::mount: return "a file system with the run's own folders and the system, read-only";
    case Layer::pid: return "other processes cannot be seen; what a run started ends with it";
    case Layer::ipc: return "shared memory, semaphores and queues of others are out of reach";
    case Layer::network: return "no network, unless a run is given --network";
    case Layer::cgroup: return "limits hold for all processes of a run together";
  }
  return "";
}

std::string what_helps(Layer layer) {
  const std::string container =
      "in a container: podman run --privileged, or docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined "
      "--security-opt apparmor=unconfined";
  switch (layer) {
    case Layer::landlock: return "a kernel of 5.13 or later, started with landlock in its list lsm=";
    case Layer::seccomp: return "a kernel with CONFIG_SECCOMP_FILTER";
    case Layer::user:
      return "user namespaces for ordinary users (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
             "kernel.apparmor_restrict_unprivileged_userns), or root";
    case Layer::pid: return "a /proc without masks; " + container + " --security-opt systempaths=unconfined";
    case Layer::mount:
    case Layer::ipc:
    case Layer::network: return container;
    case Layer::cgroup:
      return "a group of your own: systemd-run --user --scope -p Delegate=yes trainyard …; or root, and in a container "
             "a cgroup file system that can be written";
  }
  return "";
}

Result<Isolation> plan_isolation(const IsolationWish& wish, const IsolationFacts& facts) {
  Isolation isolation{wish, {}, {}};
  if (wish.mode == IsolationMode::none) return isolation;
  for (const Layer layer : kLayers) {
    if (layer == Layer::user && facts.root) continue;
    if (layer == Layer::network && wish.network == NetworkAccess::host) continue;
    if (wish.without.contains(layer)) continue;
    if (const auto missing = facts.missing.find(layer); missing != facts.missing.end()) {
      isolation.missing[layer] = missing->second;
    } else if (const auto* const needed = needed_by(layer, wish, facts)) {
      isolation.missing[layer] = *needed;
    } else {
      isolation.layers.insert(layer);
    }
  }
  if (wish.mode == IsolationMode::best_effort || isolation.missing.empty()) return isolation;
  const auto& [layer, why] = *isolation.missing.begin();
  return fail(Errc::incompatible, "--isolation strict needs the layer " + std::string(name_of(layer)) +
                                      ", which is missing here: " + why + "; 'trainyard doctor' lists them all");
}

Json to_json(const IsolationWish& wish) {
  return {{"mode", name_of(wish.mode)}, {"network", name_of(wish.network)}, {"without", layers_json(wish.without)}};
}

Result<IsolationWish> isolation_wish_from(const Json& json) {
  Fields fields(json, "the isolation that is asked for");
  const auto mode = fields.parsed("mode", parse_isolation_mode);
  const auto network = fields.parsed("network", parse_network_access);
  const auto without = fields.nested("without", layers_from);
  TRY(fields.finish());
  return IsolationWish{*mode, *network, *without};
}

Json to_json(const IsolationFacts& facts) {
  return {{"schema", kFactsSchema}, {"root", facts.root}, {"missing", missing_json(facts.missing)}};
}

Result<IsolationFacts> isolation_facts_from(const Json& json) {
  IsolationFacts facts;
  Fields fields(json, "what is known of this machine's isolation");
  fields.schema(kFactsSchema);
  facts.root = fields.boolean("root");
  const auto missing = fields.nested("missing", missing_from);
  TRY(fields.finish());
  facts.missing = *missing;
  return facts;
}

Json to_json(const Isolation& isolation) {
  Json json = to_json(isolation.wish);
  json["layers"] = layers_json(isolation.layers);
  json["missing"] = missing_json(isolation.missing);
  return json;
}

Result<Isolation> isolation_from(const Json& json) {
  Fields fields(json, "the isolation");
  const auto mode = fields.parsed("mode", parse_isolation_mode);
  const auto network = fields.parsed("network", parse_network_access);
  const auto without = fields.nested("without", layers_from);
  const auto layers = fields.nested("layers", layers_from);
  const auto missing = fields.nested("missing", missing_from);
  TRY(fields.finish());
  return Isolation{{*mode, *network, *without}, *layers, *missing};
}

}  // namespace trainyard
