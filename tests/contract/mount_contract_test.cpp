// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/mount_contract.hpp"

#include <boost/filesystem/operations.hpp>
#include <ctime>

#include "runner/mounts/copy_tree.hpp"
#include "runner/mounts/dataset_folder.hpp"
#include "runner/mounts/mount_probe.hpp"
#include "runner/mounts/reflink_dataset_mount.hpp"
#include "runner/worker/private_overlay.hpp"
#include "storage/values/limits.hpp"

// The contract of every mount, then what is particular to one. Tests tagged [again] run this program once more
// somewhere else: as an ordinary user, and on a file system with reflinks. What the machine cannot do is skipped with a
// warning that says so.
namespace trainyard::mount_contract_test {

using namespace mount_contract;

namespace {

// Why a mount cannot be tried here, or nothing.
std::string obstacle(MountKind kind) {
  const Scene scene;
  if (kind == MountKind::reflink) {
    return can_reflink(scene.dataset(), scene.folder()) ? "" : "the folder of the tests has no reflinks";
  }
  if (kind == MountKind::copy) return "";
  const auto tried = run(prepare(kind, scene.folder(), scene.dataset()), "true");
  if (!tried.ok()) return tried.error().message;
  return tried->status.code == 0 ? "" : tried->err;
}

bool can_try(MountKind kind) {
  static std::map<MountKind, std::string> known;
  if (!known.contains(kind)) known[kind] = obstacle(kind);
  if (!known[kind].empty()) WARN("skipped for " << name_of(kind) << ": " << known[kind]);
  return known[kind].empty();
}

void for_every_mount(void (*promise)(MountKind)) {
  for (const MountKind kind : {MountKind::copy, MountKind::reflink, MountKind::overlay}) {
    INFO("the mount is " << name_of(kind));
    if (can_try(kind)) promise(kind);
  }
}

Path make_fresh_folder(const Path& above) {
  const Path folder = scratch_name(above, "fresh");
  must(make_folder(folder));
  return folder;
}

bool is_root() { return ::geteuid() == 0; }

// Runs this program again through `prefix`, a list of shell words, in a folder that everybody can use.
Result<ProgramOutput> run_again(const Path& folder, const std::string& prefix) {
  must(make_folder(folder / "again"));
  REQUIRE(::chmod(folder.c_str(), 0755) == 0);
  REQUIRE(::chmod((folder / "again").c_str(), 0777) == 0);
  const Path tests = folder / "tests";
  const Path in_overlay = folder / "in_overlay";
  boost::filesystem::copy_file("/proc/self/exe", tests);
  boost::filesystem::copy_file(in_overlay_program(), in_overlay);
  for (const Path& program : {tests, in_overlay}) REQUIRE(::chmod(program.c_str(), 0755) == 0);
  return run_program(
      {"/bin/sh", "-euc", prefix + " \"$1\" '[mount]' '~[again]'", "again", tests.string(), folder.string()},
      {{"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"},
       {"TMPDIR", (folder / "again").string()},
       {"TRAINYARD_IN_OVERLAY", in_overlay.string()}},
      "/", "", std::chrono::seconds(300));
}

void check_passed_with(const Result<ProgramOutput>& ended, MountKind kind) {
  REQUIRE(ended.ok());
  INFO(ended->out << ended->err);
  CHECK(ended->status.code == 0);
  CHECK_THAT(ended->out, !Catch::Contains("skipped for " + std::string(name_of(kind))));
}

}  // namespace

TEST_CASE("a job sees exactly the user's files", "[mount]") { for_every_mount(shows_the_same_files); }
TEST_CASE("what a job changes changes nothing of the user's", "[mount]") { for_every_mount(keeps_changes_private); }
TEST_CASE("a job can change a read-only dataset for itself", "[mount]") {
  for_every_mount(lets_a_read_only_dataset_be_changed);
}
TEST_CASE("two jobs on one dataset see nothing of each other", "[mount]") { for_every_mount(keeps_jobs_apart); }
TEST_CASE("a job leaves no mount behind and shows none to others", "[mount]") {
  for_every_mount(mounts_nothing_for_others);
}
TEST_CASE("what is no dataset is refused by name", "[mount]") { for_every_mount(refuses_what_is_no_dataset); }

TEST_CASE("the contract holds for an ordinary user", "[mount][again]") {
  if (!is_root()) return;  // then all of it was run as one
  const ScratchFolder folder;
  const auto ended = run_again(folder.path(), "exec setpriv --reuid=23456 --regid=23456 --clear-groups --no-new-privs");
  REQUIRE(ended.ok());
  if (ended->out.find("skipped for overlay: cannot present") != std::string::npos) {
    WARN("skipped: overlays do not work for ordinary users here");
    CHECK(ended->status.code == 0);
    return;
  }
  check_passed_with(ended, MountKind::overlay);
}

TEST_CASE("the contract holds on XFS with reflinks", "[mount][again]") {
  const ScratchFolder folder;
  const auto possible =
      run_program({"/bin/sh", "-euc",
                   "truncate -s 320M \"$1/disk\"; mkfs.xfs -q -m reflink=1 \"$1/disk\"; mkdir \"$1/$2\"\n"
                   "exec unshare -m mount -o loop \"$1/disk\" \"$1/$2\"",
                   "xfs", folder.path().string(), kOddName},
                  {{"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}}, "/", "", std::chrono::seconds(60));
  REQUIRE(possible.ok());
  if (possible->status.code != 0) {
    WARN("skipped: no XFS can be mounted here: " << possible->err);
    return;
  }
  // In a mount namespace of its own, so that nothing stays mounted whatever happens; and one that would share what a
  // job mounts, as the first namespace of most machines does.
  const auto ended = run_again(
      folder.path(),
      "exec unshare -m sh -euc 'mount --make-rprivate /; cd \"$1\"; shift; for place in \"$PWD\"/odd*; do\n"
      "mount -o loop disk \"$place\"; mount --make-rshared /; TMPDIR=\"$place\" exec \"$@\"; done' again \"$2\"");
  check_passed_with(ended, MountKind::reflink);
}

TEST_CASE("reflinks are refused with a sentence where there are none", "[mount]") {
  const Scene scene;
  if (can_reflink(scene.dataset(), scene.folder())) return;
  const auto refused = try_prepare(MountKind::reflink, scene.folder(), scene.dataset()).second;
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::invalid);
  CHECK_THAT(refused.error().message,
             Catch::Contains("empty' cannot share its content") && Catch::Contains("use the mount 'copy'"));
}

TEST_CASE("a copy has plain modes, and folders of their own", "[mount]") {
  const Scene scene;
  write_file(scene.dataset() / "secret", "x", 0400);
  write_file(scene.dataset() / "tool", "x", 04750);
  const Job job = prepare(MountKind::copy, scene.folder(), scene.dataset());
  CHECK(must_print(run(job, "stat -c %a secret tool plain.txt run.sh folder")) == "644\n755\n644\n755\n755\n");
}

TEST_CASE("a copy refuses what is neither a file nor a folder, by name", "[mount]") {
  const std::pair<const char*, const char*> rows[] = {{"ln -s plain.txt folder/strange", "a symbolic link"},
                                                      {"ln -s /nowhere folder/strange", "a symbolic link"},
                                                      {"ln -s . folder/strange", "a symbolic link"},
                                                      {"mkfifo folder/strange", "a fifo"}};
  for (const auto& [script, kind] : rows) {
    const Scene scene;
    must_print(run(Job{scene.dataset(), {}, {}}, script));
    const auto refused = try_prepare(MountKind::copy, scene.folder(), scene.dataset()).second;
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Errc::invalid);
    CHECK_THAT(refused.error().message,
               Catch::Contains((scene.dataset() / "folder/strange").string() + "' is " + kind));
  }
}

TEST_CASE("a copy names what cannot be read", "[mount]") {
  if (is_root()) return;  // who can read everything
  for (const std::string what : {"plain.txt", "folder/deep"}) {
    const Scene scene;
    REQUIRE(::chmod((scene.dataset() / what).c_str(), 0) == 0);
    const auto refused = try_prepare(MountKind::copy, scene.folder(), scene.dataset()).second;
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Errc::io);
    CHECK_THAT(refused.error().message, Catch::Contains((scene.dataset() / what).string() + "': Permission denied"));
  }
}

TEST_CASE("data that changes while it is copied is noticed, by name", "[mount]") {
  const Scene scene;
  const auto copy_while = [&](const std::string& script, const std::string& trigger) {
    const Path target = make_fresh_folder(scene.folder());
    return copy_tree(scene.dataset(), target,
                     [&](int from, const Path& source, int to, const Path& copy) -> Result<void> {
                       std::string bytes(std::size_t{4} << 20U, '\0');
                       bytes.resize(TRY(read_some(from, std::as_writable_bytes(std::span(bytes)), source)));
                       if (source.filename() == trigger) must_print(run(Job{scene.dataset(), {}, {}}, script));
                       return write_all(to, bytes, copy);
                     });
  };
  CHECK(copy_while("true", "plain.txt").ok());
  const std::pair<std::string, std::string> rows[] = {{"echo more >> plain.txt", "plain.txt"},
                                                      {"sed -i s/one/two/ plain.txt", "plain.txt"},
                                                      {"chmod 0600 plain.txt", "plain.txt"},
                                                      {"mtime=$(stat -c %y plain.txt); printf ONE | dd of=plain.txt "
                                                       "conv=notrunc status=none; touch -d \"$mtime\" plain.txt",
                                                       "plain.txt"}};
  for (const auto& [script, named] : rows) {
    INFO(script);
    const auto refused = copy_while(script, "plain.txt");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Errc::invalid);
    CHECK(refused.error().message == "'" + (scene.dataset() / named).string() + "' changed while it was being copied");
  }
  for (const std::string script : {": > folder/deep/er/late", "rm -f folder/other.csv"}) {
    INFO(script);
    const auto refused = copy_while(script, "values.csv");
    REQUIRE_FALSE(refused.ok());
    CHECK_THAT(refused.error().message,
               Catch::Contains("folder") && Catch::EndsWith("changed while it was being copied"));
  }
}

