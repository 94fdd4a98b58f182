// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "runner/cli/version.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

namespace {

constexpr const char* kFooter = R"(Examples:
  trainyard init --store ./store
  trainyard package add digits.zip
  trainyard run training digits --dataset ./data/training --save-training-data
  trainyard runs list
  trainyard snapshot checkout 3f2a91 ./data-of-that-run

The store is --store, else the variable TRAINYARD_STORE, else ~/.trainyard.
Exit codes: 0 ok, 1 the package or run failed, 2 wrong usage or input, 3 store trouble, 4 auto-stopped, 130 cancelled.)";

// The command line as CLI11 sees it; `chosen` is filled by the callback of the subcommand that was given.
class Grammar {
 public:
  Grammar()
      : app_("Runs versioned ML packages: trains them on a dataset, keeps what came of it and what it came from.",
             "trainyard") {
    app_.footer(kFooter);
    app_.set_version_flag("--version", std::string("trainyard ") + kVersion);
    app_.require_subcommand(1);
    common(&app_);
    leaf<command::Init>(&app_, "init", "Make a new, empty store", "trainyard init --store ./store");
    add_package();
    add_run();
    add_runs();
    add_snapshot();
  }

  std::variant<Invocation, Answer> parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      return Answer{ExitCode::ok, deepest(argc, argv)->help()};
    } catch (const CLI::CallForAllHelp&) {
      return Answer{ExitCode::ok, app_.help("", CLI::AppFormatMode::All)};
    } catch (const CLI::CallForVersion& version) {
      return Answer{ExitCode::ok, std::string(version.what()) + "\n"};
    } catch (const CLI::ParseError& error) {
      return Answer{ExitCode::usage, explain(error, argc, argv)};
    }
    return Invocation{std::move(*chosen_), std::move(store_), json_ ? Output::json : Output::text};
  }

 private:
  // Every subcommand takes the common options too, so that they may stand anywhere.
  void common(CLI::App* app) {
    app->add_option("--store", store_, "The store's folder")->type_name("DIR");
    app->add_flag("--json", json_, "Print one JSON document instead of text");
  }

  CLI::App* group(const char* name, const char* description) {
    CLI::App* const app = app_.add_subcommand(name, description);
    app->require_subcommand(1);
    return app;
  }

  // A subcommand that yields a Command of type T; the caller binds options to the value.
  template <class T>
  std::pair<CLI::App*, std::shared_ptr<T>> leaf(CLI::App* above, const char* name, const char* description,
                                                const char* example) {
    CLI::App* const app = above->add_subcommand(name, description);
    app->footer(std::string("Example:\n  ") + example);
    common(app);
    auto value = std::make_shared<T>();
    app->callback([this, value] { chosen_ = *value; });
    return {app, value};
  }

  void add_package() {
    CLI::App* const package = group("package", "Check, pack, add and look at packages");
    auto [validate, validated] =
        leaf<command::PackageValidate>(package, "validate", "Check a package without running any of its code",
                                       "trainyard package validate digits.zip");
    validate->add_option("package", validated->package, "A zip, or a folder with package.json")
        ->required()
        ->type_name("ZIP|DIR");
    auto [pack, packed] = leaf<command::PackagePack>(
        package, "pack", "Make the zip of a package folder; the same folder always gives the same bytes",
        "trainyard package pack ./digits --output digits.zip");
    pack->add_option("folder", packed->folder, "The folder with package.json")->required()->type_name("DIR");
    pack->add_option("-o,--output", packed->zip, "The zip to make; NAME.zip here when not given")->type_name("ZIP");
    auto [add, added] =
        leaf<command::PackageAdd>(package, "add", "Upload a package: version 1.0, or the next major of one that exists",
                                  "trainyard package add digits.zip --change-log 'first upload'");
    add->add_option("package", added->package, "A zip, or a folder with package.json")
        ->required()
        ->type_name("ZIP|DIR");
    add->add_option("--change-log", added->change_log, "What is new, in a sentence")->type_name("TEXT");
    leaf<command::PackageList>(package, "list", "List all versions of all packages", "trainyard package list --json");
    auto [show, shown] = leaf<command::PackageShow>(package, "show", "Show one version of a package",
                                                    "trainyard package show digits@1.1");
    show->add_option("package", shown->reference, "NAME or NAME@VERSION")->required()->type_name("PACKAGE");
  }

  void add_run() {
    CLI::App* const run = group("run", "Run a package");
    auto [training, trained] =
        leaf<command::RunTraining>(run, "training", "Train a package on a dataset; makes its next minor version",
                                   "trainyard run training digits@1.0 --dataset ./data/training --env epochs=20");
    training->add_option("package", trained->package, "NAME or NAME@VERSION; the newest version when none is given")
        ->required()
        ->type_name("PACKAGE");
    training->add_option("--dataset", trained->dataset, "The folder with the data; it is never changed")
        ->required()
        ->type_name("DIR");
    training->add_option("--name", trained->name, "A name for the run")->type_name("NAME");
    training->add_option("-e,--env", trained->environment, "A variable or hyperparameter; may be repeated")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    training->add_flag("--save-training-data", trained->save_training_data,
                       "Keep a snapshot of exactly the data that the code sees");
    training->add_option("--max-runtime", trained->max_runtime, "Stop the run after this time, such as 90s, 30m or 8h")
        ->type_name("TIME");
    training->add_option("--grace", trained->grace, "How long a stopped run may take to end by itself (120s)")
        ->type_name("TIME");
    training->add_option("--mount", trained->mount, "How the data is presented: best, overlay, reflink or copy (best)")
        ->type_name("KIND");
  }

  void add_runs() {
    CLI::App* const runs = group("runs", "Look at runs");
    leaf<command::RunsList>(runs, "list", "List all runs, oldest first", "trainyard runs list");
    auto [show, shown] =
        leaf<command::RunsShow>(runs, "show", "Show one run and how it went", "trainyard runs show digits-5f0c1a2b");
    show->add_option("run", shown->run, "The run's name, its id, or the beginning or end of its id")
        ->required()
        ->type_name("RUN");
    auto [logs, logged] = leaf<command::RunsLogs>(runs, "logs", "Print what the package printed",
                                                  "trainyard runs logs digits-5f0c1a2b --timestamps");
    logs->add_option("run", logged->run, "The run's name, its id, or the beginning or end of its id")
        ->required()
        ->type_name("RUN");
    logged->stream = "all";
    logs->add_option("--stream", logged->stream, "all, stdout or stderr (all)")->type_name("STREAM");
    logs->add_flag("--timestamps", logged->timestamps, "Begin each line with its time");
  }

  void add_snapshot() {
    CLI::App* const snapshot = group("snapshot", "Keep the content of folders, and get it back");
    auto [create, created] = leaf<command::SnapshotCreate>(snapshot, "create", "Keep a folder as it is now",
                                                           "trainyard snapshot create ./data/training");
    create->add_option("folder", created->folder, "The folder")->required()->type_name("DIR");
    leaf<command::SnapshotList>(snapshot, "list", "List all snapshots, oldest first", "trainyard snapshot list");
    auto [checkout, taken] = leaf<command::SnapshotCheckout>(snapshot, "checkout", "Write a snapshot to a new folder",
                                                             "trainyard snapshot checkout 3f2a91 ./data-as-it-was");
    checkout->add_option("snapshot", taken->id, "The snapshot's id, or its beginning")
        ->required()
        ->type_name("SNAPSHOT");
    checkout->add_option("folder", taken->folder, "The folder to make")->required()->type_name("DIR");
    auto [verify, verified] = leaf<command::SnapshotVerify>(
        snapshot, "verify", "Read every byte of a snapshot and compare it with its digest",
        "trainyard snapshot verify 3f2a91");
    verify->add_option("snapshot", verified->id, "The snapshot's id, or its beginning")
        ->required()
        ->type_name("SNAPSHOT");
  }

  // The innermost subcommand that the words name; `stray` gets the first word after it that is neither an option nor a
  // subcommand.
  CLI::App* deepest(int argc, const char* const* argv, std::string* stray = nullptr) {
    CLI::App* app = &app_;
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word.starts_with("-")) {
        if (word == "--store") ++i;
        continue;
      }
      const auto inner =
          app->get_subcommands([&](const CLI::App* subcommand) { return subcommand->get_name() == word; });
      if (inner.empty()) {
        if (stray != nullptr) *stray = word;
        return app;
      }
      app = inner.front();
    }
    return app;
  }

  std::string explain(const CLI::ParseError& error, int argc, const char* const* argv) {
    std::string stray;
    CLI::App* const app = deepest(argc, argv, &stray);
    const std::string command = app->get_parent() == nullptr ? "trainyard" : full_name(app);
    std::string sentence = error.what();
    const auto subcommands = app->get_subcommands([](const CLI::App*) { return true; });
    if (!subcommands.empty()) {
      std::vector<std::string> names;
      for (const CLI::App* const subcommand : subcommands) names.push_back(subcommand->get_name());
      sentence = stray.empty() ? "'" + command + "' needs one of: " + CLI::detail::join(names, ", ")
                               : "'" + command + "' has no command '" + stray + "'" + did_you_mean(stray, names);
    } else if (const std::string option = unknown_option(app, argc, argv); !option.empty()) {
      sentence = "'" + command + "' has no option '" + option + "'" + did_you_mean(option, option_names(app));
    }
    return "trainyard: " + sentence + (sentence.ends_with('?') ? " " : "; ") + "see '" + command + " --help'\n";
  }

  static std::string full_name(const CLI::App* app) {
    return app->get_parent() == nullptr ? "trainyard" : full_name(app->get_parent()) + " " + app->get_name();
  }

  static std::vector<std::string> option_names(const CLI::App* app) {
    std::vector<std::string> names;
    for (const CLI::Option* const option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
  }

  static std::string unknown_option(const CLI::App* app, int argc, const char* const* argv) {
    const auto known = option_names(app);
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word == "--") break;
      const std::string name = word.substr(0, word.find('='));
      if (name.starts_with("--") && std::find(known.begin(), known.end(), name) == known.end()) return name;
    }
    return {};
  }

  CLI::App app_;
  std::string store_;
  bool json_ = false;
  std::optional<Command> chosen_;
};

}  // namespace

std::variant<Invocation, Answer> parse_arguments(int argc, const char* const* argv) {
  return Grammar().parse(argc, argv);
}

}  // namespace trainyard
