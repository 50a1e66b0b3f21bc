"""Each check of the tree must fail on an offence planted for it, and pass the same tree without it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent

# (check, file, offending text, what the report must say)
OFFENCES = [
    ("includes", "src/base/a.cpp", '#include "runtime/b.hpp"\n', "base may not include runtime"),
    ("includes", "src/text/a.cpp", '#include "formats/b.hpp"\n', "text may not include formats"),
    ("includes", "src/formats/a.cpp", '#include "text/b.hpp"\n', "formats may not include text"),
    ("includes", "src/kernels/gemm/a.cpp", '#include "graph/b.hpp"\n', "kernels may not include graph"),
    ("includes", "src/runtime/a.cpp", "#include <base/b.hpp>\n", "our own headers go in quotes"),
    ("includes", "src/runtime/a.cpp", '#include "b.hpp"\n', "no such file below src/"),
    ("includes", "src/runtime/a.cpp", "#include <nlohmann/json.hpp>\n", "only base may include it"),
    ("includes", "src/runtime/a.cpp", "#include <gtest/gtest.h>\n", "a test library outside the tests"),
    ("includes", "src/odds/a.cpp", "\n", "odds is not a module"),
    ("includes", "include/brisk/a.hpp", "#include <nlohmann/json.hpp>\n", "only the standard library"),
    ("includes", "include/brisk/a.hpp", '#include "base/b.hpp"\n', "name each other as <brisk/...>"),
    ("names", "src/base/CamelFile.cpp", "\n", "file names are snake_case"),
    ("names", "src/base/a.cpp", "struct snake_type {\n};\n", "types are PascalCase"),
    ("names", "src/base/a.cpp", "using bad_alias = int;\n", "types are PascalCase"),
    ("names", "src/base/a.cpp", "enum Colour { kRed };\n", "use enum class"),
    ("names", "src/base/a.cpp", "std::regex pattern;\n", "std::regex"),
    ("names", "src/base/a.cpp", "#pragma omp parallel\n", "only #pragma once"),
    ("names", "src/base/a.cpp", "void f() { throw 1; }\n", "throws nothing"),
    ("names", "src/runtime/a.cpp", "int f() { return ::open(path, 0); }\n", "in base/ only"),
    ("names", "src/runtime/a.cpp", "void f() {\n  void* p = mmap(nullptr, 1, 1, 2, 3, 0);\n}\n", "in base/ only"),
    ("names", "src/hub/a.cpp", "int f() { return opendir(path); }\n", "in base/ only"),
    ("names", "src/formats/a.cpp", "#include <fstream>\n", "opened by Folder, MappedFile"),
    ("names", "src/text/a.cpp", "void f() { std::ifstream file(path); }\n", "opened by Folder, MappedFile"),
    ("names", "src/models/a.cpp", "void f() { auto file = open_regular_file(path); }\n", "opened by Folder, MappedFile"),
    ("names", "src/hub/a.cpp", "std::ofstream file;\n", "opened by Folder, MappedFile"),
    ("names", "src/models/a.cpp", "for (auto& entry : std::filesystem::directory_iterator(path)) {}\n", "Folder::files"),
    ("names", "src/formats/a.cpp", "auto b = bytes.subspan(offset, length);\n", "ByteReader or byte_range"),
    ("names", "src/formats/a.cpp", "auto b = bytes->first(length);\n", "ByteReader or byte_range"),
    ("names", "src/formats/gguf/a.cpp", "auto b = bytes.last<4>();\n", "ByteReader or byte_range"),
    ("size", "src/base/a.cpp", "int x;\n" * 1201, "at most 1200"),
]

# What looks like an offence and is none.
HARMLESS = """// throw std::regex open( #pragma omp  enum Colour
#pragma once
#include <vector>
#include "base/b.hpp"
/* enum Colour */
enum class Colour { kRed };
struct BlockQ4_K {
};
const char* text = "throw";
auto file = GgufFile::open(path);
Result<int> open(const char* path);
"""

# Harmless where it stands, though an offence elsewhere.
HARMLESS_AT = {
    "src/base/fine.cpp": "int f() { return ::open(path, 0); }\n#include <fstream>\n",
    "src/hub/fine.cpp": "std::filesystem::recursive_directory_iterator it;\n",
    "src/formats/fine.cpp": "auto a = pair.first; auto b = byte_range(bytes, 0, 4); // bytes.first(4)\n",
    "src/text/fine.cpp": "auto a = values.subspan(1);\n",
    "src/text/char_class_tables.inc": "0,\n" * 1000,  # listed as a table
}


def run_check(name, root, *arguments):
    command = [sys.executable, str(TOOLS / f"check_{name}.py"), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def root(tmp_path):
    """A tree in which all is well."""
    for module in ("base", "text", "formats", "runtime", "graph"):
        write(tmp_path, f"src/{module}/b.hpp", "#pragma once\n")
    write(tmp_path, "src/runtime/fine.cpp", HARMLESS)
    for path, text in HARMLESS_AT.items():
        write(tmp_path, path, text)
    return tmp_path


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ["includes", "names", "size"])
def test_a_good_tree_passes(root, name):
    result = run_check(name, root)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("name", "path", "text", "said"), OFFENCES)
def test_a_planted_offence_fails(root, name, path, text, said):
    write(root, path, text)
    result = run_check(name, root)
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{path}:" in result.stdout
    assert said in result.stdout


def compile_kernel(root, text):
    """Compiles `text` as the AVX2 file of a kernel, the way the build lays it out."""
    write(root, "kernels/gemm/avx2.cpp", text)
    folder = root / "build" / "kernels" / "gemm"
    folder.mkdir(parents=True, exist_ok=True)
    compiler = shutil.which("g++") or shutil.which("c++")
    command = [compiler, "-std=c++20", "-O0", "-c", str(root / "kernels/gemm/avx2.cpp"), "-o", str(folder / "avx2.cpp.o")]
    subprocess.run(command, check=True)


GOOD_KERNEL = "namespace brisk::kernels::avx2 { static int g() { return 1; } int f() { return g(); } }\n"
WEAK_KERNEL = "inline int g() { return 1; } namespace brisk::kernels::avx2 { int f() { return g(); } }\n"
STRAY_KERNEL = "namespace brisk::kernels { int f() { return 1; } }\n"


def test_a_good_object_passes(root):
    compile_kernel(root, GOOD_KERNEL)
    result = run_check("symbols", root, "--build", "build")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("text", "said"), [(WEAK_KERNEL, "weak symbol g()"), (STRAY_KERNEL, "outside brisk::kernels::avx2")])
def test_a_bad_object_fails(root, text, said):
    compile_kernel(root, text)
    result = run_check("symbols", root, "--build", "build")
    assert result.returncode == 1, result.stdout + result.stderr
    assert said in result.stdout


def test_no_object_fails(root):
    result = run_check("symbols", root, "--build", "build")
    assert result.returncode == 1
    assert "no object file of a kernel" in result.stdout