TEST_CASE("folders deeper than the limit are refused", "[mount]") {
  const ScratchFolder folder;
  const auto copy_of_depth = [&](std::size_t depth) {
    const Path source = make_fresh_folder(folder.path());
    Path deepest = source;
    for (std::size_t i = 0; i < depth; ++i) deepest /= "d";
    must(make_folders(deepest));
    const Path target = make_fresh_folder(folder.path());
    return make_mount(MountKind::copy)->prepare(source, target, target);
  };
  must(copy_of_depth(limits::kFolderDepth));
  const auto refused = copy_of_depth(limits::kFolderDepth + 1);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::invalid);
  CHECK_THAT(refused.error().message, Catch::Contains("deeper than 512 folders"));
}

TEST_CASE("an overlay shows links as they are", "[mount]") {
  if (!can_try(MountKind::overlay)) return;
  const Scene scene;
  must_print(run(Job{scene.dataset(), {}, {}}, "ln -s plain.txt link"));
  const std::string before = fingerprint(scene.dataset());
  const Job job = prepare(MountKind::overlay, scene.folder(), scene.dataset());
  CHECK(must_print(run(job, "readlink link; echo changed > link; cat plain.txt")) == "plain.txt\nchanged\n");
  CHECK(fingerprint(scene.dataset()) == before);
}

