// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/grammar.hpp"

namespace trainyard {

CommandWords uses_words() {
  return command_words<command::Uses>(
      "uses",
      "Tell which versions, runs, snapshots and datasets had a file, or the files of a folder; exit code 1 when none "
      "had",
      "trainyard uses cat.png\n  trainyard uses ./withdrawn\n  trainyard uses 3f2a91c07b55 --json", [](auto& uses) {
        return std::vector<Word>{{"what", &uses.what, "FILE|DIR|DIGITS",
                                  "A file or folder of yours, or a SHA-256, or the first 8 digits or more of one",
                                  Word::Need::required}};
      });
}

GroupWords proof_words() {
  constexpr const char* kData =
      "A snapshot's id or its beginning, a dataset as NAME@1, a package as NAME@1.0, or the data of a run as run:RUN";
  constexpr const char* kTrained = "Instead of DATA: what this version was trained on";
  return {
      "proof",
      "Prove that a file is, or is not, among the files of some data, to who does not have their list",
      {command_words<command::ProofRoot>(
           "root", "Tell the proof root of data: the one digest against which proofs about it hold",
           "trainyard proof root --trained digits@1.1\n  trainyard proof root weather@2",
           [&](auto& root) {
             return std::vector<Word>{{"data", &root.data.name, "DATA", kData},
                                      {"--trained", &root.data.trained, "NAME@VERSION", kTrained}};
           }),
       command_words<command::ProofMake>(
           "make", "Make the proof that a file is among the files of data, or that it is not; prints it, without -o",
           "trainyard proof make --trained digits@1.1 --file cat.png -o cat.proof.json\n  trainyard proof make "
           "weather@2 "
           "--path 2024/may.csv\n  trainyard proof make run:nightly --sha256 "
           "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
           [&](auto& make) {
             return std::vector<Word>{
                 {"data", &make.data.name, "DATA", kData},
                 {"--trained", &make.data.trained, "NAME@VERSION", kTrained},
                 {"--path", &make.path, "PATH", "Ask for the file at this place of the data"},
                 {"--sha256", &make.sha256, "DIGITS", "Ask for a file with this SHA-256, wherever it is"},
                 {"--file", &make.file, "FILE", "The same, with the SHA-256 of a file that you have"},
                 {"-o,--output", &make.output, "FILE", "Write the proof to a new file"}};
           }),
       command_words<command::ProofVerify>(
           "verify",
           "Check a proof and tell in words what it proves; needs no store; exit code 1 when it proves nothing",
           "trainyard proof verify cat.proof.json --root "
           "5d41402abc4b2a76b9719d911017c592ae2bd3a7e2b4bd1f0d4a9bb3f4a2c1e0",
           [](auto& verify) {
             return std::vector<Word>{{"proof", &verify.file, "FILE", "The proof", Word::Need::required},
                                      {"--root", &verify.root, "DIGITS",
                                       "The proof root that you trust; another one proves nothing to you"}};
           })}};
}

}  // namespace trainyard
