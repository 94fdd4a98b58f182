// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/run_events.hpp"
#include "runner/processes/clock.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

// "START", or "?" for a line that is no event.
std::string type_of(const std::string& event) {
  const auto json = parse_json(event, "the event");
  if (!json.ok() || !json->is_object() || !json->contains("eventType") || !json->at("eventType").is_string())
    return "?";
  return json->at("eventType").get<std::string>();
}

Json left_json(const Delivery& delivery) {
  Json left = Json::array();
  for (const Delivery::Left& one : delivery.left) left.push_back({{"run", one.run.text()}, {"message", one.why}});
  return left;
}

}  // namespace

Result<ExitCode> perform(const command::OutboxList& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const EventOutbox outbox = event_outbox(store);
  const std::vector<WaitingEvents> waiting = TRY(outbox.waiting());
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"RUN", "STARTED", "EVENTS"}};
  for (const WaitingEvents& one : waiting) {
    Json types = Json::array();
    std::string text;
    for (const std::string& event : one.events) {
      types.push_back(type_of(event));
      text += (text.empty() ? "" : ", ") + printable(type_of(event));
    }
    list.push_back({{"run", one.run.text()}, {"events", std::move(types)}});
    rows.push_back({one.run.text(), one.run.began().short_text(), text});
  }
  if (invocation.output == Output::json) {
    print_json(list);
    return ExitCode::ok;
  }
  print(waiting.empty() ? "nothing waits to be delivered\n" : table(rows));
  if (const auto failure = outbox.last_failure(); failure && !waiting.empty())
    print("the last try, at " + failure->at.short_text() + ", failed: " + printable(failure->message) + "\n");
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::OutboxDeliver& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const Delivery delivery = TRY(deliver_events(store, now()));
  if (invocation.output == Output::json) {
    print_json({{"runs", delivery.runs}, {"events", delivery.events}, {"left", left_json(delivery)}});
  } else if (delivery.events > 0 || (delivery.left.empty() && !delivery.elsewhere)) {
    print(delivery.events == 0
              ? std::string("nothing waits to be delivered\n")
              : "delivered " + plural(delivery.events, "event") + " of " + plural(delivery.runs, "run") + "\n");
  }
  if (delivery.elsewhere) return fail(Errc::unavailable, "another command is delivering right now; try again");
  if (delivery.left.empty()) return ExitCode::ok;
  const std::size_t waiting = TRY(event_outbox(store).waiting()).size();
  return fail(Errc::unavailable,
              "events of " + plural(waiting, "run") + " are still in the outbox: " + delivery.left.back().why);
}

}  // namespace trainyard
