// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "storage/files/files.hpp"
#include "storage/journal/store_journal.hpp"
#include "storage/objects/pack_objects.hpp"
#include "storage/store/store_config.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

// A store: one folder on one file system that holds everything Trainyard keeps.
//
//   format                     {"format":3}; another one is refused, naming both
//   config.json                what somebody decided for all who use it; need not be there
//   journal/                   what happened to the records, in order: storage/journal/store_journal.hpp
//   objects/                   content by SHA-256: storage/objects/pack_objects.hpp
//   packages/<name>/1.4.json   a version record; <name> in lower case; 1.4.removed once the version was taken away
//   packages/<name>/decisions.jsonl, 1.4.intoto.jsonl   what was decided on versions; what is attested of one
//   snapshots/<digest>.json    a snapshot record
//   datasets/<name>/3.json     a version of a named dataset; <name> in lower case
//   checkouts/<digest>/        trees written out for runs to read; made again when gone
//   keys/<name>.pem, .pub.pem  private and public keys: storage/keys/key_ring.hpp; made with the first key
//   runs/<run id>/             what a run leaves
//   queue/                     who waits for a slot and who has one: runner/core/slots.hpp; made again when gone
//   outbox/openlineage/        what runs told those who gather lineage, until it is taken: runner/outbox/event_outbox.hpp
//   remotes/<name>.json        where versions are published to: storage/remotes/remote_list.hpp
//   sweeps/<name>.json         a sweep over hyperparameters; <name>.lock beside it: who makes its runs
//   publications/<id>.json     what is to be visible on several remotes or on none: storage/remotes/pending_publications.hpp
//   active/<run id>            the runs that are not over; the process that drives one holds a lock on it
//   cache/runs.sqlite          an index of all runs; made again when gone
//   cache/uses.sqlite          an index of all files of all trees; made again when gone; cache/uses.lock: who changes it
//   cache/<digest>.stat        what the files of a folder looked like when it was captured last; made again when gone
//   cache/<digest>.bucket      what the objects of a bucket were when they were read last; made again when gone
//   cache/published/           what the layers of versions were; made again when gone
//   cache/pulls/<digest>/      what arrived of a version that is being pulled
//   venvs/<digest>/            virtual environments of Python packages; made again when gone
//   tmp/                       scratch of the living; what the dead left there is rubbish
class Store {
 public:
  static constexpr int kFormat = 3;

  // Makes a new, empty store. `exists` when there is one; `invalid` when the folder holds something else. What was
  // interrupted can be repeated.
  static Result<void> create(const Path& root, Instant now);
  static Result<Store> open(const Path& root, PackObjects::DamagedIndex damaged = PackObjects::DamagedIndex::refuse);

  [[nodiscard]] const Path& root() const { return root_; }
  [[nodiscard]] PackObjects& objects() const { return *objects_; }
  [[nodiscard]] StoreJournal journal() const { return {root_, scratch()}; }
  [[nodiscard]] Path packages() const { return root_ / "packages"; }
  [[nodiscard]] Path snapshots() const { return root_ / "snapshots"; }
  [[nodiscard]] Path datasets() const { return root_ / "datasets"; }
  [[nodiscard]] Path checkouts() const { return root_ / "checkouts"; }
  // Where the stat cache of a folder rests; `folder` is absolute.
  [[nodiscard]] Path stat_cache_of(const Path& folder) const;
  // Where what is known of the objects below the address of a bucket rests.
  [[nodiscard]] Path bucket_cache_of(const std::string& address) const;
  [[nodiscard]] Path virtual_environments() const { return root_ / "venvs"; }
  [[nodiscard]] Result<StoreConfig> config() const;
  Result<void> set_config(const StoreConfig& config) const;
  [[nodiscard]] Path run_index() const { return root_ / "cache" / "runs.sqlite"; }
  [[nodiscard]] Path keys() const { return root_ / "keys"; }
  [[nodiscard]] Path use_index() const { return root_ / "cache" / "uses.sqlite"; }
  [[nodiscard]] Path use_lock() const { return root_ / "cache" / "uses.lock"; }
  [[nodiscard]] Path runs() const { return root_ / "runs"; }
  [[nodiscard]] Path active() const { return root_ / "active"; }
  [[nodiscard]] Path queue() const { return root_ / "queue"; }
  // What waits to be told to others; need not be there.
  [[nodiscard]] Path outbox() const { return root_ / "outbox"; }
  // What is on its way to several remotes at once; need not be there.
  [[nodiscard]] Path publications() const { return root_ / "publications"; }
  // The sweeps over hyperparameters; need not be there.
  [[nodiscard]] Path sweeps() const { return root_ / "sweeps"; }
  // The remotes that the store knows; need not be there.
  [[nodiscard]] Path remotes() const { return root_ / "remotes"; }
  [[nodiscard]] Path scratch() const { return root_ / "tmp"; }

 private:
  Store(Path root, std::unique_ptr<PackObjects> objects) : root_(std::move(root)), objects_(std::move(objects)) {}

  Path root_;  // absolute
  std::unique_ptr<PackObjects> objects_;
};

}  // namespace trainyard
