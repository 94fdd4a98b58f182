// SPDX-License-Identifier: Apache-2.0
#include "storage/values/resource_plan.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "storage/values/named_enum.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kExecutorNames[] = {"local", "slurm"};
constexpr int kMostPlanGpus = 1024;
constexpr std::size_t kMostArguments = 64;
constexpr std::size_t kLongestArgument = 4096;

// Those by which Trainyard starts a job and finds it again, and those that would make one job into several or let another
// process write where it writes.
constexpr std::array<std::string_view, 24> kOwnOptions = {
    "array",   "chdir",  "clusters", "dependency", "error",     "export",    "export-file",
    "help",    "hold",   "input",    "job-name",   "open-mode", "output",    "kill-on-invalid-dep",
    "nodes",   "ntasks", "parsable", "quiet",      "requeue",   "test-only", "usage",
    "version", "wait",   "wrap"};

bool is_word_of(const std::string& text, std::string_view further) {
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || further.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::optional<std::int64_t> number_or_null(Fields& fields, const char* key, std::int64_t most) {
  if (fields.nullable(key) == nullptr) return std::nullopt;
  return fields.integer(key, 1, most);
}

}  // namespace

std::string_view name_of(ExecutorKind kind) { return kExecutorNames[static_cast<std::size_t>(kind)]; }

Result<ExecutorKind> parse_executor_kind(std::string_view text) {
  if (const auto value = enum_named<ExecutorKind>(kExecutorNames, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of local, slurm");
}

Result<void> check_plan_name(const std::string& name) {
  const bool begins = !name.empty() && std::isalpha(static_cast<unsigned char>(name.front())) != 0;
  if (begins && name.size() <= 64 && is_word_of(name, "_.-")) return {};
  return fail(Errc::invalid,
              "'" + name +
                  "' is no name of a resource plan, which begins with a letter and goes on with letters, "
                  "digits, '_', '.' and '-', 64 characters at most");
}

Result<void> check_partition(const std::string& partition) {
  const bool plain = !partition.empty() && partition.size() <= 1024 && is_word_of(partition, "_.-,");
  if (plain && partition.front() != '-') return {};
  return fail(Errc::invalid, "'" + partition + "' is no name of a partition of Slurm");
}

Result<void> check_sbatch_argument(const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  const bool printable = std::all_of(argument.begin(), argument.end(), [](unsigned char c) { return c >= 0x20; });
  if (!name.starts_with("--") || name.size() < 3 || !is_word_of(name, "-") || !printable ||
      argument.size() > kLongestArgument) {
    return fail(Errc::invalid, "'" + argument + "' is no argument for sbatch of the form --option or --option=value");
  }
  // sbatch takes the beginning of an option's name for the whole, so "--arr" means "--array".
  const std::string_view option = std::string_view(name).substr(2);
  const auto own = std::find_if(kOwnOptions.begin(), kOwnOptions.end(),
                                [&](std::string_view each) { return each.starts_with(option); });
  if (own == kOwnOptions.end()) return {};
  return fail(Errc::invalid, "'" + argument + "' cannot be given to sbatch, because Trainyard sets --" +
                                 std::string(*own) + " itself");
}

Result<std::vector<std::string>> sbatch_arguments_from(const Json& json) {
  std::vector<std::string> arguments;
  if (!json.is_array()) return fail(Errc::invalid, "is not a list");
  if (json.size() > kMostArguments)
    return fail(Errc::invalid, "has more than " + std::to_string(kMostArguments) + " arguments");
  for (const Json& item : json) {
    if (!item.is_string()) return fail(Errc::invalid, "has an entry that is not a text");
    arguments.push_back(item.get<std::string>());
    TRY(check_sbatch_argument(arguments.back()));
  }
  return arguments;
}

Json to_json(const ResourcePlan& plan) {
  return {{"executor", plan.executor ? Json(name_of(*plan.executor)) : Json(nullptr)},
          {"cpu_thousandths", or_null(plan.cpu_thousandths)},
          {"memory_bytes", or_null(plan.memory_bytes)},
          {"gpus", or_null(plan.gpus)},
          {"nodes", or_null(plan.nodes)},
          {"partition", or_null(plan.partition)},
          {"time_ms", or_null(plan.time_ms)},
          {"arguments", plan.arguments}};
}

Result<ResourcePlan> resource_plan_from(const Json& json) {
  constexpr std::int64_t kLongest = std::int64_t{366} * 24 * 3600 * 1000;
  ResourcePlan plan;
  Fields fields(json, "the resource plan");
  plan.executor = fields.parsed_or_null("executor", parse_executor_kind);
  plan.cpu_thousandths = number_or_null(fields, "cpu_thousandths", 100'000'000);
  plan.memory_bytes = number_or_null(fields, "memory_bytes", INT64_MAX);
  if (fields.nullable("gpus") != nullptr) plan.gpus = static_cast<int>(fields.integer("gpus", 0, kMostPlanGpus));
  if (const auto nodes = number_or_null(fields, "nodes", kMostNodes)) plan.nodes = static_cast<int>(*nodes);
  plan.partition = fields.optional_text("partition");
  if (plan.partition) {
    if (const auto good = check_partition(*plan.partition); !good.ok()) fields.note("partition", good.error().message);
  }
  plan.time_ms = number_or_null(fields, "time_ms", kLongest);
  const auto arguments = fields.nested("arguments", sbatch_arguments_from);
  TRY(fields.finish());
  plan.arguments = *arguments;
  return plan;
}

}  // namespace trainyard
