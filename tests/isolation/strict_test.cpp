// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/isolation/person.hpp"

using namespace trainyard;

namespace {

bool is_missing_here(const Person& person, const std::string& layer) {
  const ProgramOutput doctor = person.trainyard({"doctor", "--json"});
  const Json answer = parse_json(doctor.out, "doctor").value();
  for (const Json& row : answer.at("layers")) {
    if (row.at("layer") == layer) return row.at("here") == "no";
  }
  throw std::runtime_error("no such layer");
}

}  // namespace

TEST_CASE("a strict run is refused where a layer is missing, and runs where none is") {
  const auto kind = GENERATE(Person::Kind::myself, Person::Kind::ordinary);
  if (!Person::can_be(kind)) return;
  Person person(kind);
  const ProgramOutput doctor = person.trainyard({"doctor", "--json"});
  const Json answer = parse_json(doctor.out, "doctor").value();
  const bool strict = answer.at("strict").get<bool>();
  const std::string text = person.trainyard({"doctor"}).out;
  for (const Json& row : answer.at("layers")) CHECK(text.find(row.at("layer").get<std::string>()) != std::string::npos);
  CHECK((text.find("runs would start") != std::string::npos) == strict);
  CHECK(doctor.status.code == (strict ? 0 : 1));
  person.must({"package", "add", std::string(TRAINYARD_TEST_PACKAGES_DIR) + "/counts.zip"});
  const ProgramOutput run =
      person.trainyard({"run", "training", "counts", "--dataset", person.data().string(), "--isolation", "strict"});
  INFO(doctor.out << run.err);
  CHECK(run.status.code == (strict ? 0 : 2));
  if (strict) return;
  std::string first;
  for (const Json& row : answer.at("layers")) {
    if (first.empty() && row.at("here") == "no") first = row.at("layer").get<std::string>();
    // What is missing is told with a reason and with what helps.
    if (row.at("here") == "no") CHECK_FALSE(row.at("why_not").get<std::string>().empty());
    if (row.at("here") == "no") CHECK_FALSE(row.at("what_helps").get<std::string>().empty());
  }
  CHECK(run.err.find("--isolation strict needs the layer " + first) != std::string::npos);
  // And nothing was begun.
  CHECK(list_folder(person.store() / "runs").value().empty());
}

TEST_CASE("a run says in which layers it ran, and which it was to do without") {
  Person person(Person::Kind::myself);
  const PersonsRun run = person.train("counts", {"--without", "seccomp", "--without", "ipc", "--network"});
  REQUIRE(run.reason() == "ok");
  const Json& isolation = run.attempt().at("isolation");
  CHECK(isolation.at("mode") == "best-effort");
  CHECK(isolation.at("network") == "host");
  CHECK(isolation.at("without") == Json::array({"seccomp", "ipc"}));
  for (const Json& layer : isolation.at("layers")) CHECK((layer != "seccomp" && layer != "ipc" && layer != "network"));
  CHECK(isolation.at("layers").size() + isolation.at("missing").size() >= 3);
  // Control groups are made where there is something for them to keep.
  const auto has_groups = [](const PersonsRun& of) {
    const Json& stood = of.attempt().at("isolation");
    const Json& layers = stood.at("layers");
    return std::find(layers.begin(), layers.end(), "cgroup") != layers.end() || stood.at("missing").contains("cgroup");
  };
  CHECK_FALSE(has_groups(run));
  CHECK(has_groups(person.train("counts", {"--memory", "1G"})));
  CHECK(has_groups(person.train("counts", {"--processes", "100"})));
  CHECK_FALSE(has_groups(person.train("counts", {"--memory", "1G", "--without", "cgroup"})));
  CHECK(is_missing_here(person, "landlock") == isolation.at("missing").contains("landlock"));
  CHECK(person.train("counts", {"--isolation", "none"}).attempt().at("isolation").at("layers").empty());
}

TEST_CASE("what there is of a run's use is in its results") {
  Person person(Person::Kind::myself);
  const PersonsRun run = person.train("counts", {"--memory", "1G", "--cpus", "0.5", "--disk", "1G"});
  REQUIRE(run.reason() == "ok");
  const Json& attempt = run.attempt();
  CHECK(attempt.at("limit").is_null());
  CHECK(attempt.at("peak_bytes").get<std::int64_t>() > 0);
  CHECK(attempt.at("user_seconds").get<double>() + attempt.at("system_seconds").get<double>() > 0);
  CHECK(attempt.at("written_bytes").get<std::int64_t>() >= 0);
  CHECK(attempt.at("read_bytes").get<std::int64_t>() >= 0);
  const Json& limits = run.results.at("traceability").at("limits");
  CHECK(limits.at("memory_bytes") == std::int64_t{1} << 30);
  CHECK(limits.at("cpu_thousandths") == 500);
  CHECK(limits.at("processes") == 4096);
}
