// SPDX-License-Identifier: Apache-2.0
#include "storage/http/retrying_http.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/tiny_server.hpp"

namespace trainyard::retrying_http_test {

namespace {

using std::chrono::milliseconds;

constexpr RetryPolicy kHasty{4, milliseconds(2), milliseconds(5), milliseconds(10)};

struct Client {
  std::unique_ptr<HttpClient> curl = curl_http();
  std::unique_ptr<HttpClient> http = retrying(*curl, kHasty);
};

HttpAnswer answer_of(long status, std::string retry_after = "") {
  HttpAnswer answer;
  answer.status = status;
  if (!retry_after.empty()) answer.headers = {{"retry-after", std::move(retry_after)}};
  return answer;
}

}  // namespace

TEST_CASE("what is tried again, and after how long", "[http]") {
  const RetryPolicy policy{6, milliseconds(100), milliseconds(1000), milliseconds(5000)};
  struct Row {
    const char* what;
    int next;
    Result<HttpAnswer> last;
    double chance;
    std::optional<milliseconds> pause;
  };
  const std::vector<Row> rows = {
      {"the first pause is the shortest", 2, answer_of(500), 0.5, milliseconds(50)},
      {"the next is twice that", 3, answer_of(503), 0.5, milliseconds(100)},
      {"and the one after it", 4, answer_of(502), 0.5, milliseconds(200)},
      {"all is possible from nothing on", 4, answer_of(504), 0.0, milliseconds(0)},
      {"there is a longest", 6, answer_of(429), 0.999, milliseconds(999)},
      {"there is a last attempt", 7, answer_of(500), 0.5, std::nullopt},
      {"a lost connection", 2, fail(Errc::unavailable, "x"), 0.5, milliseconds(50)},
      {"a server that waited in vain", 2, answer_of(408), 0.5, milliseconds(50)},
      {"the server's wish is the least", 2, answer_of(503, "2"), 0.5, milliseconds(2000)},
      {"which is bounded", 2, answer_of(503, "86400"), 0.5, milliseconds(5000)},
      {"and not always the longer", 6, answer_of(503, "0"), 0.5, milliseconds(500)},
      {"a wish nobody can read", 2, answer_of(503, "soon"), 0.5, milliseconds(50)},
      {"a negative wish", 2, answer_of(503, "-5"), 0.5, milliseconds(50)},
      {"success", 2, answer_of(200), 0.5, std::nullopt},
      {"a refusal", 2, answer_of(403), 0.5, std::nullopt},
      {"nothing there", 2, answer_of(404), 0.5, std::nullopt},
      {"a conflict", 2, answer_of(409), 0.5, std::nullopt},
      {"what no server has", 2, answer_of(501), 0.5, std::nullopt},
      {"an error of a body", 2, fail(Errc::io, "x"), 0.5, std::nullopt},
      {"somebody's wish to end", 2, fail(Errc::cancelled, "x"), 0.5, std::nullopt},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    CHECK(pause_before(row.next, policy, row.last, row.chance) == row.pause);
  }
  const RetryPolicy patient{60, milliseconds(100), milliseconds(1000), milliseconds(5000)};
  CHECK(pause_before(60, patient, answer_of(500), 0.5) == milliseconds(500));
}

TEST_CASE("a server that fails first is asked again, with the whole body", "[http]") {
  std::vector<std::string> requests;
  const TinyServer server([&](const TinyServer::Connection& connection) {
    requests.push_back(connection.request());
    connection.answer(connection.number() < 3 ? "500 Internal Server Error" : "200 OK", "hello");
  });
  Client client;
  const std::string body(100'000, 'b');
  const auto answer = client.http->send({"PUT", server.url() + "/x", {}, HttpBody::of(body)});
  REQUIRE(answer.ok());
  CHECK(answer->status == 200);
  CHECK(answer->body == "hello");
  CHECK(answer->sendings == 3);
  REQUIRE(requests.size() == 3);
  for (const std::string& request : requests) CHECK_THAT(request, Catch::EndsWith("\r\n\r\n" + body));
}

TEST_CASE("the last failure is passed on as it is", "[http]") {
  const TinyServer server([](const TinyServer::Connection& connection) {
    connection.request();
    connection.answer("503 Slow Down", "later");
  });
  Client client;
  const auto answer = client.http->send({"GET", server.url()});
  REQUIRE(answer.ok());
  CHECK(text_of(*answer) == "503: later");
  CHECK(answer->sendings == kHasty.attempts);
  CHECK(server.connections() == kHasty.attempts);
}

TEST_CASE("a value that a server made up does not become a header of its own", "[http]") {
  Client client;
  const auto answer =
      client.http->send({"GET", TinyServer::nobody(), {{"if-match", "\"a\"\r\nx-amz-acl: public-read"}}});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == Errc::invalid);
  CHECK(answer.error().message == "the value of the header 'if-match' is more than one line");
}

TEST_CASE("a port where nobody listens is unavailable", "[http]") {
  Client client;
  const std::string url = TinyServer::nobody();
  const auto answer = client.http->send({"GET", url});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == Errc::unavailable);
  CHECK_THAT(answer.error().message, Catch::Contains(url));
}

