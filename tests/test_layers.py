"""Imports point downwards only, and heavy libraries load when they are needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skgex

ROOT = Path(skgex.__file__).parent
# unit of the package: what it may import from the package
LAYERS = {
    "__init__": set(),  # lazily, by name
    "datasets": {"_persistence"},
    "io": {"preprocessing", "_gene_names", "_inputs", "_containers"}
    | {"_new_file", "_memory", "_mapped_table", "_plain_map", "_warn"},
    "nn": set(),
    "_containers": set(),
    "_gene_names": set(),
    "_inputs": {"_containers", "_mapped_table", "_warn"},
    "_mapped_table": set(),
    "_new_file": set(),
    "_plain_map": set(),
    "_warn": set(),
    "_memory": set(),
    "_covariates": {"_inputs", "_containers", "_mapped_table"},
    "_follow_up": {"_inputs"},
    "_shrunken_moments": set(),
    "_training": {"nn", "_inputs", "_mapped_table", "_warn"},
    "_persistence": {"_training", "_new_file", "_warn"},
    "_low_rank": {"nn", "_training"},
    "_plausible": {"io", "_warn"},
    "pretext": {
        *("nn", "_low_rank", "_training", "_persistence", "_inputs"),
        *("_shrunken_moments", "_plausible", "_memory", "_covariates", "_warn"),
    },
    "_finetune": {
        *("nn", "_training", "_persistence", "_inputs", "pretext", "_plausible"),
        *("_covariates", "_mapped_table", "_warn"),
    },
    "_survival": {
        *("nn", "_training", "_inputs", "pretext", "_finetune", "_plausible"),
        *("_covariates", "_follow_up", "_warn"),
    },
    "_impute": {
        *("pretext", "_training", "_persistence", "_inputs", "_plausible"),
        "_mapped_table",
    },
    "_restore": {"pretext", "_training", "_persistence", "_inputs", "_plausible"},
    "_attributions": {
        *("nn", "_training", "_inputs", "pretext", "_finetune", "_covariates"),
        "_warn",
    },
    "preprocessing": {
        *("_gene_names", "_inputs", "_containers", "_shrunken_moments"),
        *("_mapped_table", "_warn"),
    },
    "evaluation": {"_containers", "_follow_up", "_plain_map", "_warn"},
    "plotting": {"evaluation", "_follow_up", "_warn"},
    "_cli": {"skgex"},  # all of it, as users see it
    "__main__": {"_cli"},
}
# foreign package: units that may import it
FOREIGN = {
    "skorch": {"_training"},
    "accelerate": {"_training"},
    "sksurv": {"_survival"},
    "torch": {*LAYERS}
    - {"__init__", "_restore", "_inputs", "datasets", "evaluation", "io"}
    - {"preprocessing", "_shrunken_moments", "_containers", "_gene_names"}
    - {"_new_file", "_memory", "_plausible", "_covariates", "_follow_up"}
    - {"_mapped_table", "_plain_map", "_warn"}
    - {"plotting", "_cli", "__main__"},
    "safetensors": {"_persistence"},
    "sklearn": {*LAYERS}
    - {"__init__", "nn", "_shrunken_moments", "_containers", "_gene_names"}
    - {"_new_file", "_memory", "_mapped_table", "_plain_map", "_warn"},
    "numpy": {*LAYERS}
    - {"__init__", "nn", "_gene_names", "_new_file", "_memory", "_warn"},
    "scipy": {
        *("datasets", "io", "_impute", "_containers", "_finetune", "_survival"),
        *("_shrunken_moments", "evaluation", "plotting"),
    },
    "pandas": {
        *("datasets", "io", "evaluation", "plotting", "_impute", "_survival", "_cli"),
        *("_attributions", "_mapped_table"),
    },
    "matplotlib": {"plotting"},
    "captum": {"_attributions"},
    "joblib": {"evaluation"},
    "h5py": {"io"},
    "anndata": {"io"},
    "openpyxl": {"io"},
    "pyarrow": {"io"},
    "rich": {"io"},
    "typer": {"_cli"},
    "lazy_loader": {"__init__", "datasets"},
}
FILES = sorted(ROOT.rglob("*.py"))
SOURCES = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: str(path.relative_to(ROOT))
)


def unit(path):
    """Return the part of the package a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path):
    """Yield (absolute module name, whether it stands at the top) of each import."""
    tree = ast.parse(path.read_text())
    package = ["skgex", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module or "").split(".")]
            for alias in node.names:
                yield ".".join(filter(None, [*module, alias.name])), top


def test_the_table_names_every_unit():
    assert {unit(path) for path in FILES} == set(LAYERS)


@SOURCES
def test_imports_point_downwards(path):
    for name, _ in imports(path):
        parts = name.split(".")
        part = [*parts, "skgex"][1]  # the package alone is its public API
        if parts[0] == "skgex" and part != unit(path):
            assert part in LAYERS[unit(path)], f"{path} imports {name}"


@SOURCES
def test_foreign_packages_stay_in_their_layers(path):
    for name, _ in imports(path):
        package = name.split(".")[0]
        if package == "skgex" or package in sys.stdlib_module_names:
            continue
        assert unit(path) in FOREIGN[package], f"{path} imports {name}"


def test_one_file_imports_scikit_survival():
    """It is under another licence, and an extra."""
    using = [path for path in FILES if any("sksurv" in n for n, _ in imports(path))]
    assert [path.name for path in using] == ["_curves.py"]


def test_without_scikit_survival_an_estimator_names_the_extra():
    code = (
        "import sys; sys.modules['sksurv'] = None; import skgex; "
        "skgex.UnivariateCoxSelector, skgex.EventStratifiedKFold, skgex.SCARF; "
        "skgex.FineTunedCoxPH"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode
    assert 'pip install "skgex[survival]"' in run.stderr.splitlines()[-1]


@SOURCES
def test_the_package_is_imported_at_the_top(path):
    hidden = [name for name, top in imports(path) if not top and "skgex" in name]
    assert not hidden


def test_the_reader_of_imports_reads():
    found = dict(imports(ROOT / "pretext" / "_scarf.py"))
    assert found["skgex.nn.GeneCorruption"]
    assert found["skgex._training.gene_ranges"]
    assert found["sklearn.utils._param_validation.Interval"]


def test_one_file_warns():
    """Elsewhere a number of levels would point into the package sooner or later."""
    calls = [
        (path.name, ast.unparse(node.func))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]
    assert [name for name, call in calls if call == "warnings.warn"] == ["_warn.py"]


def test_there_is_no_utils():
    assert not [path for path in FILES if path.stem.strip("_") in ("utils", "util")]


@pytest.mark.parametrize("statement", ["import skgex", "import skgex.datasets"])
def test_heavy_libraries_load_with_the_first_estimator(statement):
    code = (
        f"import sys; {statement}; before = 'torch' in sys.modules, "
        "'skorch' in sys.modules; skgex.SCARF; "
        "print(*before, 'torch' in sys.modules, 'skorch' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False", "False", "True", "True"]


def test_public_names_are_listed_and_reachable():
    assert sorted(skgex.__all__) == sorted(dir(skgex))
    for name in skgex.__all__:
        assert getattr(skgex, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = skgex.nothing
