// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/keyed_garbage.hpp"

#include <algorithm>

#include "storage/remotes/random_name.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::microseconds kSaysSoEvery = std::chrono::minutes(1);

}  // namespace

KeyedGarbage::KeyedGarbage(KeyStore& store, const PackageKeys& keys, std::function<Instant()> clock,
                           std::chrono::seconds older_than, Instant now)
    : store_(store),
      keys_(keys),
      clock_(std::move(clock)),
      began_(clock_()),
      told_now_(now),
      old_{now.microseconds - std::chrono::microseconds(older_than).count()},
      own_(random_name()),
      last_said_(now) {}

Instant KeyedGarbage::now() const {
  return {told_now_.microseconds + std::max<std::int64_t>(0, clock_().microseconds - began_.microseconds)};
}

Result<RemoteGarbage> KeyedGarbage::collect(Garbage what) {
  const bool removes = what == Garbage::remove;
  if (removes) TRY(begin());
  RemoteGarbage garbage;
  const auto all = [&]() -> Result<void> {
    const Sweep sweep = TRY(find());
    garbage.blobs = sweep.blobs.size();
    for (const KeyEntry& blob : sweep.blobs) garbage.bytes += blob.bytes;
    garbage.claims = sweep.claims.size();
    if (removes) TRY(remove(sweep));
    const auto wish = removes ? KeyStore::Unfinished::abandon : KeyStore::Unfinished::count;
    for (const std::string& prefix : {keys_.all(), keys_.entry()})
      garbage.uploads += TRY(store_.unfinished(prefix, old_, wish));
    return {};
  };
  const auto done = all();
  if (removes) {
    const auto ended = end();
    if (done.ok()) TRY(ended);
  }
  TRY(done);
  return garbage;
}

Result<void> KeyedGarbage::begin() {
  const std::string key = keys_.collecting();
  for (int i = 0; i < 2; ++i) {
    const auto created = store_.create(key, remote_document(Collecting{own_, now()}));
    if (created.ok() || created.error().code != Errc::exists) return created;
    const auto other = TRY(read_document(store_, key, collecting_from));
    if (other && other->collection == own_) return {};
    if (other && !is_stale(other->since, now())) break;
    TRY(store_.remove(key));
  }
  return fail(Errc::unavailable, "somebody else removes garbage from '" + keys_.all() + "' in " + store_.text() +
                                     "; try again when that is done");
}

// Who sleeps for longer than a collection holds must not go on removing when he wakes.
Result<void> KeyedGarbage::check_still_ours() {
  const Instant time = now();
  if (time.microseconds - last_said_.microseconds < kSaysSoEvery.count()) return {};
  const auto there = TRY(read_document(store_, keys_.collecting(), collecting_from));
  if (!there || there->collection != own_ ||
      time.microseconds - last_said_.microseconds > std::chrono::microseconds(kClaimHolds).count())
    return fail(Errc::unavailable, "removing garbage from '" + keys_.all() + "' in " + store_.text() +
                                       " took so long that somebody else may be at work there; try again");
  TRY(store_.replace(keys_.collecting(), remote_document(Collecting{own_, time})));
  last_said_ = time;
  return {};
}

Result<void> KeyedGarbage::end() {
  const auto there = TRY(read_document(store_, keys_.collecting(), collecting_from));
  if (!there || there->collection != own_) return {};
  return store_.remove(keys_.collecting());
}

Result<KeyedGarbage::Sweep> KeyedGarbage::find() {
  Sweep sweep;
  sweep.claims = TRY(stale_claims());
  for (const PackageVersion& version : TRY(visible_versions(store_, keys_))) {
    const auto published = TRY(read_document(store_, keys_.version(version), publication_from));
    if (published) TRY(mark(published->manifest.digest));
  }
  for (const RemoteLabel& label : TRY(remote_labels(store_, keys_))) TRY(mark(label.manifest.digest));
  sweep.attachments = TRY(mark_attachments());
  TRY(store_.list(keys_.blobs(), [&](const KeyEntry& entry) -> Result<void> {
    const auto digest = Digest::parse(std::string_view(entry.key).substr(keys_.blobs().size()));
    if (digest.ok() && needed_.count(*digest) == 0 && entry.modified < old_) sweep.blobs.push_back(entry);
    return {};
  }));
  return sweep;
}

Result<std::vector<std::string>> KeyedGarbage::stale_claims() {
  std::vector<std::string> names;
  TRY(store_.list(keys_.claims(), [&](const KeyEntry& entry) -> Result<void> {
    if (!document_name(entry.key, keys_.claims()).empty()) names.push_back(entry.key);
    return {};
  }));
  std::vector<std::string> stale;
  for (const std::string& name : names) {
    const auto claim = TRY(read_document(store_, name, publication_claim_from));
    if (!claim) continue;
    if (!is_stale(claim->since, now()))
      return fail(Errc::unavailable, claim->publisher + " publishes '" + name + "' in " + store_.text() + " since " +
                                         claim->since.short_text() + "; try again when that is done");
    stale.push_back(name);
  }
  return stale;
}

Result<void> KeyedGarbage::mark(const Digest& manifest) {
  if (!visible_.insert(manifest).second) return {};
  needed_.insert(manifest);
  const auto text = read_manifest(store_, keys_, manifest);
  if (!text.ok()) return within("nothing is removed, because a manifest that is needed cannot be read", text.error());
  const auto parsed = OciManifest::parse(*text);
  if (!parsed.ok())
    return within("nothing is removed, because a manifest that is needed cannot be read",
                  damaged(store_, keys_.blob(manifest), parsed.error()));
  for (const OciDescriptor& part : parsed->blobs()) needed_.insert(part.digest);
  return {};
}

// An attachment to an attachment is visible as well, so this goes on until nothing more is. What was attached lately may
// be to something that is about to be visible.
Result<std::vector<std::string>> KeyedGarbage::mark_attachments() {
  std::vector<KeyedAttachment> rest = TRY(attachments(store_, keys_.attached(), keys_));
  for (bool more = true; more;) {
    std::vector<KeyedAttachment> later;
    for (const KeyedAttachment& each : rest) {
      if (visible_.count(each.subject) != 0 || each.modified >= old_) {
        TRY(mark(each.manifest));
      } else {
        later.push_back(each);
      }
    }
    more = later.size() < rest.size();
    rest = std::move(later);
  }
  std::vector<std::string> dead;
  dead.reserve(rest.size());
  for (const KeyedAttachment& each : rest) dead.push_back(keys_.attached(each.subject, each.manifest));
  return dead;
}

// What leads to content goes before the content, so that an interruption leaves nothing that leads nowhere.
Result<void> KeyedGarbage::remove(const Sweep& sweep) {
  for (const std::string& attachment : sweep.attachments) {
    TRY(check_still_ours());
    TRY(store_.remove(attachment));
  }
  for (const KeyEntry& blob : sweep.blobs) {
    TRY(check_still_ours());
    TRY(store_.remove(blob.key));
  }
  for (const std::string& claim : sweep.claims) {
    TRY(check_still_ours());
    TRY(store_.remove(claim));
  }
  return {};
}

}  // namespace trainyard
