// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "runner/cli/grammar.hpp"
#include "runner/cli/version.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

namespace {

constexpr const char* kFooter = R"(Examples:
  trainyard init --store ./store
  trainyard package add digits.zip
  trainyard run training digits --dataset ./data/training --save-training-data
  trainyard dataset add digits ./data
  trainyard run training digits --dataset digits@1/training
  trainyard sweep digits --dataset digits@1/training --param learning_rate=0.01,0.1 --metric loss
  trainyard runs list
  trainyard trace digits
  trainyard diff digits@1.1 digits@1.2
  trainyard reproduce digits@1.1
  trainyard snapshot checkout 3f2a91 ./data-of-that-run
  trainyard uses ./withdrawn.png
  trainyard publish digits@1.1 --to models --label production
  trainyard export argo digits@1.1 --image registry.example.com/trainyard:0.1
  trainyard store du

The store is --store, else the variable TRAINYARD_STORE, else ~/.trainyard.
Exit codes: 0 ok, 1 the package or run failed or the answer is no, 2 wrong usage or input, 3 store trouble,
4 auto-stopped, 130 cancelled.)";

// The command line as CLI11 sees it; `chosen_` is filled by the callback of the subcommand that was given.
class Grammar {
 public:
  Grammar()
      : app_("Runs versioned ML packages: trains them on a dataset, keeps what came of it and what it came from.",
             "trainyard") {
    app_.footer(kFooter);
    app_.set_version_flag("--version", std::string("trainyard ") + kVersion);
    app_.require_subcommand(1);
    common(&app_);
    add_command(&app_,
                command_words<command::Init>("init", "Make a new, empty store", "trainyard init --store ./store"));
    add_command(&app_,
                command_words<command::Doctor>(
                    "doctor",
                    "Tell what this machine has to keep packages apart from it, and what helps where something is "
                    "missing; exit code 1 where '--isolation strict' would be refused",
                    "trainyard doctor\n  trainyard doctor --json"));
    add_command(&app_, audit_words());
    add_command(&app_, diff_words("trainyard diff digits@1.1 digits@1.2"));
    add_command(&app_, reproduce_words());
    add_command(&app_, trace_words());
    add_command(&app_, uses_words());
    for (const CommandWords& command : attestation_words()) add_command(&app_, command);
    add_command(&app_, capsule_words());
    add_command(&app_, sweep_words());
    for (const CommandWords& command : publish_words()) add_command(&app_, command);
    for (const GroupWords& group :
         {package_words(), dataset_words(), run_words(), runs_words(), sweeps_words(), snapshot_words(), store_words(),
          journal_words(), key_words(), proof_words(), outbox_words(), remote_words(), plan_words(), export_words()}) {
      add_group(group);
    }
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

  void add_group(const GroupWords& words) {
    CLI::App* const group = app_.add_subcommand(words.name, words.description);
    group->require_subcommand(1);
    for (const CommandWords& command : words.commands) add_command(group, command);
  }

  // The options are bound to the command's value, which the callback takes once they are filled in.
  void add_command(CLI::App* above, const CommandWords& words) {
    CLI::App* const app = above->add_subcommand(words.name, words.description);
    app->footer("Example:\n  " + words.example);
    common(app);
    for (const Word& word : words.words) {
      CLI::Option* const option = std::visit([&](auto* value) { return add_word(app, word, value); }, word.value);
      option->required(word.need == Word::Need::required);
      if (!word.type.empty()) option->type_name(word.type);
    }
    app->callback([this, command = words.command] { chosen_ = command(); });
  }

  static CLI::Option* add_word(CLI::App* app, const Word& word, std::string* value) {
    return app->add_option(word.name, *value, word.help);
  }
  static CLI::Option* add_word(CLI::App* app, const Word& word, std::vector<std::string>* values) {
    CLI::Option* const option = app->add_option(word.name, *values, word.help);
    // An option is repeated for each value; arguments stand one after another.
    return word.name.starts_with('-') ? option->allow_extra_args(false) : option;
  }
  static CLI::Option* add_word(CLI::App* app, const Word& word, bool* given) {
    return app->add_flag(word.name, *given, word.help);
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