TEST_CASE("an overlay keeps what a job wrote in its layer, and moves folders without copying them where it can",
          "[mount]") {
  if (!can_try(MountKind::overlay)) return;
  const Scene scene;
  const Job job = prepare(MountKind::overlay, scene.folder(), scene.dataset());
  must_print(run(job, "echo new > created; mv folder moved"));
  const Path upper = job.mounted.overlay->upper;
  CHECK(must(read_file(upper / "created", 100)) == "new\n");
  CHECK(is_there(upper / "moved"));
  CHECK(is_there(upper / "moved/other.csv") == (mapped_ids() == MappedIds::own));
  CHECK(must(list_folder(job.target)).empty());
}

TEST_CASE("the overlay of a job cannot be used when the dataset is gone", "[mount]") {
  if (!can_try(MountKind::overlay)) return;
  const Scene scene;
  const Job job = prepare(MountKind::overlay, scene.folder(), scene.dataset());
  must(rename_path(scene.dataset(), scene.folder() / "elsewhere"));
  const auto ended = must(run(job, "true"));
  CHECK(ended.status.code == 125);
  CHECK_THAT(ended.err,
             Catch::StartsWith("cannot present the dataset '" + scene.dataset().string() + "' as an overlay: ") &&
                 Catch::Contains("No such file or directory"));
}

