// SPDX-License-Identifier: Apache-2.0
//
// What a training run costs beyond the training: whole `trainyard run training` processes of a package that does
// nothing, on ten small files, beside the parts of it that nobody can avoid, each measured alone and in turn with the
// runs, so that a machine whose speed drifts does so for all of them.
#include <fcntl.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "runner/processes/run_program.hpp"
#include "storage/files/files.hpp"
#include "storage/packages/zip_reader.hpp"
#include "storage/packages/zip_writer.hpp"
#include "storage/trees/capture.hpp"

namespace {

using namespace trainyard;

constexpr auto kLongest = std::chrono::seconds(60);
// The plan, three entries of the journal (the run begins, its outputs are kept, it is published), the exit of the job, the
// version record, the results and the attestations; nothing else is new when nothing was learnt.
constexpr int kDurableRecords = 8;
// The journal of the store tells of the version, the results and the attestations.
constexpr int kDurableLines = 3;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "run_overhead: %s\n", why.c_str());
  std::exit(1);
}

void require(const Result<void>& result) {
  if (!result.ok()) give_up(result.error().message);
}

double milliseconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

void run_or_give_up(const std::vector<std::string>& argv, int expected) {
  const auto output = run_program(argv, {{"PATH", "/usr/bin:/bin"}}, "/", "", kLongest);
  if (!output.ok()) give_up(output.error().message);
  if (output->status.code != expected) give_up(argv[0] + " ended otherwise than expected: " + output->err);
}

struct Part {
  std::string name;
  std::function<void()> work;
  std::vector<double> measured = {};

  [[nodiscard]] double median() const {
    std::vector<double> sorted = measured;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 31;
  const auto self = real_path("/proc/self/exe");
  if (!self.ok() || rounds < 1) give_up("usage: run_overhead [ROUNDS]");
  const std::string trainyard = (self->parent_path() / "trainyard").string();
  const std::string worker = (self->parent_path() / "trainyard-worker").string();

  const Path folder = scratch_name(boost::filesystem::current_path(), "run-overhead");
  const std::string store = (folder / "store").string();
  const std::string data = (folder / "data").string();
  const Path package = folder / "package";
  require(make_folders(data));
  require(make_folders(package));
  for (int i = 0; i < 10; ++i) {
    require(publish_file(folder, folder / "data" / (std::to_string(i) + ".csv"),
                         std::string(4096, static_cast<char>('a' + i)), 0644, Durable::no));
  }
  run_or_give_up({trainyard, "init", "--store", store}, 0);
  run_or_give_up({trainyard, "package", "add", NOOP_ZIP, "--store", store}, 0);
  auto writer = FolderWriter::at(package);
  if (!writer.ok()) give_up(writer.error().message);
  if (const auto unpacked = unpack_zip(NOOP_ZIP, *writer); !unpacked.ok()) give_up(unpacked.error().message);
  const auto tree = capture(package, {});
  if (!tree.ok()) give_up(tree.error().message);
  const Path records = folder / "records";
  require(make_folder(records));

  int number = 0;
  const auto run = [&](const std::string& isolation) {
    run_or_give_up({trainyard, "run", "training", "noop", "--dataset", data, "--store", store, "--isolation", isolation,
                    "--allow-repeat"},
                   0);
  };
  Part whole{"whole run", [&] { run("best-effort"); }};
  Part bare{"whole run, without isolation", [&] { run("none"); }};
  Part program{"start of trainyard", [&] { run_or_give_up({trainyard, "--version"}, 0); }};
  Part start{"start of trainyard-worker", [&] { run_or_give_up({worker}, 2); }};
  Part probe{"overlay mounted and gone, with a start of its own", [&] {
               const Path layer = folder / ("layer" + std::to_string(number++));
               require(make_folder(layer));
               run_or_give_up({worker, "probe-overlay", data, layer.string()}, 0);
             }};
  Part durable{"durable record (write, fsync, link, fsync of the folder)",
               [&] { require(publish_file(folder, records / std::to_string(number++), "{}\n", 0444, Durable::yes)); }};
  Part line{"durable line (write, fsync)", [&] {
              const auto lines = open_file(records / "lines", O_WRONLY | O_CREAT | O_APPEND, 0644);
              require(lines.ok() ? write_all(lines->get(), std::string(700, 'x') + "\n", "lines") : lines.error());
              require(sync_file(lines->get(), "lines"));
            }};
  Part zip{"zip of the package", [&] {
             const Path target = folder / ("zip" + std::to_string(number++));
             const auto packed = pack_folder(package, "noop", tree->tree, target);
             if (!packed.ok()) give_up(packed.error().message);
           }};
  const std::vector<Part*> parts = {&whole, &bare, &program, &start, &probe, &durable, &line, &zip};
  for (int round = -1; round < rounds; ++round) {
    for (Part* const part : parts) {
      const double took = milliseconds_of(part->work);
      if (round >= 0) part->measured.push_back(took);
    }
  }
  require(remove_tree(folder));

  // The probe starts a worker only to mount; that start is not a part of a run.
  const double mount = std::max(0.0, probe.median() - start.median());
  const double unavoidable = program.median() + 2 * start.median() + mount + kDurableRecords * durable.median() +
                             kDurableLines * line.median() + zip.median();
  std::printf("medians of %d rounds, in milliseconds\n", rounds);
  std::printf("%8.2f  whole run\n", whole.median());
  std::printf("%8.2f  whole run without isolation: the sandbox costs %.2f\n", bare.median(),
              whole.median() - bare.median());
  std::printf("%8.2f  start of trainyard\n", program.median());
  std::printf("%8.2f  two starts of trainyard-worker\n", 2 * start.median());
  std::printf("%8.2f  overlay mount\n", mount);
  std::printf("%8.2f  %d durable records\n", kDurableRecords * durable.median(), kDurableRecords);
  std::printf("%8.2f  %d durable lines\n", kDurableLines * line.median(), kDurableLines);
  std::printf("%8.2f  zip of the package\n", zip.median());
  std::printf("%8.2f  sum of the parts; the run takes %.2f times as long\n", unavoidable, whole.median() / unavoidable);
  return 0;
}
