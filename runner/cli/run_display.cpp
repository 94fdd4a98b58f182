// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_display.hpp"

#include "runner/cli/interrupts.hpp"
#include "runner/cli/wiring.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

std::string line_of(const event::Logged& logged) { return logged.level + ": " + printable(logged.text); }

std::string line_of(const event::Measured& measured) {
  return measured.name + " = " + number_text(measured.value) + " at step " + std::to_string(measured.step);
}

}  // namespace

void RunDisplay::draw(const std::string& what, double fraction, const std::string& note) {
  line_.show(bar(fraction) + "  " + what + (note.empty() ? "" : ": " + printable(note)));
}

void RunDisplay::entered(const RunState& state) {
  if (std::holds_alternative<state::Planned>(state)) draw("preparing", 0, "");
  if (std::holds_alternative<state::Succeeded>(state)) draw("keeping what it made", 1, "");
}

void RunDisplay::awaiting(const std::string& reason) { draw("waiting", 0, reason); }

void RunDisplay::noticed(const std::string& sentence) {
  line_.clear();
  complain(sentence);
}

void RunDisplay::reading_data(const CaptureProgress& progress) {
  const double fraction =
      progress.bytes == 0 ? 0 : static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes);
  draw("reading the data", fraction,
       std::to_string(progress.files_done) + " of " + plural(progress.files, "file") + ", " +
           size_text(progress.bytes_done));
}

void RunDisplay::reported(const WorkerEvent& event) {
  if (!line_.shown()) return;
  if (const auto* const called = std::get_if<event::Called>(&event.what)) {
    verb_ = called->verb;
    draw(verb_, 0, "");
  }
  if (const auto* const logged = std::get_if<event::Logged>(&event.what)) line_.print_above(line_of(*logged));
  if (const auto* const measured = std::get_if<event::Measured>(&event.what)) line_.print_above(line_of(*measured));
  if (const auto* const progressed = std::get_if<event::Progressed>(&event.what))
    draw(verb_, progressed->fraction, progressed->note);
}

StopWish RunDisplay::stop_wish() {
  const int count = interrupts();
  if (count > told_) {
    told_ = count;
    line_.print_above(count == 1 ? "stopping; press Ctrl-C again to end it at once" : "ending it at once");
  }
  if (count == 0) return StopWish::none;
  return count == 1 ? StopWish::polite : StopWish::now;
}

}  // namespace trainyard
