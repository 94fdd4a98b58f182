// SPDX-License-Identifier: Apache-2.0
#include "runner/core/capsule_steps.hpp"

namespace trainyard {

namespace {

std::string step_text(const CapsuleStep& step, std::size_t number) {
  return "## " + std::to_string(number) + ". " + step.title + "\n\n" + step.about + "\n\n```sh\n" + step.commands +
         "```\n\n```text\n" + step.prints + "```\n\nShows: " + step.shows + "\n\nDoes not show: " + step.shows_not +
         "\n\n";
}

std::string contents(const CapsuleManifest& capsule) {
  std::string text = "| file | what it is |\n|---|---|\n";
  for (const CapsuleFile& file : capsule.files) text += "| `" + file.path + "` | " + file.what + " |\n";
  return text +
         "| `capsule.json` | what is here, for programs, and the proofs of the journal's lines |\n"
         "| `verify.py` | the steps below that need more than a line of shell; read it first, it is short |\n"
         "| `SHA256SUMS` | the SHA-256 of every other file |\n";
}

}  // namespace

std::string capsule_guide(const CapsuleManifest& capsule) {
  const std::string name = capsule.version.text();
  std::string text =
      "# How to check " + name + "\n\nThis folder has what it takes to check where " + name +
      " came from, on a machine without Trainyard. You need a shell, `sha256sum`, `openssl` and `python3`; nothing "
      "else is "
      "used, and nothing is fetched. Type what stands in the boxes, in this folder; below each box is what it has to "
      "print. "
      "A step that fails prints something else, and its last command ends with another exit code than 0.\n\n"
      "Whoever could change this folder could change this page, and `verify.py`, which is a program that you are about "
      "to run. "
      "So read that first (it uses nothing but Python's standard library), or take it from Trainyard's source, where "
      "it is "
      "`runner/engine/verify_capsule.py`. The steps are the same for every capsule.\n\n"
      "## What is here\n\n" +
      contents(capsule) +
      "\nBefore you hand it on: secrets are kept nowhere and so are not here, but the logs are what the package "
      "printed, "
      "less the values of secrets that were seen in it as it came, and the data is the data.\n\n## What is missing\n\n";
  if (capsule.missing.empty()) text += "Nothing.\n";
  for (const std::string& sentence : capsule.missing) text += "- " + sentence + "\n";
  text += "\n";
  std::size_t number = 0;
  for (const CapsuleStep& step : capsule_steps(capsule)) text += step_text(step, ++number);
  text += "## What all of it shows\n\n";
  text += capsule.keys.empty() ? "Nobody has signed anything here: all that is shown is that the parts fit together.\n"
                               : "If the fingerprints were confirmed in step 2 and every step printed what it has to: "
                                 "the owner of the key stands by "
                                 "this package, this story and these digests, and none of it was changed by anybody "
                                 "without the key. It is the word "
                                 "of one party about what happened on its own machine, SLSA Build level 1: it says "
                                 "nothing against that party.\n";
  return text;
}

}  // namespace trainyard
