// SPDX-License-Identifier: Apache-2.0
#include "runner/outbox/event_outbox.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/temp_folder.hpp"

namespace trainyard::event_outbox_test {
namespace {

RunId run_id(char last) { return RunId::parse(std::string("019b76da-a800-7c3f-9a51-6d0e8f1b2c4") + last).value(); }

bool nobody(const RunId& /*run*/) { return false; }

// An outbox that sends to a file beside it.
struct Box {
  TempFolder temp;
  EventOutbox outbox{temp.path() / "outbox" / "openlineage", temp.folder("scratch")};
  EventTarget target{EventTarget::Kind::file, (temp.path() / "events.jsonl").string()};

  Delivery deliver(const std::function<bool(const RunId&)>& unfinished = nobody) const {
    const auto delivery = outbox.deliver(target, {}, unfinished, Instant{5});
    REQUIRE(delivery.ok());
    return *delivery;
  }
  [[nodiscard]] std::string sent() const {
    return is_there(target.place) ? read_file(target.place, 1 << 20).value() : "";
  }
  [[nodiscard]] std::size_t waiting() const { return outbox.waiting().value().size(); }
  void put(char run, const std::string& lines) const {
    const auto put = outbox.put(run_id(run), lines);
    REQUIRE(put.ok());
  }
};

}  // namespace

TEST_CASE("an address is taken apart, or refused by the rule that it breaks", "[event_target]") {
  struct Good {
    const char* url;
    EventTarget target;
  };
  using Kind = EventTarget::Kind;
  const std::vector<Good> good = {
      {"http://host:5000", {Kind::http, "http://host:5000/api/v1/lineage"}},
      {"https://host/", {Kind::http, "https://host/api/v1/lineage"}},
      {"http://host/base", {Kind::http, "http://host/base/api/v1/lineage"}},
      {"http://host/api/v1/lineage", {Kind::http, "http://host/api/v1/lineage"}},
      {"http://[::1]:5000", {Kind::http, "http://[::1]:5000/api/v1/lineage"}},
      {"file:///a/b%20c%2Fd.jsonl", {Kind::file, "/a/b c/d.jsonl"}},
  };
  for (const Good& row : good) {
    INFO(row.url);
    const auto target = EventTarget::parse(row.url);
    REQUIRE(target.ok());
    CHECK((*target == row.target));
  }
  struct Bad {
    const char* url;
    const char* says;
  };
  const std::vector<Bad> bad = {{"", "must begin with"},
                                {"host:5000", "must begin with"},
                                {"ftp://host", "must begin with"},
                                {"http://", "names no host"},
                                {"http:///path", "names no host"},
                                {"http://me:secret@host", "has a user in it"},
                                {"http://host?key=1", "neither '?' nor '#'"},
                                {"http://host/a b", "a space"},
                                {"http://host\n", "a control character"},
                                {"file://host/x", "whole path"},
                                {"file:///folder/", "names no file"},
                                {"file:///a%2", "hexadecimal"},
                                {"file:///a%00b", "names no file"}};
  for (const Bad& row : bad) {
    INFO(row.url);
    const auto target = EventTarget::parse(row.url);
    REQUIRE_FALSE(target.ok());
    CHECK(target.error().code == Errc::invalid);
    CHECK(target.error().message.find(row.says) != std::string::npos);
    CHECK(target.error().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("the answer of a server says whether to send again", "[event_target]") {
  for (const long status : {200L, 201L, 204L}) CHECK(receipt_of(status) == Receipt::taken);
  for (const long status : {301L, 400L, 401L, 404L, 422L}) CHECK(receipt_of(status) == Receipt::refused);
  for (const long status : {0L, 100L, 408L, 429L, 500L, 502L, 503L}) CHECK(receipt_of(status) == Receipt::missed);
}

TEST_CASE("events go out in the order of runs and of their lines", "[event_outbox]") {
  const Box box;
  box.put('2', "{\"a\":3}\n{\"a\":4}\n");
  box.put('1', "{\"a\":1}\n{\"a\":2}\n");
  CHECK(box.waiting() == 2);
  const Delivery delivery = box.deliver();
  CHECK(delivery.events == 4);
  CHECK(delivery.runs == 2);
  CHECK(delivery.left.empty());
  CHECK(box.sent() == "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a\":4}\n");
  CHECK(box.waiting() == 0);
  CHECK(box.deliver().events == 0);
}

TEST_CASE("what is in the outbox already stays as it is", "[event_outbox]") {
  const Box box;
  box.put('1', "{\"a\":1}\n");
  box.put('1', "{\"a\":2}\n");
  box.deliver();
  CHECK(box.sent() == "{\"a\":1}\n");
}

TEST_CASE("a run that may come once more is passed by", "[event_outbox]") {
  const Box box;
  box.put('1', "{\"a\":1}\n");
  box.put('2', "{\"a\":2}\n");
  box.deliver([](const RunId& run) { return run == run_id('1'); });
  CHECK(box.sent() == "{\"a\":2}\n");
  CHECK(box.waiting() == 1);
}

TEST_CASE("a file gets every event once, wherever its sender was killed", "[event_outbox]") {
  const Box box;
  const Path mark = box.temp.path() / "outbox" / "openlineage" / (run_id('1').text() + ".sending");
  struct Row {
    const char* there;  // in the target, when the sender died
  };
  for (const Row& row : {Row{"{\"b\":0}\n"}, Row{"{\"b\":0}\n{\"a\":1}\n"}, Row{"{\"b\":0}\n{\"a\":1}\n{\"a\":2}\n"}}) {
    INFO(row.there);
    box.put('1', "{\"a\":1}\n{\"a\":2}\n");
    box.temp.write("events.jsonl", row.there);
    REQUIRE(publish_file(box.temp.path() / "scratch", mark, "", 0644, Durable::no).ok());
    CHECK(box.deliver().left.empty());
    CHECK(box.sent() == "{\"b\":0}\n{\"a\":1}\n{\"a\":2}\n");
    CHECK_FALSE(is_there(mark));
  }
  // Torn by a full disk or a power cut: the line is lost, and eats no other.
  box.put('1', "{\"a\":1}\n");
  box.temp.write("events.jsonl", "{\"a\"");
  REQUIRE(publish_file(box.temp.path() / "scratch", mark, "", 0644, Durable::no).ok());
  CHECK(box.deliver().left.empty());
  CHECK(box.sent() == "{\"a\"\n{\"a\":1}\n");
}

TEST_CASE("what cannot be delivered waits, with the reason", "[event_outbox]") {
  Box box;
  box.put('1', "{\"a\":1}\n");
  box.put('2', "{\"a\":2}\n");
  box.target.place = (box.temp.path() / "nowhere" / "events.jsonl").string();
  const Delivery delivery = box.deliver();
  CHECK(delivery.events == 0);
  // The next one would meet the same.
  REQUIRE(delivery.left.size() == 1);
  CHECK(delivery.left[0].why.find("nowhere") != std::string::npos);
  const auto failure = box.outbox.last_failure();
  REQUIRE(failure);
  CHECK(failure->at == Instant{5});
  CHECK(failure->message == delivery.left[0].why);
  box.temp.folder("nowhere");
  CHECK(box.deliver().events == 2);
  CHECK_FALSE(box.outbox.last_failure());
}

TEST_CASE("who finds another one delivering leaves it to that one", "[event_outbox]") {
  const Box box;
  box.put('1', "{\"a\":1}\n");
  const auto lock = FileLock::try_lock(box.temp.path() / "outbox" / "openlineage" / "lock");
  REQUIRE(lock.ok());
  REQUIRE(*lock);
  CHECK(box.deliver().elsewhere);
  CHECK(box.waiting() == 1);
}

TEST_CASE("many who end at once deliver everything once", "[event_outbox][threads]") {
  const Box box;
  std::vector<std::thread> threads;
  std::string digits = "0123456789abcdef";
  for (const char digit : digits) {
    threads.emplace_back([&box, digit] {
      const auto put = box.outbox.put(run_id(digit), std::string("{\"a\":\"") + digit + "\"}\n");
      if (put.ok()) static_cast<void>(box.outbox.deliver(box.target, {}, nobody, Instant{}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(box.waiting() == 0);
  std::string sent = box.sent();
  for (const char digit : digits) {
    const std::string line = std::string("{\"a\":\"") + digit + "\"}\n";
    const std::size_t at = sent.find(line);
    REQUIRE(at != std::string::npos);
    sent.erase(at, line.size());
  }
  CHECK(sent.empty());
}

}  // namespace trainyard::event_outbox_test
