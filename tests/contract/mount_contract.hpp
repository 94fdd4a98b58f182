// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runner/mounts/mount_choice.hpp"
#include "runner/processes/run_program.hpp"

// What every way to present a dataset must keep, told by the files that a job sees and by those that the user has
// afterwards. Each function is one promise; they are run for every MountKind. Jobs are shell scripts that begin in the
// target.
namespace trainyard::mount_contract {

template <class T>
T must(Result<T> result) {
  INFO((result.ok() ? "" : result.error().message));
  REQUIRE(result.ok());
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

inline std::string setting(const char* variable, const char* otherwise) {
  const char* const value = std::getenv(variable);
  return value != nullptr ? value : otherwise;
}

// The program of tests/support/in_overlay.cpp.
inline std::string in_overlay_program() { return setting("TRAINYARD_IN_OVERLAY", TRAINYARD_IN_OVERLAY_PROGRAM); }

class ScratchFolder {
 public:
  ScratchFolder() : path_(scratch_name(must(real_path(setting("TMPDIR", "/tmp"))), "mounts")) {
    must(make_folder(path_));
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() { static_cast<void>(remove_tree(path_)); }
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Path path_;
};

inline void write_file(const Path& path, const std::string& bytes, unsigned mode = 0644) {
  must(make_folders(path.parent_path()));
  const UniqueFd fd = must(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  must(write_all(fd.get(), bytes, path));
  REQUIRE(::fchmod(fd.get(), mode) == 0);
}

// A name with everything that separates, escapes or ends something somewhere.
inline const std::string kOddName = "odd : , \\ \\134 ' \" % $x\n\t\xff\xfe";

// A dataset under such a name, and places for jobs.
class Scene {
 public:
  Scene() : dataset_(folder_.path() / kOddName) {
    write_file(dataset_ / "plain.txt", "one\ntwo\n");
    write_file(dataset_ / "empty", "");
    write_file(dataset_ / "run.sh", "#!/bin/sh\nexit 7\n", 0755);
    write_file(dataset_ / "folder/deep/er/values.csv", "1,2,3\n");
    write_file(dataset_ / "folder/other.csv", "4,5,6\n");
    write_file(dataset_ / "goes/away", "soon");
    write_file(dataset_ / kOddName / kOddName, "odd");
    std::string large;
    for (unsigned i = 0; large.size() < (std::size_t{3} << 20U) + 1; ++i) large += std::to_string(i * 2654435761U);
    write_file(dataset_ / "large.bin", large);
    must(make_folders(dataset_ / "hollow/hollower"));
  }
  [[nodiscard]] const Path& folder() const { return folder_.path(); }
  [[nodiscard]] const Path& dataset() const { return dataset_; }

 private:
  ScratchFolder folder_;
  Path dataset_;
};

// One job's place below a scene.
struct Job {
  Path target;
  Path layer;
  MountedDataset mounted;
};

inline std::pair<Job, Result<MountedDataset>> try_prepare(MountKind kind, const Path& place, const Path& dataset) {
  Job job{place / "target" / kOddName, place / "layer" / kOddName, {}};
  must(make_folders(job.target));
  must(make_folders(job.layer));
  auto mounted = make_mount(kind)->prepare(dataset, job.target, job.layer);
  return {std::move(job), std::move(mounted)};
}

inline Job prepare(MountKind kind, const Path& place, const Path& dataset) {
  auto [job, mounted] = try_prepare(kind, place, dataset);
  job.mounted = must(std::move(mounted));
  CHECK(job.mounted.kind == kind);
  CHECK(job.mounted.overlay.has_value() == (kind == MountKind::overlay));
  return job;
}

// Runs `script` where the job sees its data, with `argument` as $2.
inline Result<ProgramOutput> run(const Job& job, const std::string& script, const std::string& argument = "") {
  std::vector<std::string> argv;
  if (const auto& overlay = job.mounted.overlay) {
    argv = {in_overlay_program(), overlay->lower, overlay->upper, overlay->work, overlay->target, "--"};
  }
  const std::string from_target = "cd \"$1\"\n" + script;
  const std::vector<std::string> shell = {"/bin/sh", "-euc", from_target, "job", job.target.string(), argument};
  argv.insert(argv.end(), shell.begin(), shell.end());
  return run_program(argv, {{"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}, {"LC_ALL", "C"}}, "/", "",
                     std::chrono::seconds(60));
}

inline std::string must_print(const Result<ProgramOutput>& ended) {
  INFO((ended.ok() ? ended->err : ended.error().message));
  REQUIRE(ended.ok());
  REQUIRE(ended->status.code == 0);
  return ended->out;
}

inline const char* const kListing =
    "find . -mindepth 1 -printf '%y %p\\0' | sort -z\n"
    "find . -type f -perm -u+x -print0 | sort -z\n"
    "find . -type f -print0 | sort -z | xargs -0 -r sha256sum -z\n";

// Names, kinds, executable bits and contents in a folder, as seen from outside of any job.
inline std::string listing_of(const Path& folder) { return must_print(run(Job{folder, {}, {}}, kListing)); }

// Everything about every file of a tree that a careless mount could change, down to the change time of each inode.
inline std::string fingerprint(const Path& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  std::string print = path.string();
  for (const auto number :
       {static_cast<long long>(status.st_ino), static_cast<long long>(status.st_mode),
        static_cast<long long>(status.st_nlink), static_cast<long long>(status.st_uid),
        static_cast<long long>(status.st_gid), static_cast<long long>(status.st_size),
        static_cast<long long>(status.st_mtim.tv_sec), static_cast<long long>(status.st_mtim.tv_nsec),
        static_cast<long long>(status.st_ctim.tv_sec), static_cast<long long>(status.st_ctim.tv_nsec)}) {
    print += " " + std::to_string(number);
  }
  if (S_ISREG(status.st_mode)) {
    print += " " + std::to_string(std::hash<std::string>{}(must(read_file(path, std::size_t{1} << 30U))));
  }
  if (S_ISDIR(status.st_mode)) {
    for (const std::string& name : must(list_folder(path))) print += "\n" + fingerprint(path / name);
  }
  return print;
}

inline std::string mount_table() { return must(read_file("/proc/self/mountinfo", std::size_t{64} << 20U)); }

inline void wait_for(const Path& path) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_there(path) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  REQUIRE(is_there(path));
}

inline void shows_the_same_files(MountKind kind) {
  const Scene scene;
  const Job job = prepare(kind, scene.folder(), scene.dataset());
  const std::string expected = listing_of(scene.dataset());
  CHECK(expected.find("hollow/hollower") != std::string::npos);
  CHECK(must_print(run(job, kListing)) == expected);
  CHECK(listing_of(job.mounted.visible) == expected);
}

inline const char* const kChanges = R"sh(
  echo new > created
  mkdir -p made/deeper && echo new > made/deeper/file
  echo over > plain.txt
  printf 9 | dd of=folder/other.csv conv=notrunc bs=1 seek=2 status=none
  echo 'exit 8' >> run.sh
  truncate -s 5 large.bin
  mv folder/deep/er/values.csv folder/deep/renamed.csv
  mv folder moved
  rm empty
  rm -r goes
  mkdir goes && echo other > goes/elsewhere
  rmdir hollow/hollower
  chmod 0600 moved/other.csv
  touch -d 2001-02-03 moved/deep
  ln -s plain.txt link
  ln created hard
  for file in odd*/*; do echo even > "$file"; done

  [ "$(cat plain.txt)" = over ]
  [ "$(cat moved/other.csv)" = 4,9,6 ]
  [ "$(cat moved/deep/renamed.csv)" = 1,2,3 ]
  [ "$(tail -n 1 run.sh)" = 'exit 8' ]
  [ "$(stat -c %s large.bin)" = 5 ]
  [ "$(ls goes)" = elsewhere ]
  [ "$(find . -mindepth 1 | grep -c '^\./')" = 19 ]
  [ -z "$(find . -name '.wh*' -o -type c)" ]
  [ ! -e folder ] && [ ! -e empty ] && [ -d hollow ] && [ ! -e hollow/hollower ]
)sh";

inline void keeps_changes_private(MountKind kind) {
  const Scene scene;
  const std::string before = fingerprint(scene.dataset());
  const Job job = prepare(kind, scene.folder(), scene.dataset());
  must_print(run(job, kChanges));
  CHECK(fingerprint(scene.dataset()) == before);
}

inline void lets_a_read_only_dataset_be_changed(MountKind kind) {
  const Scene scene;
  must_print(run(Job{scene.dataset(), {}, {}}, "chmod -R a-w ."));
  const std::string before = fingerprint(scene.dataset());
  const Job job = prepare(kind, scene.folder(), scene.dataset());
  if (kind != MountKind::overlay) CHECK(must_print(run(job, "find . ! -perm -u+w")).empty());
  must_print(run(job, std::string("chmod -R u+w .\n") + kChanges));
  CHECK(fingerprint(scene.dataset()) == before);
}

inline void keeps_jobs_apart(MountKind kind) {
  const Scene scene;
  const Job one = prepare(kind, scene.folder() / "one", scene.dataset());
  const Job two = prepare(kind, scene.folder() / "two", scene.dataset());
  const Path meeting = scene.folder() / "meeting";
  must(make_folder(meeting));
  const auto script = [](const std::string& me, const std::string& other) {
    return "echo " + me + " > plain.txt; echo " + me + " > of_" + me + "; : > \"$2\"/" + me + "\nuntil [ -e \"$2\"/" +
           other + " ]; do sleep 0.01; done\n[ ! -e of_" + other + " ]; cat plain.txt";
  };
  auto first = std::async(std::launch::async, [&] { return run(one, script("one", "two"), meeting.string()); });
  auto second = std::async(std::launch::async, [&] { return run(two, script("two", "one"), meeting.string()); });
  const auto ended_first = first.get();
  const auto ended_second = second.get();
  CHECK(must_print(ended_first) == "one\n");
  CHECK(must_print(ended_second) == "two\n");
}

inline void mounts_nothing_for_others(MountKind kind) {
  const Scene scene;
  const std::string before = mount_table();
  const Job job = prepare(kind, scene.folder(), scene.dataset());
  const Path meeting = scene.folder() / "meeting";
  must(make_folder(meeting));
  auto running = std::async(std::launch::async, [&] {
    return run(job, ": > \"$2\"/inside; until [ -e \"$2\"/enough ]; do sleep 0.01; done", meeting.string());
  });
  wait_for(meeting / "inside");
  const std::string during = mount_table();
  const bool empty_here = must(list_folder(job.target)).empty();
  write_file(meeting / "enough", "");
  must_print(running.get());
  CHECK(during == before);
  CHECK(mount_table() == before);
  CHECK(empty_here == (kind == MountKind::overlay));
}

inline void refuses_what_is_no_dataset(MountKind kind) {
  const Scene scene;
  const Path absent = scene.folder() / "absent";
  const auto missing = try_prepare(kind, scene.folder() / "1", absent).second;
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Errc::not_found);
  CHECK_THAT(missing.error().message, Catch::Contains(absent.string()));

  const Path file = scene.folder() / "file";
  write_file(file, "x");
  for (const Path& wrong : {file, file / "below"}) {
    const auto refused = try_prepare(kind, scene.folder() / "2", wrong).second;
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Errc::invalid);
    CHECK_THAT(refused.error().message, Catch::Contains(wrong.string()));
  }

  const auto swallowed = try_prepare(kind, scene.dataset() / "runs", scene.dataset()).second;
  REQUIRE_FALSE(swallowed.ok());
  CHECK(swallowed.error().code == Errc::invalid);
  CHECK_THAT(swallowed.error().message, Catch::Contains("contains the run's own folder"));
}

}  // namespace trainyard::mount_contract