TEST_CASE("an answer that is cut off is asked for again, unless a sink has had some of it", "[http]") {
  const TinyServer server([](const TinyServer::Connection& connection) {
    connection.request();
    if (connection.number() == 2) return connection.answer("200 OK", "all of it");
    connection.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nall");
  });
  Client client;
  const auto whole = client.http->send({"GET", server.url()});
  REQUIRE(whole.ok());
  CHECK(whole->body == "all of it");
  CHECK(server.connections() == 2);

  std::string sunk;
  std::string head;
  HttpRequest request{"GET", server.url()};
  request.sink = [&](std::string_view piece) -> Result<void> {
    sunk += piece;
    return {};
  };
  request.before_sink = [&](const HttpAnswer& answer) -> Result<void> {
    head += std::to_string(answer.status) + " " + answer.header("content-length").value_or("") + ";";
    return {};
  };
  const auto broken = client.http->send(request);
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().code == Errc::unavailable);
  CHECK(sunk == "all");
  CHECK(head == "200 9;");
  CHECK(server.connections() == 3);
}

TEST_CASE("a server that falls silent is left, and asked again", "[http]") {
  const TinyServer server([](const TinyServer::Connection& connection) {
    connection.request();
    if (connection.number() > 1) return connection.answer("200 OK", "awake");
    connection.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\naw");
    connection.stall();
  });
  Client client;
  HttpRequest request{"GET", server.url()};
  request.patience.stalled = milliseconds(1000);
  const auto answer = client.http->send(request);
  REQUIRE(answer.ok());
  CHECK(answer->body == "awake");
  CHECK(answer->sendings == 2);
}

TEST_CASE("a server that closes in the middle of a body gets it again from its start", "[http]") {
  std::string arrived;
  const TinyServer server([&](const TinyServer::Connection& connection) {
    if (connection.number() == 1) return static_cast<void>(connection.request(1));
    arrived = connection.request();
    connection.answer("200 OK", "");
  });
  Client client;
  std::string body;
  for (int i = 0; body.size() < (std::size_t{4} << 20U); ++i) body += std::to_string(i);
  const auto answer = client.http->send({"PUT", server.url(), {}, HttpBody::of(body)});
  REQUIRE(answer.ok());
  CHECK(answer->status == 200);
  CHECK(arrived.substr(arrived.find("\r\n\r\n") + 4) == body);
}

TEST_CASE("nobody waits for another attempt after a cancellation", "[http]") {
  const TinyServer server([](const TinyServer::Connection& connection) {
    connection.request();
    connection.answer("503 Slow Down", "", "Retry-After: 600\r\n");
  });
  std::atomic<bool> cancelled{false};
  const auto curl = curl_http();
  const RetryPolicy patient{4, milliseconds(2), milliseconds(5), std::chrono::minutes(10)};
  const auto http = retrying(*curl, patient, {[&] { return cancelled.load(); }});
  std::thread somebody([&] {
    while (server.connections() == 0) std::this_thread::sleep_for(milliseconds(1));
    cancelled = true;
  });
  const auto answer = http->send({"GET", server.url()});
  somebody.join();
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == Errc::cancelled);
  CHECK(server.connections() == 1);
}

}  // namespace trainyard::retrying_http_test