TEST_CASE("a mount below the dataset rules an overlay out", "[mount]") {
  const ScratchFolder folder;
  CHECK_FALSE(must(mounted_below(must(resolve_dataset(folder.path())))).has_value());
  // On the XFS of these tests, which is mounted under a name that the kernel writes with escapes.
  const Path tests = must(real_path(setting("TMPDIR", "/tmp")));
  if (tests.filename() == kOddName) CHECK(must(mounted_below(tests.parent_path())) == tests);
  // Nothing need be mounted for this: /dev has mounts below it nearly everywhere.
  const Path dataset = "/dev";
  const auto point = must(mounted_below(dataset));
  if (!point) return;
  CHECK_THAT(point->string(), Catch::StartsWith("/dev/"));
  const auto refused = try_prepare(MountKind::overlay, folder.path(), dataset).second;
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::invalid);
  CHECK_THAT(refused.error().message, Catch::StartsWith("'" + point->string() + "' is a mount below the dataset"));
}

TEST_CASE("the probe answers by trying, and remembers", "[mount]") {
  const Scene scene;
  const Path scratch = scene.folder() / "scratch";
  must(make_folder(scratch));
  const std::string before = fingerprint(scene.dataset());
  const MountFacts facts = must(probe_mounts(in_overlay_program(), scene.dataset(), scratch));
  CHECK(facts.overlay_works == can_try(MountKind::overlay));
  CHECK(facts.overlay_why_not.empty() == facts.overlay_works);
  CHECK(facts.owner_mapped);
  CHECK_FALSE(facts.mounted_below.has_value());
  CHECK(facts.reflink_works == can_reflink(scene.dataset(), scratch));
  CHECK(fingerprint(scene.dataset()) == before);

  const auto left = must(list_folder(scratch));
  REQUIRE(left.size() == 1);
  const Path cache = scratch / left[0];
  CHECK_THAT(left[0], Catch::StartsWith("mount-probe-") && Catch::EndsWith(".json"));

  // A program that does not exist shows who was asked.
  const Path nobody = scene.folder() / "no such program";
  CHECK(must(probe_mounts(nobody, scene.dataset(), scratch)) == facts);
  CHECK_FALSE(probe_mounts(nobody, scene.folder() / "absent", scratch).ok());

  const std::time_t now = std::time(nullptr);
  for (const std::time_t time : {now - 2 * 3600, now + 3600}) {
    boost::filesystem::last_write_time(cache, time);
    CHECK_FALSE(probe_mounts(nobody, scene.dataset(), scratch).ok());
  }
  for (const std::string wrong : {"", "{", "{\"schema\":\"trainyard.mount-probe/1\"}"}) {
    write_file(cache, wrong);
    CHECK_FALSE(probe_mounts(nobody, scene.dataset(), scratch).ok());
    CHECK(must(probe_mounts(in_overlay_program(), scene.dataset(), scratch)) == facts);
    CHECK(must(probe_mounts(nobody, scene.dataset(), scratch)) == facts);
  }
  CHECK(must(list_folder(scratch)).size() == 1);
}

TEST_CASE("an overlay that fails its probe does not work, and says why", "[mount]") {
  const Scene scene;
  const Path program = scene.folder() / "fails";
  const auto facts_with = [&](const std::string& script) {
    write_file(program, "#!/bin/sh\n" + script + "\n", 0755);
    const Path scratch = make_fresh_folder(scene.folder());
    return must(probe_mounts(program, scene.dataset(), scratch));
  };
  CHECK(facts_with("exit 3").overlay_why_not == "its probe ended without an answer");
  CHECK(facts_with("kill -9 $$").overlay_why_not == "its probe ended without an answer");
  const MountFacts facts = facts_with("echo 'no \377 here' >&2; exit 1");
  CHECK_FALSE(facts.overlay_works);
  CHECK(facts.overlay_why_not == "no \uFFFD here");
  // Its own files are not in question for a user who owns them.
  CHECK(facts.owner_mapped);
}

TEST_CASE("a dataset of somebody else is recognised", "[mount]") {
  if (is_root()) return;  // who can change every file
  const ScratchFolder folder;
  CHECK_FALSE(must(probe_mounts(in_overlay_program(), "/usr", folder.path())).owner_mapped);
}

}  // namespace trainyard::mount_contract_test
