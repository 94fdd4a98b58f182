// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/bucket_intake.hpp"

#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <mutex>

#include "storage/http/rate_limit.hpp"
#include "storage/remotes/folder_keys.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::bucket_intake_test {
namespace {

const RemoteAddress kAddress = RemoteAddress::parse("s3://data/digits").value();
constexpr Instant kLongAfter{std::int64_t{1} << 60};

// A key store that tells what is asked of it, and gives somebody else a turn.
class WatchedKeys final : public KeyStore {
 public:
  explicit WatchedKeys(const Path& root) : keys_(root, rate_) { REQUIRE(keys_.probe().ok()); }

  Result<void> create(const std::string& key, std::string_view bytes) override { return keys_.create(key, bytes); }
  Result<void> replace(const std::string& key, std::string_view bytes) override { return keys_.replace(key, bytes); }
  Result<void> put(const std::string& key, const Path& file, std::uint64_t bytes, const Digest& digest,
                   const Moved& moved) override {
    return keys_.put(key, file, bytes, digest, moved);
  }
  Result<std::optional<std::uint64_t>> size(const std::string& key) override { return keys_.size(key); }
  Result<std::string> read(const std::string& key, std::size_t most) override { return keys_.read(key, most); }
  Result<void> stream(const std::string& key, const Sink& sink) override { return keys_.stream(key, sink); }
  Result<KeyEntry> stream_listed(const KeyEntry& listed, const Sink& sink) override {
    ++streamed;
    {
      const std::lock_guard lock(mutex_);
      if (meanwhile) std::exchange(meanwhile, {})();
    }
    return keys_.stream_listed(listed, sink);
  }
  Result<void> list(const std::string& prefix, const std::function<Result<void>(const KeyEntry&)>& each) override {
    for (const KeyEntry& entry : also) TRY(each(entry));
    return keys_.list(prefix, [&](const KeyEntry& entry) -> Result<void> {
      return entry.key == kRemoteFileName ? Result<void>() : each(entry);
    });
  }
  Result<void> remove(const std::string& key) override { return keys_.remove(key); }
  Result<std::uint64_t> unfinished(const std::string& prefix, Instant before, Unfinished what) override {
    return keys_.unfinished(prefix, before, what);
  }
  Result<void> probe() override { return keys_.probe(); }
  [[nodiscard]] std::string text() const override { return keys_.text(); }

  std::atomic<int> streamed = 0;
  std::function<void()> meanwhile;  // once, when something is about to be read
  std::vector<KeyEntry> also;       // what a bucket may list and no folder has

 private:
  RateLimit rate_;
  FolderKeys keys_;
  std::mutex mutex_;
};

Store new_store(const Path& root) {
  REQUIRE(Store::create(root, Instant{0}).ok());
  return Store::open(root).value();
}

struct Bucket {
  TempFolder folder;
  Store store = new_store(folder.path() / "store");
  WatchedKeys keys{folder.path() / "bucket"};

  Result<BucketData> keep(Instant now = kLongAfter) { return keep_bucket_data(kAddress, keys, store, {}, now); }
  BucketData must_keep(Instant now = kLongAfter) {
    auto kept = keep(now);
    if (!kept.ok()) FAIL(kept.error().message);
    store.objects().release();
    return std::move(*kept);
  }
  void write(const std::string& key, const std::string& bytes) { REQUIRE(keys.replace(key, bytes).ok()); }
  std::string refusal(Errc code) {
    const auto kept = keep();
    REQUIRE_FALSE(kept.ok());
    CHECK(kept.error().code == code);
    CHECK(kept.error().message.find('\n') == std::string::npos);
    return kept.error().message;
  }
};

}  // namespace

TEST_CASE("what lies in a bucket becomes the tree of its keys", "[bucket]") {
  Bucket bucket;
  bucket.write("training/one.csv", "1\n");
  bucket.write("training/two.csv", "22\n");
  bucket.write("large.bin", std::string(3U << 20U, 'x'));
  bucket.write("empty", "");
  bucket.keys.also = {{"training/", 0, Instant{1}}, {"", 0, Instant{1}}};
  const BucketData data = bucket.must_keep();
  CHECK(data.fetched == 4);
  const Tree tree = load_tree(data.tree.digest, bucket.store.objects()).value();
  CHECK(data.tree == TreeSummary::of(tree));
  REQUIRE(tree.size() == 4);
  CHECK(tree.entry(0).digest == sha256(""));
  CHECK(tree.entry(1).digest == sha256(std::string(3U << 20U, 'x')));
  CHECK(tree.entry(2).path.text() == "training/one.csv");
  CHECK(tree.entry(3).digest == sha256("22\n"));
  CHECK(bucket.store.objects().read(sha256("22\n"), 10).value() == "22\n");
  REQUIRE(data.state.objects.size() == 4);
  CHECK(data.state.objects[0].path.text() == "empty");
  CHECK(data.state.objects[3].path.text() == "training/two.csv");
  CHECK(data.state.objects[3].bytes == 3);
  CHECK(data.state == BucketState::of(data.state.objects));
}

