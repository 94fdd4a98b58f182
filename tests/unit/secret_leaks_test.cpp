// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/secret_leaks.hpp"

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "tests/support/temp_folder.hpp"

namespace trainyard::secret_leaks_test {

TEST_CASE("files that hold a secret are found and removed, and their names do not tell it", "[secret_leaks]") {
  const TempFolder temp;
  const SecretForms forms(Secrets{{"TOKEN", "hunter22"}});
  temp.write("out/fine.txt", "hunter");
  temp.write("out/plain.txt", "the token is hunter22.");
  temp.write("out/deep/er/hex.bin", std::string("\0\1", 2) + "68756e7465723232");
  temp.write("out/named-hunter22.txt", "");
  temp.write("out/hunter22/inside.txt", "");
  // Across the border of two reads.
  temp.write("out/large.bin", std::string((1U << 20U) - 4, 'x') + "hunter22" + std::string(100, 'y'));
  boost::filesystem::create_symlink("/tmp/hunter22", temp.path() / "out/link");
  boost::filesystem::create_symlink("plain.txt", temp.path() / "out/fine_link");
  temp.write("out/left_out/plain.txt", "hunter22");
  const auto wanted = [](const RelPath& path) { return !path.bytes().starts_with("left_out"); };
  const auto leaks = find_leaks(temp.path() / "out", forms, wanted);
  std::vector<std::string> shown;
  for (const SecretLeak& leak : leaks) {
    CHECK(leak.secret == "TOKEN");
    shown.push_back(leak.shown);
  }
  std::sort(shown.begin(), shown.end());
  CHECK(shown == std::vector<std::string>{"[secret TOKEN]", "deep/er/hex.bin", "large.bin", "link",
                                          "named-[secret TOKEN].txt", "plain.txt"});
  CHECK(remove_leaks(temp.path() / "out", forms).value().size() == 7);
  CHECK(list_folder(temp.path() / "out").value() ==
        std::vector<std::string>{"deep", "fine.txt", "fine_link", "left_out"});
  CHECK(remove_leaks(temp.path() / "out", forms).value().empty());
  CHECK(remove_leaks(temp.path() / "nowhere", forms).value().empty());
}

}  // namespace trainyard::secret_leaks_test
