// SPDX-License-Identifier: Apache-2.0
// Whoever changes one thing in a store behind Trainyard's back is found out, and what he changed is named.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <iomanip>
#include <iostream>

#include "storage/values/merkle.hpp"
#include "storage/values/sha256.hpp"
#include "tests/endtoend/two_folders.hpp"
#include "tests/support/stored_object.hpp"

namespace trainyard::tampering_test {
namespace {

namespace fs = boost::filesystem;

// One store for all: a package that was trained twice, evaluated, judged and labelled, and data of every kind.
struct Whole {
  TestStore store;
  Path data = store.temp().folder("data");
  std::string training_run, full_run, evaluation_run, snapshot;

  Whole() {
    store.temp().write("data/a.txt", "one\n");
    store.temp().write("data/b/c.txt", kOther);
    store.add("splits");
    const EndedRun trained = store.train("splits", data, {"--save-training-data"});
    if (trained.version() != "1.1") throw std::runtime_error("no training: " + trained.message());
    store.must({"dataset", "add", "letters", data.string()});
    store.must({"package", "approve", "splits@1.1", "--why", "good enough"});
    store.must({"package", "label", "splits@1.1", "production"});
    store.temp().write("data/b/d.txt", "three\n");
    const EndedRun full = store.carry_out("full", "splits@1.1", data, {"--save-training-data"});
    if (full.version() != "1.2") throw std::runtime_error("no full run: " + full.message());
    const EndedRun evaluated = store.carry_out("evaluation", "splits@1.1", "letters@1");
    if (evaluated.status() != "Successful") throw std::runtime_error("no evaluation: " + evaluated.message());
    evaluation_run = evaluated.folder.filename().string();
    training_run = trained.folder.filename().string();
    full_run = full.folder.filename().string();
    snapshot = trained.traceability().at("snapshot").get<std::string>();
  }
};

std::string text_in(const Path& file) {
  std::ifstream in(file.string(), std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const Path& file, const std::string& text) {
  fs::remove(file);
  std::ofstream out(file.string(), std::ios::binary);
  out << text;
  REQUIRE(out.good());
}

std::vector<std::string> lines_of(const Path& file) {
  std::vector<std::string> lines;
  std::istringstream in(text_in(file));
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void put_lines(const Path& file, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  put(file, text);
}

// The value of a key, whatever it is, becomes another one, in the same spelling of everything else.
using Change = std::function<void(const Path& store)>;

Change set_json(const std::string& file, const std::vector<std::string>& keys, const Json& value) {
  return [=](const Path& store) {
    const bool readable_form = file.ends_with("_results.json");
    Json json = Json::parse(text_in(store / file));
    Json* at = &json;
    for (const std::string& key : keys) at = at->is_array() ? &at->at(std::stoul(key)) : &at->at(key);
    REQUIRE(*at != value);
    *at = value;
    put(store / file, readable_form ? readable(json) : canonical(json) + "\n");
  };
}

Change on_lines(const std::string& file, const std::function<void(std::vector<std::string>&)>& change) {
  return [=](const Path& store) {
    std::vector<std::string> lines = lines_of(store / file);
    const std::vector<std::string> before = lines;
    change(lines);
    REQUIRE(lines != before);
    put_lines(store / file, lines);
  };
}

Change gone(const std::string& file) {
  return [=](const Path& store) { REQUIRE(fs::remove_all(store / file) > 0); };
}

Change copied(const std::string& from, const std::string& to) {
  return [=](const Path& store) { put(store / to, text_in(store / from)); };
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

constexpr const char* kJournal = "journal/entries.jsonl";
constexpr const char* kHead = "journal/head.json";
constexpr const char* kDecisions = "packages/splits/decisions.jsonl";

// As somebody does who knows the format: every line names the one before.
std::vector<std::string> chained(const std::vector<std::string>& lines) {
  std::vector<std::string> all;
  for (const std::string& line : lines) {
    Json json = Json::parse(line);
    json["sequence"] = all.size();
    json["previous"] = all.empty() ? Json(nullptr) : Json(merkle_leaf(all.back()).hex());
    all.push_back(canonical(json));
  }
  return all;
}

struct Tampering {
  std::string name;
  Change change;
  std::vector<std::string> audited;  // what to audit; nothing for the store
  std::string named;                 // what a broken link has to name
};

std::string digest_of_other() { return sha256("something else").hex(); }

void add_records(const Whole& whole, std::vector<Tampering>& all) {
  const std::string version = "packages/splits/1.1.json";
  const Json other = digest_of_other();
  const std::vector<std::tuple<std::string, std::vector<std::string>, Json>> fields = {
      {"another tree", {"tree", "digest"}, other},
      {"more files", {"tree", "files"}, 77},
      {"another zip", {"zip", "digest"}, other},
      {"another time", {"created_at"}, "2020-01-01T00:00:00.000000Z"},
      {"another parent", {"parent"}, "7.7"},
      {"no run", {"run"}, nullptr},
      {"another log", {"change_log"}, "better now"},
      {"a score", {"score"}, 0.99},
      {"another builder", {"abi", "builder"}, "g++ 99"}};
  for (const auto& [what, keys, value] : fields)
    all.push_back({"version: " + what, set_json(version, keys, value), {"splits@1.2"}, "1.1"});
  all.push_back({"version: gone", gone(version), {}, "packages/splits/1.1.json"});
  all.push_back({"version: gone, its run asked", gone(version), {whole.training_run}, "packages/splits/1.1.json"});
  all.push_back({"version: planted", copied(version, "packages/splits/1.9.json"), {}, "packages/splits/1.9.json"});
  all.push_back(
      {"version: replaced by another", copied("packages/splits/1.0.json", version), {}, "packages/splits/1.1.json"});
  all.push_back(
      {"version: empty", [=](const Path& store) { put(store / version, ""); }, {}, "packages/splits/1.1.json"});
  all.push_back({"version: half",
                 [=](const Path& store) { put(store / version, text_in(store / version).substr(0, 90)); },
                 {},
                 "packages/splits/1.1.json"});
  const std::string snapshot = "snapshots/" + whole.snapshot + ".json";
  all.push_back({"snapshot: another source",
                 set_json(snapshot, {"source"}, "/elsewhere"),
                 {"splits@1.1"},
                 whole.snapshot.substr(0, 12)});
  all.push_back({"snapshot: another time",
                 set_json(snapshot, {"created_at"}, "2020-01-01T00:00:00.000000Z"),
                 {},
                 whole.snapshot});
  all.push_back({"snapshot: gone", gone(snapshot), {"splits@1.1"}, whole.snapshot.substr(0, 12)});
  all.push_back(
      {"snapshot: planted", copied(snapshot, "snapshots/" + digest_of_other() + ".json"), {}, digest_of_other()});
  all.push_back({"dataset: another source",
                 set_json("datasets/letters/1.json", {"source"}, "/elsewhere"),
                 {},
                 "datasets/letters/1.json"});
  all.push_back({"dataset: another tree",
                 set_json("datasets/letters/1.json", {"tree", "digest"}, other),
                 {},
                 "datasets/letters/1.json"});
  all.push_back({"dataset: gone", gone("datasets/letters/1.json"), {}, "datasets/letters/1.json"});
  all.push_back({"dataset: planted",
                 copied("datasets/letters/1.json", "datasets/letters/2.json"),
                 {},
                 "datasets/letters/2.json"});
}

void add_results(const Whole& whole, std::vector<Tampering>& all) {
  const std::string results = "runs/" + whole.training_run + "/_results.json";
  const std::string run = whole.training_run;
  const Json other = digest_of_other();
  const std::vector<std::tuple<std::string, std::vector<std::string>, Json>> fields = {
      {"another end", {"run_summary", "end_at"}, 1.5},
      {"another parameter", {"parameters", "env", "artifacts_directory"}, "elsewhere"},
      {"another source of data", {"traceability", "datasets", "0", "source"}, "/elsewhere"},
      {"other data", {"traceability", "datasets", "0", "tree", "digest"}, other},
      {"another parent", {"traceability", "parent", "tree", "digest"}, other},
      {"another version", {"traceability", "version", "zip", "digest"}, other},
      {"other artifacts", {"traceability", "artifacts", "digest"}, other},
      {"another host", {"traceability", "host"}, "elsewhere"},
      {"another runner", {"traceability", "runner"}, "trainyard 99"},
      {"a tag", {"traceability", "tags"}, {{"reviewed", "yes"}}}};
  for (const auto& [what, keys, value] : fields)
    all.push_back({"results: " + what, set_json(results, keys, value), {"splits@1.2"}, run});
  for (const auto& [what, keys, value] : fields) {
    const bool contradicts = what == "another end" || what == "another source of data";
    const bool seen_at_once = contradicts || what == "other data";
    all.push_back({"results file: " + what,
                   set_json(results, keys, value),
                   {results},
                   seen_at_once ? "the document itself" : "the document as the store wrote it"});
  }
  all.push_back({"results: gone", gone(results), {"splits@1.1"}, run});
  all.push_back({"results: a line more",
                 [=](const Path& store) { put(store / results, text_in(store / results) + "\n"); },
                 {},
                 run});
  all.push_back({"results: those of another run",
                 copied("runs/" + whole.full_run + "/_results.json", results),
                 {"splits@1.1"},
                 run});
  all.push_back({"run: gone", gone("runs/" + run), {}, run});
  const std::string artifacts = "runs/" + whole.full_run + "/artifacts";
  all.push_back({"artifacts: a file more",
                 [=](const Path& store) { put(store / artifacts / "planted.txt", "hello"); },
                 {whole.full_run},
                 "planted.txt is new"});
  all.push_back({"artifacts: gone", gone(artifacts), {whole.full_run}, "artifacts"});
  all.push_back({"artifacts: a link instead",
                 [=](const Path& store) {
                   fs::remove_all(store / artifacts);
                   fs::create_directory_symlink("/tmp", store / artifacts);
                 },
                 {whole.full_run},
                 "artifacts"});
}

void add_evaluation(const Whole& whole, std::vector<Tampering>& all) {
  const std::string folder = "runs/" + whole.evaluation_run;
  const std::string file = folder + "/attestations.intoto.jsonl";
  all.push_back({"evaluation: another score",
                 set_json(folder + "/_results.json", {"traceability", "score"}, 0.999),
                 {whole.evaluation_run},
                 whole.evaluation_run});
  all.push_back({"evaluation: another attestation",
                 on_lines(file, [](auto& lines) { lines[0] = replaced(lines[0], "payload\":\"e", "payload\":\"f"); }),
                 {whole.evaluation_run},
                 "of run run-"});
  all.push_back({"evaluation: its dataset changed",
                 set_json("datasets/letters/1.json", {"source"}, "/elsewhere"),
                 {whole.evaluation_run},
                 "dataset letters@1"});
}

void add_decisions(std::vector<Tampering>& all) {
  const auto change = [](const std::string& from, const std::string& to) {
    return on_lines(kDecisions, [=](std::vector<std::string>& lines) { lines[0] = replaced(lines[0], from, to); });
  };
  all.push_back({"decision: another reason", change("good enough", "excellent"), {}, "decisions on splits"});
  all.push_back({"decision: rejected", change("approved", "rejected"), {"splits@1.2"}, "decisions on splits"});
  all.push_back({"decision: taken out",
                 on_lines(kDecisions, [](auto& lines) { lines.erase(lines.begin()); }),
                 {},
                 "decisions on splits"});
  all.push_back({"decision: the last gone",
                 on_lines(kDecisions, [](auto& lines) { lines.pop_back(); }),
                 {},
                 "decisions on splits"});
  all.push_back({"decision: in another order",
                 on_lines(kDecisions, [](auto& lines) { std::swap(lines[0], lines[1]); }),
                 {},
                 "decisions on splits"});
  all.push_back(
      {"decision: put in",
       on_lines(kDecisions, [](auto& lines) { lines.push_back(replaced(lines[1], "production", "staging")); }),
       {},
       "decisions on splits"});
  all.push_back({"decisions: all gone", gone(kDecisions), {}, "decisions on splits"});
}

void add_journal(std::vector<Tampering>& all) {
  const auto edit = [](std::size_t line, const std::string& key, const Json& value) {
    return on_lines(kJournal, [=](std::vector<std::string>& lines) {
      Json json = Json::parse(lines.at(line));
      json[key] = value;
      lines[line] = canonical(json);
    });
  };
  all.push_back({"journal: another actor", edit(1, "actor", "mallory"), {}, "line 1 of the journal"});
  all.push_back({"journal: another time", edit(2, "time", "2020-01-01T00:00:00.000000Z"), {}, "line 2 of the journal"});
  all.push_back({"journal: another digest", edit(4, "digest", digest_of_other()), {}, "line 4 of the journal"});
  all.push_back({"journal: another action", edit(1, "action", "version_removed"), {}, "line 1 of the journal"});
  all.push_back({"journal: another subject", edit(1, "subject", "other@1.0"), {}, "line 1 of the journal"});
  all.push_back({"journal: a record without its digest", edit(1, "record", "{}"), {}, "line 1 of the journal"});
  all.push_back({"journal: another number", edit(3, "sequence", 9), {}, "line 9 of the journal"});
  all.push_back({"journal: the first line gone",
                 on_lines(kJournal, [](auto& lines) { lines.erase(lines.begin()); }),
                 {},
                 "line 1 of the journal"});
  all.push_back({"journal: a line gone",
                 on_lines(kJournal, [](auto& lines) { lines.erase(lines.begin() + 3); }),
                 {},
                 "stands where line 3"});
  all.push_back({"journal: the last line gone",
                 on_lines(kJournal, [](auto& lines) { lines.pop_back(); }),
                 {},
                 "last ones were taken away"});
  all.push_back({"journal: half of the last line gone",
                 [](const Path& store) {
                   const std::string text = text_in(store / kJournal);
                   put(store / kJournal, text.substr(0, text.size() - 30));
                 },
                 {},
                 "last ones were taken away"});
  all.push_back({"journal: two lines swapped",
                 on_lines(kJournal, [](auto& lines) { std::swap(lines[2], lines[3]); }),
                 {},
                 "stands where line 2"});
  all.push_back({"journal: a line twice",
                 on_lines(kJournal, [](auto& lines) { lines.insert(lines.begin() + 2, lines[2]); }),
                 {},
                 "stands where line 3"});
  all.push_back({"journal: rubbish between",
                 on_lines(kJournal, [](auto& lines) { lines.insert(lines.begin() + 2, "rubbish"); }),
                 {},
                 "line 2 of the journal is none of Trainyard's"});
  all.push_back({"journal: gone", gone(kJournal), {}, "last ones were taken away"});
  all.push_back(
      {"journal: empty", [](const Path& store) { put(store / kJournal, ""); }, {}, "last ones were taken away"});
  all.push_back({"journal: a line gone, the rest chained anew",
                 on_lines(kJournal,
                          [](auto& lines) {
                            lines.erase(lines.begin() + 3);
                            lines = chained(lines);
                          }),
                 {},
                 "the head of the journal"});
  all.push_back({"journal: a line changed, the rest chained anew",
                 on_lines(kJournal,
                          [](auto& lines) {
                            lines[2] = replaced(lines[2], "root", "evil");
                            lines = chained(lines);
                          }),
                 {},
                 "the head of the journal"});
  all.push_back({"journal: its last line and its head gone",
                 [](const Path& store) {
                   on_lines(kJournal, [](auto& lines) { lines.pop_back(); })(store);
                   gone(kHead)(store);
                 },
                 {},
                 "the journal does not tell of"});
  all.push_back({"head: another root", set_json(kHead, {"payload"}, "e30="), {}, "the head of the journal"});
  all.push_back({"head: another signature",
                 [](const Path& store) {
                   Json head = Json::parse(text_in(store / kHead));
                   std::string sig = head["signatures"][0]["sig"].get<std::string>();
                   sig[20] = sig[20] == 'A' ? 'B' : 'A';
                   head["signatures"][0]["sig"] = sig;
                   put(store / kHead, readable(head));
                 },
                 {},
                 "the head of the journal"});
  all.push_back({"head: rubbish", [](const Path& store) { put(store / kHead, "rubbish"); }, {}, "head.json"});
  all.push_back({"key: another public key",
                 [](const Path& store) {
                   fs::remove(store / "keys/store.pub.pem");
                   fs::rename(store / "keys/store.pem", store / "old.pem");
                   fs::rename(store / "old.pem", store / "tmp/old.pem");
                 },
                 {},
                 "the head of the journal"});
}

void add_objects(const Whole& whole, std::vector<Tampering>& all) {
  const Json results = read_json(whole.store.root() / "runs" / whole.full_run / "_results.json");
  const auto tree = [&](const char* what) {
    return Digest::parse(results.at("traceability").at(what).at("tree").at("digest").get<std::string>()).value();
  };
  const Digest data =
      Digest::parse(results.at("traceability").at("datasets").at(0).at("tree").at("digest").get<std::string>()).value();
  const auto damaged = [](const Digest& digest) { return [=](const Path& store) { damage_object(store, digest); }; };
  all.push_back(
      {"object: the list of a version's files", damaged(tree("version")), {"splits@1.2"}, "content of splits@1.2"});
  all.push_back(
      {"object: the list of the parent's files", damaged(tree("parent")), {"splits@1.2"}, "content of splits@1.1"});
  all.push_back({"object: the list of the data", damaged(data), {whole.full_run}, "training data of run"});
  all.push_back({"object: a file of the data", damaged(sha256(kOther)), {"splits@1.1"}, "b/c.txt"});
  all.push_back({"object: a file of the data, the store asked", damaged(sha256(kOther)), {}, "b/c.txt"});
  all.push_back({"objects: a pack gone",
                 [](const Path& store) {
                   for (const auto& entry : fs::directory_iterator(store / "objects/packs")) {
                     fs::remove(entry.path());
                     return;
                   }
                 },
                 {},
                 ".pack"});
}

void add_attestations(std::vector<Tampering>& all) {
  const std::string file = "packages/splits/1.1.intoto.jsonl";
  const auto edited = [&](const std::string& key, const std::string& value) {
    return on_lines(file, [=](std::vector<std::string>& lines) {
      Json envelope = Json::parse(lines[0]);
      envelope[key] = value;
      lines[0] = canonical(envelope);
    });
  };
  all.push_back({"attestation: another payload", edited("payload", "e30="), {"splits@1.1"}, "of splits@1.1"});
  all.push_back({"attestation: another type", edited("payloadType", "text/plain"), {"splits@1.1"}, "of splits@1.1"});
  all.push_back({"attestation: another signature",
                 on_lines(file,
                          [](auto& lines) {
                            Json envelope = Json::parse(lines[0]);
                            envelope["signatures"][0]["sig"] = Json::parse(lines[1])["signatures"][0]["sig"];
                            lines[0] = canonical(envelope);
                          }),
                 {"splits@1.2"},
                 "of splits@1.1"});
  all.push_back({"attestation: one gone",
                 on_lines(file, [](auto& lines) { lines.pop_back(); }),
                 {"splits@1.1"},
                 "attestations of splits@1.1"});
  all.push_back({"attestation: that of another version",
                 copied("packages/splits/1.0.intoto.jsonl", file),
                 {"splits@1.1"},
                 "of splits@1.1"});
  all.push_back({"attestations: gone", gone(file), {"splits@1.1"}, "1.1.intoto.jsonl"});
  all.push_back({"attestations: gone, the store asked", gone(file), {}, "1.1.intoto.jsonl"});
  all.push_back({"attestations: half",
                 [=](const Path& store) { put(store / file, text_in(store / file).substr(0, 100)); },
                 {"splits@1.1"},
                 "1.1.intoto.jsonl"});
}

// The links that are broken, one a line.
std::string broken_in(const Json& audit) {
  std::string text;
  for (const Json& link : audit.at("links")) {
    if (link.at("verdict") == "BROKEN")
      text += link.at("link").get<std::string>() + ": " + link.at("why").get<std::string>() + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("an audit names what was changed, whatever it is, and finds nothing else") {
  const Whole whole;
  std::vector<Tampering> all;
  add_records(whole, all);
  add_results(whole, all);
  add_evaluation(whole, all);
  add_decisions(all);
  add_journal(all);
  add_attestations(all);
  add_objects(whole, all);
  CHECK(all.size() >= 60);

  for (const std::string& subject : {std::string(), std::string("splits@1.2"), std::string("splits@1.1"),
                                     whole.full_run, whole.training_run, whole.evaluation_run}) {
    Arguments arguments = {"audit"};
    if (!subject.empty()) arguments.push_back(subject);
    const Json sound = whole.store.json(arguments);
    INFO(subject << "\n" << broken_in(sound));
    CHECK(sound.at("sound") == true);
    CHECK(sound.at("verified").get<int>() > 5);
  }
  for (const Tampering& tampering : all) {
    const Path copy = whole.store.temp().path() / "tampered";
    fs::remove_all(copy);
    const auto copied_well = run_program({"/bin/cp", "-a", whole.store.root().string(), copy.string()}, {}, "/", "",
                                         std::chrono::seconds(60));
    REQUIRE(copied_well.ok());
    REQUIRE(copied_well->status.code == 0);
    tampering.change(copy);
    Arguments arguments = {"audit", "--json", "--store", copy.string()};
    for (const std::string& subject : tampering.audited)
      arguments.push_back(subject.starts_with("runs/") ? (copy / subject).string() : subject);
    const ProgramOutput output = whole.store.run(arguments);
    INFO(tampering.name << "\n" << output.out << output.err);
    CHECK(output.status.code == 1);
    const std::string broken = output.out.empty() ? output.err : broken_in(Json::parse(output.out));
    CHECK(broken.find(tampering.named) != std::string::npos);
    std::cout << std::left << std::setw(48) << tampering.name << broken.substr(0, broken.find('\n')) << "\n";
  }
  std::cout << all.size() << " tamperings" << std::endl;
}

}  // namespace trainyard::tampering_test
