// SPDX-License-Identifier: Apache-2.0
// The command line as people and scripts meet it.
#include <catch2/catch.hpp>

#include "tests/support/test_store.hpp"

namespace trainyard::command_line_test {
namespace {

struct Prepared {
  TestStore store;
  std::string snapshot;

  Prepared() {
    store.add("counts");
    store.temp().write("data/one.txt", "one\n");
    const EndedRun run = store.train("counts", store.temp().path() / "data", {"--save-training-data"});
    snapshot = run.traceability().at("snapshot").get<std::string>();
  }
};

bool is_plain(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return false;
  }
  return true;
}

TEST_CASE("Every command answers in text without escapes, and as one JSON document") {
  const Prepared prepared;
  const TestStore& store = prepared.store;
  const std::string temp = store.temp().path().string();
  const std::string counts = test_package("counts").string();
  // A command that makes something is given a place for each of its two turns.
  const std::vector<std::function<Arguments(const std::string& turn)>> commands = {
      [&](const std::string& turn) {
        return Arguments{"init", "--store", temp + "/store" + turn};
      },
      [&](const std::string&) {
        return Arguments{"package", "validate", counts + ".zip"};
      },
      [&](const std::string& turn) {
        return Arguments{"package", "pack", counts, "-o", temp + "/" + turn + ".zip"};
      },
      [&](const std::string&) {
        return Arguments{"package", "add", counts};
      },
      [&](const std::string&) {
        return Arguments{"package", "list"};
      },
      [&](const std::string&) {
        return Arguments{"package", "show", "counts"};
      },
      [&](const std::string&) {
        return Arguments{"run", "training", "counts", "--dataset", temp + "/data", "--allow-repeat"};
      },
      [&](const std::string&) {
        return Arguments{"runs", "list"};
      },
      [&](const std::string&) {
        return Arguments{"runs", "show", "run-1"};
      },
      [&](const std::string&) {
        return Arguments{"runs", "logs", "run-1"};
      },
      [&](const std::string&) {
        return Arguments{"runs", "logs", "run-1", "--timestamps"};
      },
      [&](const std::string&) {
        return Arguments{"snapshot", "create", temp + "/data"};
      },
      [&](const std::string&) {
        return Arguments{"dataset", "add", "numbers", temp + "/data"};
      },
      [&](const std::string&) {
        return Arguments{"dataset", "list"};
      },
      [&](const std::string&) {
        return Arguments{"dataset", "show", "numbers"};
      },
      [&](const std::string&) {
        return Arguments{"dataset", "show", "numbers@1"};
      },
      [&](const std::string&) {
        return Arguments{"snapshot", "list"};
      },
      [&](const std::string&) {
        return Arguments{"attestations", "counts"};
      },
      [&](const std::string&) {
        return Arguments{"attestations", "counts", "--format", "model-signing"};
      },
      [&](const std::string&) {
        return Arguments{"sign", "counts"};
      },
      [&](const std::string& turn) {
        return Arguments{"keys", "generate", "own-" + turn};
      },
      [&](const std::string&) {
        return Arguments{"keys", "list"};
      },
      [&](const std::string&) {
        return Arguments{"keys", "export", "store"};
      },
      [&](const std::string& turn) {
        return Arguments{"snapshot", "checkout", prepared.snapshot, temp + "/back" + turn};
      },
      [&](const std::string&) {
        return Arguments{"snapshot", "verify", prepared.snapshot.substr(0, 6)};
      },
      [&](const std::string&) {
        return Arguments{"uses", temp + "/data/one.txt"};
      },
      [&](const std::string&) {
        return Arguments{"proof", "root", "--trained", "counts@1.1"};
      },
      [&](const std::string& turn) {
        return Arguments{"proof", "make", prepared.snapshot, "--path", "one.txt", "-o", temp + "/" + turn + ".proof"};
      },
      [&](const std::string&) {
        return Arguments{"proof", "verify", temp + "/text.proof"};
      },
  };
  for (const auto& command : commands) {
    const Arguments plain = command("text");
    CAPTURE(plain);
    const ProgramOutput text = store.run(plain, {{"TERM", "xterm-256color"}});
    CHECK(text.status.code == 0);
    CHECK(text.err == "");
    CHECK(text.out != "");
    CHECK(is_plain(text.out));
    CHECK_THAT(text.out, Catch::EndsWith("\n"));

    Arguments with_json = command("json");
    with_json.emplace_back("--json");
    const ProgramOutput json = store.run(with_json);
    CHECK(json.status.code == 0);
    CHECK(json.err == "");
    CHECK(Json::accept(json.out));
  }
}

TEST_CASE("Empty listings are empty lists, and text that says what to do") {
  TestStore store;
  for (const char* const what : {"package", "dataset", "runs", "snapshot"}) {
    CHECK(store.json({what, "list"}) == Json::array());
    CHECK_THAT(store.must({what, "list"}), Catch::StartsWith("no ") && Catch::Contains("trainyard "));
  }
}

TEST_CASE("A listing tells what is there") {
  const Prepared prepared;
  const TestStore& store = prepared.store;
  const Json runs = store.json({"runs", "list"});
  REQUIRE(runs.size() == 1);
  CHECK(runs.at(0).at("name") == "run-1");
  CHECK(runs.at(0).at("status") == "Successful");
  CHECK(runs.at(0).at("version") == "1.1");
  const std::string table = store.must({"runs", "list"});
  for (const char* const cell : {"run-1", "counts@1.0", "Successful", "1.1"}) CHECK_THAT(table, Catch::Contains(cell));
  const Json snapshots = store.json({"snapshot", "list"});
  REQUIRE(snapshots.size() == 1);
  CHECK(snapshots.at(0).at("tree").at("digest") == prepared.snapshot);
  CHECK(snapshots.at(0).at("source") == (store.temp().path() / "data").string());
  CHECK(snapshots.at(0).at("run") == runs.at(0).at("run"));
  // A run is found by its name, its id, and the id's beginning or end.
  const auto id = runs.at(0).at("run").get<std::string>();
  for (const std::string& wanted : {std::string("run-1"), id, id.substr(0, 12), id.substr(28)}) {
    CHECK(store.json({"runs", "show", wanted}).at("run") == id);
  }
  // By name alone a package is its newest version.
  CHECK(store.json({"package", "show", "counts"}).at("version") == "1.1");
}

TEST_CASE("Times of log lines are told on request") {
  const Prepared prepared;
  const ProgramOutput plain = prepared.store.run({"runs", "logs", "run-1"});
  const ProgramOutput timed = prepared.store.run({"runs", "logs", "run-1", "--timestamps"});
  CHECK(plain.out == "log_loss=0.500000\nlog_loss=0.250000\nlog_loss=0.166667\n");
  CHECK_THAT(timed.out, Catch::Matches("(20[0-9-]+T[0-9:.]+Z stdout  log_loss=0\\.[0-9]+\n){3}"));
  const Json chunks = prepared.store.json({"runs", "logs", "run-1"});
  std::string text;
  for (const Json& chunk : chunks) text += chunk.at("text").get<std::string>();
  CHECK(text == plain.out);
}

TEST_CASE("Every command explains itself, with an example") {
  const TestStore store;
  const std::vector<Arguments> commands = {{},
                                           {"init"},
                                           {"package"},
                                           {"package", "validate"},
                                           {"package", "pack"},
                                           {"package", "add"},
                                           {"package", "list"},
                                           {"package", "show"},
                                           {"run"},
                                           {"run", "training"},
                                           {"runs"},
                                           {"runs", "list"},
                                           {"runs", "show"},
                                           {"runs", "logs"},
                                           {"trace"},
                                           {"export"},
                                           {"export", "argo"},
                                           {"outbox", "list"},
                                           {"outbox", "deliver"},
                                           {"snapshot"},
                                           {"snapshot", "create"},
                                           {"snapshot", "list"},
                                           {"snapshot", "checkout"},
                                           {"snapshot", "verify"}};
  for (Arguments command : commands) {
    CAPTURE(command);
    std::string words = "trainyard";
    for (const std::string& word : command) words += " " + word;
    for (const char* const help : {"--help", "-h"}) {
      Arguments asked = command;
      asked.emplace_back(help);
      const ProgramOutput output = store.run(asked);
      CHECK(output.status.code == 0);
      CHECK(output.err == "");
      CHECK_THAT(output.out, Catch::Contains("Example") && Catch::Contains("\n  " + words));
      CHECK(is_plain(output.out));
    }
  }
  const ProgramOutput version = store.run({"--version"});
  CHECK(version.status.code == 0);
  CHECK_THAT(version.out, Catch::Matches("trainyard [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_CASE("The store is found by option, by variable, and in the home folder, in this order") {
  const TestStore store;
  const std::string temp = store.temp().path().string();
  CHECK(store.run({"init", "--store", temp + "/by-option"}, {{"TRAINYARD_STORE", temp + "/by-variable"}}).status.code ==
        0);
  CHECK(is_there(temp + "/by-option/format"));
  CHECK_FALSE(is_there(temp + "/by-variable"));
  CHECK(store.run({"--store", temp + "/before", "init"}).status.code == 0);
  CHECK(is_there(temp + "/before/format"));
  const auto bare = [&](const Variables& variables) {
    auto output = run_program({TRAINYARD_PROGRAM, "init"}, variables, temp, "", std::chrono::seconds(60));
    REQUIRE(output.ok());
    return *output;
  };
  CHECK(bare({{"HOME", temp}}).status.code == 0);
  CHECK(is_there(temp + "/.trainyard/format"));
  const ProgramOutput homeless = bare({});
  CHECK(homeless.status.code == 2);
  CHECK_THAT(homeless.err, Catch::Contains("--store"));
}

}  // namespace
}  // namespace trainyard::command_line_test