TEST_CASE("what is listed as before and still here is not fetched again", "[bucket]") {
  Bucket bucket;
  bucket.write("a", "1");
  bucket.write("b/c", "22");
  const BucketData first = bucket.must_keep();
  CHECK(bucket.keys.streamed == 2);
  const BucketData again = bucket.must_keep();
  CHECK(bucket.keys.streamed == 2);
  CHECK(again.fetched == 0);
  CHECK(again.tree == first.tree);
  CHECK(again.state == first.state);
  SECTION("one that changed is fetched, and no other") {
    bucket.write("a", "333");
    CHECK(bucket.must_keep().fetched == 1);
    CHECK(bucket.keys.streamed == 3);
  }
  SECTION("one that is gone is gone from the tree") {
    REQUIRE(bucket.keys.remove("a").ok());
    CHECK(bucket.must_keep().tree.files == 1);
    CHECK(bucket.keys.streamed == 2);
  }
  SECTION("a cache that is gone or damaged costs time, and nothing else") {
    const Path cache = bucket.store.bucket_cache_of(kAddress.text());
    REQUIRE(is_there(cache));
    if (GENERATE(true, false)) {
      REQUIRE(remove_file(cache).ok());
    } else {
      boost::filesystem::resize_file(cache, boost::filesystem::file_size(cache) - 3);
    }
    CHECK(bucket.must_keep().tree == first.tree);
    CHECK(bucket.keys.streamed == 4);
  }
  SECTION("what is known of one bucket is not taken for what is in another") {
    const RemoteAddress other = RemoteAddress::parse("s3://data/digits?region=x").value();
    REQUIRE(keep_bucket_data(other, bucket.keys, bucket.store, {}, kLongAfter).ok());
    CHECK(bucket.keys.streamed == 4);
  }
}

TEST_CASE("without a tag, what was changed lately is fetched again", "[bucket]") {
  Bucket bucket;
  bucket.write("a", "1");
  bucket.must_keep(Instant{0});
  bucket.must_keep();
  CHECK(bucket.keys.streamed == 2);
}

TEST_CASE("data in a bucket that changes while it is read is noticed", "[bucket]") {
  Bucket bucket;
  bucket.write("a", "1");
  bucket.write("b", "2");
  SECTION("an object that is replaced") {
    bucket.keys.meanwhile = [&] {
      static_cast<void>(bucket.keys.replace("a", "one"));
      static_cast<void>(bucket.keys.replace("b", "two"));
    };
    CHECK(bucket.refusal(Errc::invalid).find("was changed while it was read") != std::string::npos);
  }
  SECTION("an object that is removed") {
    bucket.keys.meanwhile = [&] {
      static_cast<void>(bucket.keys.remove("a"));
      static_cast<void>(bucket.keys.remove("b"));
    };
    CHECK(bucket.refusal(Errc::invalid).find("was changed while it was read") != std::string::npos);
  }
  SECTION("an object that comes") {
    bucket.keys.meanwhile = [&] { static_cast<void>(bucket.keys.replace("c", "3")); };
    CHECK(bucket.refusal(Errc::invalid).find("'c'") != std::string::npos);
  }
}

TEST_CASE("a key that can be no path is refused by its name", "[bucket]") {
  Bucket bucket;
  bucket.write("a", "1");
  const std::string key = GENERATE(as<std::string>(), "x//y", "../up", "/root", "a/./b", std::string(300, 'n'));
  bucket.keys.also = {{key, 1, Instant{1}}};
  const std::string message = bucket.refusal(Errc::invalid);
  CHECK(message.find(key.substr(0, 150)) != std::string::npos);
  CHECK(bucket.keys.streamed == 0);
}

TEST_CASE("an empty bucket is no dataset", "[bucket]") {
  Bucket bucket;
  bucket.keys.also = {{"folder/", 0, Instant{1}}};
  CHECK(bucket.refusal(Errc::invalid).find("s3://data/digits") != std::string::npos);
}

TEST_CASE("only a bucket is an address of data", "[bucket]") {
  CHECK(bucket_address("s3://b/c?endpoint=http://127.0.0.1:9000").value().text() ==
        "s3://b/c?endpoint=http://127.0.0.1:9000");
  for (const char* const text : {"oci://registry/x", "file:///srv", "s3://", "s3://key:secret@b/c"}) {
    const auto address = bucket_address(text);
    REQUIRE_FALSE(address.ok());
    CHECK(address.error().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("the digest of a bucket's state is that of its lines", "[bucket]") {
  const BucketObject object{RelPath::parse("a b").value(), 7, Instant{0}, "e", std::nullopt};
  const BucketState state = BucketState::of({object});
  CHECK(
      state.listing ==
      sha256("{\"bytes\":7,\"key\":\"a b\",\"modified\":\"1970-01-01T00:00:00.000000Z\",\"tag\":\"e\",\"version\":null}"
             "\n"));
  CHECK(bucket_state_from(to_json(state)).value() == state);
  std::vector<BucketObject> many;
  for (int i = 100; i < 200; ++i) {
    many.push_back(object);
    many.back().path = RelPath::parse(std::to_string(i)).value();
  }
  const BucketState large = BucketState::of(many);
  CHECK(large.objects.empty());
  CHECK(large.count == 100);
  CHECK(bucket_state_from(to_json(large)).value() == large);
}

}  // namespace trainyard::bucket_intake_test
