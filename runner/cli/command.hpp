// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runner/core/run_request.hpp"

// What a command line asks for, as values.
namespace trainyard {

enum class Output { text, json };

namespace command {

struct Init {};
struct PackageValidate {
  std::string package;  // a zip or a folder
};
struct PackagePack {
  std::string folder;
  std::string zip;  // empty: <name>.zip in the working directory
};
struct PackageAdd {
  std::string package;
  std::string change_log;
};
struct PackageList {};
struct PackageShow {
  std::string reference;
};
struct RunTraining {
  std::string package;
  std::string dataset;
  std::string name;                      // empty: made up
  std::vector<std::string> environment;  // K=V
  bool save_training_data = false;
  std::string grace;  // a duration, or empty
  std::string max_runtime;
  std::string mount;
};
struct RunsList {};
struct RunsShow {
  std::string run;
};
struct RunsLogs {
  std::string run;
  std::string stream;  // all, stdout, stderr
  bool timestamps = false;
};
struct SnapshotCreate {
  std::string folder;
};
struct SnapshotList {};
struct SnapshotCheckout {
  std::string id;
  std::string folder;
};
struct SnapshotVerify {
  std::string id;
};

}  // namespace command

using Command = std::variant<command::Init, command::PackageValidate, command::PackagePack, command::PackageAdd,
                             command::PackageList, command::PackageShow, command::RunTraining, command::RunsList,
                             command::RunsShow, command::RunsLogs, command::SnapshotCreate, command::SnapshotList,
                             command::SnapshotCheckout, command::SnapshotVerify>;

struct Invocation {
  Command command;
  std::string store;  // a path
  Output output = Output::text;
};

}  // namespace trainyard
