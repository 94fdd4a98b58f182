// SPDX-License-Identifier: Apache-2.0
// Publishing to real servers: a registry always, and a bucket of Ceph where TRAINYARD_CEPH names a gateway.
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "tests/endtoend/published_store.hpp"
#include "tests/support/registry_server.hpp"
#ifdef TRAINYARD_WITH_CEPH
#include "tests/support/ceph_bucket.hpp"
#endif

namespace trainyard::publish_servers_test {
namespace {

RegistryServer& registry() {
  static RegistryServer server;
  return server;
}

std::string fresh(const std::string& name) {
  static int number = 0;
  return name + std::to_string(++number);
}

// What the environment of a command needs to reach all remotes.
Variables variables() {
  Variables all{{"REGISTRY_AUTH_FILE", "/nobody/is/logged/in.json"}};
#ifdef TRAINYARD_WITH_CEPH
  std::string text = read_text(Path(std::getenv("TRAINYARD_CEPH")) / "environment");
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const std::size_t equals = text.find('=', at);
    all[text.substr(at, equals - at)] = text.substr(equals + 1, text.find('\n', at) - equals - 1);
  }
#endif
  return all;
}

// Remotes of every kind, by their names.
class Everywhere {
 public:
  explicit Everywhere(const PublishedStore& one) {
    addresses_ = {{"folder", one.address(fresh("folder"))},
                  {"registry", "oci+http://" + registry().host() + fresh("/end/to/end")}};
#ifdef TRAINYARD_WITH_CEPH
    addresses_["bucket"] = bucket_.address().text();
#endif
  }
  void add_to(const TestStore& store) const {
    for (const auto& [name, address] : addresses_) must(store, {"remote", "add", name, address});
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, address] : addresses_) all.push_back(name);
    return all;
  }
  [[nodiscard]] Arguments to_all(Arguments arguments) const {
    for (const std::string& name : names()) arguments.insert(arguments.end(), {"--to", name});
    return arguments;
  }
  static ProgramOutput must(const TestStore& store, const Arguments& arguments) {
    ProgramOutput output = store.run(arguments, variables());
    INFO(output.err);
    REQUIRE(output.status.code == 0);
    return output;
  }
  static Json json(const TestStore& store, Arguments arguments) {
    arguments.emplace_back("--json");
    return parse_json(must(store, arguments).out, "the output").value();
  }

 private:
#ifdef TRAINYARD_WITH_CEPH
  CephBucket bucket_;
#endif
  std::map<std::string, std::string> addresses_;
};

}  // namespace

TEST_CASE("a version published to a folder and to servers is the same wherever it is pulled from", "[servers]") {
  PublishedStore one;
  one.store.temp().write("data/big.bin", noise(9U << 20U, 31));
  one.train("counts@1.2");
  const Everywhere everywhere(one);
  everywhere.add_to(one.store);
  const Json published = Everywhere::json(
      one.store, everywhere.to_all({"publish", "counts@1.3", "--data", "--capsule", "--label", "production"}));
  const Json& places = published.at("places");
  REQUIRE(places.size() == everywhere.names().size());
  for (const Json& place : places) CHECK(place.at("manifest") == places.at(0).at("manifest"));
  for (const std::string& name : everywhere.names()) {
    INFO(name);
    Everywhere::must(one.store, {"remote", "verify", name});
    TestStore other;
    everywhere.add_to(other);
    Everywhere::must(other, {"pull", "counts@production", "--from", name, "--data", "--trust-keys"});
    CHECK(records_of(other) == records_of(one.store));
    CHECK(other.run({"audit", "counts"}).status.code == 0);
    other.must({"run", "training", "counts@1.3", "--dataset", one.data.string(), "--name", "further"});
    CHECK(other.versions("counts").back() == "1.4");
    Everywhere::must(other, {"publish", "counts@1.4", "--to", name});
    const Json shown = Everywhere::json(one.store, {"remote", "show", name});
    CHECK(shown.at(0).at("versions").size() == 2);
  }
}

TEST_CASE("a publisher to a folder and to servers is killed, and the next one finishes or takes back", "[servers]") {
  const char* const wish = std::getenv("TRAINYARD_KILL_ROUNDS");
  const int rounds = wish == nullptr ? 3 : std::atoi(wish);
  PublishedStore one;
  std::mt19937 chance(7);  // NOLINT(cert-msc51-cpp): the same moments each time
  std::uniform_int_distribution<int> moment(0, 1'500'000);
  int killed = 0;
  for (int round = 0; round < rounds; ++round) {
    INFO("round " << round);
    const Everywhere everywhere(one);
    everywhere.add_to(one.store);
    const Arguments publish = everywhere.to_all({"publish", "counts@1.2"});
    RunningProgram publisher = one.store.start(publish, variables());
    std::this_thread::sleep_for(std::chrono::microseconds(moment(chance)));
    publisher.signal(SIGKILL);
    if (publisher.wait().status.signal) ++killed;
    INFO("resumed: " << Everywhere::must(one.store, {"publish", "--resume"}).out);
    std::set<bool> shown;
    for (const std::string& name : everywhere.names())
      shown.insert(Everywhere::json(one.store, {"remote", "show", name, "counts"}).at(0).at("versions").empty());
    REQUIRE(shown.size() == 1);
    Everywhere::must(one.store, publish);
    for (const std::string& name : everywhere.names()) {
      Everywhere::must(one.store, {"remote", "verify", name});
      Everywhere::must(one.store, {"remote", "gc", name, "--older-than", "0s", "--apply"});
      const Json garbage = Everywhere::json(one.store, {"remote", "gc", name, "--older-than", "0s"});
      for (const Json& package : garbage.at("packages")) {
        CHECK(package.at("blobs") == 0);
        CHECK(package.at("claims") == 0);
        CHECK(package.at("uploads") == 0);
      }
      Everywhere::must(one.store, {"remote", "verify", name});
      one.store.must({"remote", "remove", name});
    }
  }
  WARN("killed " << killed << " publishers in " << rounds << " rounds");
}

TEST_CASE("where one of several remotes cannot be reached, nothing is published on any", "[servers]") {
  PublishedStore one;
  std::optional<RegistryServer> server(std::in_place);
  const std::string address = "oci+http://" + server->host() + "/models";
  Everywhere::must(one.store, {"remote", "add", "registry", address});
  server.reset();
  const ProgramOutput refused =
      one.store.run({"publish", "counts@1.2", "--to", "models", "--to", "registry"}, variables());
  CHECK(refused.status.code == 3);
  CHECK(has(refused.err, "cannot reach"));
  CHECK(shown_on(one.store, "models") == "");
}

}  // namespace trainyard::publish_servers_test
