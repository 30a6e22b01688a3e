"""Pins what scripts/check_layers.py refuses: a checker that can't fail proves nothing."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECKER = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check_layers.py"


def check(files):
    """The exit code and the complaints for a repository of these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, CHECKER, folder], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr


class CheckLayers(unittest.TestCase):
    def refused(self, name, text, words):
        code, said = check({name: text})
        self.assertEqual(code, 1, f"{name}: {text}")
        self.assertIn(name, said)
        self.assertIn(words, said)

    def allowed(self, name, text):
        self.assertEqual(check({name: text}), (0, ""), f"{name}: {text}")

    def test_what_the_layers_allow(self):
        self.allowed("src/app/x.cpp", '#include <sycee/payment/payment.hpp>\n#include "own.hpp"\n')
        self.allowed("src/app/x.cpp", "#include <vector>\n  #  include <sycee/app/ports.hpp>\n")
        self.allowed("src/main/deep/x.cpp", "#include <sycee/store/database.hpp>\n")
        self.allowed("src/boost_bodies/x.cpp", "#include <boost/beast/src.hpp>\n")
        self.allowed("src/app/x.cpp", "// the include of <sycee/store/database.hpp>\n")

    def test_a_higher_layer(self):
        for form in (
            "#include <sycee/store/database.hpp>",
            '#include "sycee/store/database.hpp"',
            " # include\t<sycee/store/database.hpp>  // why",
            "#include <sycee/store/deep/er/database.hpp>",
        ):
            for name in ("src/app/x.cpp", "include/sycee/app/x.hpp", "src/app/deep/er/x.cpp",
                         "include/sycee/app/deep/x.hpp"):
                self.refused(name, f"#include <vector>\n{form}\n", "app may not include")
        self.refused("src/checkout/x.cpp", "#include <sycee/admin/admin_pages.hpp>\n", "checkout")

    def test_a_path_that_walks(self):
        for path in ("../store/session.hpp", "sycee/app/../store/session.hpp", "./x.hpp",
                     "./sycee/store/database.hpp", "sycee//store/database.hpp", "/usr/include/x.h"):
            self.refused("src/app/x.cpp", f'#include "{path}"\n', "plain path")
        self.refused("src/app/x.cpp", "#include <../store/session.hpp>\n", "plain path")

    def test_an_include_that_it_can_not_read(self):
        for form in ("#include HEADER", "#include/**/<vector>", "#include_next <vector>",
                     '#include "a.hpp" "b.hpp"'):
            self.refused("src/app/x.cpp", form + "\n", "can't be read")

    def test_libraries(self):
        self.refused("src/payment/x.cpp", "#include <boost/asio/post.hpp>\n", "the core")
        self.refused("src/evm/deep/x.hpp", "#include <nlohmann/json.hpp>\n", "the core")
        self.refused("src/net/x.cpp", "#include <boost/beast/http.hpp>\n", "include Beast")
        self.refused("include/sycee/store/x.hpp", "#include <pqxx/pqxx>\n", "too heavy")
        self.refused("include/sycee/store/deep/x.hpp", "#include <pqxx/pqxx>\n", "too heavy")

    def test_a_place_or_a_kind_of_file_that_it_does_not_know(self):
        self.refused("src/unheard_of/x.cpp", "", "not in the table")
        self.refused("src/x.cpp", "", "not in the table")
        self.refused("src/app/x.ipp", "", "only .cpp and .hpp")
        self.assertEqual(check({"README.md": ""})[0], 1)

    def test_this_repository(self):
        done = subprocess.run([sys.executable, CHECKER, CHECKER.parents[1]], check=False)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
