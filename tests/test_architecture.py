"""Hold every file of the engine against the floor plan: who may import whom, and what may be heavy."""

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = sorted((ROOT / "rec_core").rglob("*.py"))
PAGES = sorted([*ROOT.glob("app.py"), *(ROOT / "pages").rglob("*.py")])

GROUND = (
    "types",
    "config",
    "seeding",
    "device",
    "processes",
    "store",
    "run_folder",
)  # each may import those before it
FLOOR_0 = set(GROUND)
FLOOR_1 = {"data", "prompts", "losses", "metrics"}
FLOOR_2 = {"nets", "llm", "retrieval", "objectives"}
FLOOR_3 = {"training", "projections", "evaluation"}
BELOW_7 = FLOOR_0 | FLOOR_1 | FLOOR_2 | FLOOR_3 | {"systems", "explain", "probes", "figures", "report"}

MAY_IMPORT: dict[str, set[str]] = {
    **{room: set(GROUND[:place]) for place, room in enumerate(GROUND)},
    **dict.fromkeys(FLOOR_1, FLOOR_0),
    "nets": FLOOR_0,
    "llm": FLOOR_0 | {"prompts"},
    "retrieval": FLOOR_0,
    "objectives": FLOOR_0 | {"losses", "nets"},  # an objective binds one net to one loss
    **dict.fromkeys(FLOOR_3, FLOOR_0 | {"data", "metrics"}),
    "systems": FLOOR_0 | FLOOR_1 | FLOOR_2 | FLOOR_3,
    **dict.fromkeys(("explain", "probes"), FLOOR_0 | {"metrics", "prompts"}),
    **dict.fromkeys(("figures", "report"), {"types"}),
    "roster": FLOOR_0,
    "workbench": BELOW_7 | {"roster"},
    "studies": BELOW_7 | {"roster", "workbench"},  # a paper's table may measure any room
    "jobs": FLOOR_0 | {"workbench", "roster"},
    "cli": FLOOR_0 | {"workbench", "roster", "studies", "jobs"},
    "__main__": {"cli"},
}
PAGES_MAY_IMPORT = {
    "workbench",
    "studies",
    "jobs",
    "figures",
    "roster",
    "types",
    "store",
}  # verbs take a Workspace

HEAVY = {
    *("torch", "transformers", "peft", "bitsandbytes", "accelerate", "tokenizers", "sentence_transformers"),
    *("implicit", "umap", "numba", "faiss", "sklearn", "statsmodels", "plotly", "streamlit", "optuna"),
}
MAY_LOAD = {
    **dict.fromkeys(("losses", *FLOOR_2, *FLOOR_3, "systems"), {"torch"}),
    **dict.fromkeys(("figures", "report"), {"plotly"}),
}
FORBIDDEN = {"streamlit", "tqdm", "pickle", "dill", "joblib", "cloudpickle"}  # anywhere in the engine


def test_the_floor_plan_has_no_cycle():
    for room, below in MAY_IMPORT.items():
        for other in below:
            assert room not in MAY_IMPORT.get(other, set()), f"{room} and {other} may import each other"


@pytest.mark.parametrize("file", ENGINE, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_down(file: Path):
    room = _room(file)
    assert room in MAY_IMPORT or room == "__init__", f"the room {room!r} has no floor"
    wrong = [
        f"line {line}: {module}"
        for line, module in _imports(_tree(file))
        for other in [_engine_room(module)]
        if other and other != room and other not in MAY_IMPORT.get(room, set())
    ]
    assert not wrong, f"{file.relative_to(ROOT)} ({room}) reaches too far: {wrong}"


@pytest.mark.parametrize("file", ENGINE, ids=lambda file: str(file.relative_to(ROOT)))
def test_heavy_packages_are_imported_late(file: Path):
    allowed = MAY_LOAD.get(_room(file), set())
    imports = list(_imports(_tree(file), module_level_only=True))
    wrong = [f"line {line}: {module}" for line, module in imports if module.split(".")[0] in HEAVY - allowed]
    assert not wrong, f"{file.relative_to(ROOT)} loads at import time: {wrong}"


@pytest.mark.parametrize("file", ENGINE, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_prints_pickles_or_draws(file: Path):
    tree = _tree(file)
    wrong = [module for _, module in _imports(tree) if module.split(".")[0] in FORBIDDEN]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in {"print", "eval", "exec", "torch.load", "torch.save", "np.random.seed", "random.seed"}:
                wrong.append(f"line {node.lineno}: {name}(...)")
    assert not wrong, f"{file.relative_to(ROOT)}: {wrong}"


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_pages_speak_through_the_workbench(file: Path):
    wrong = []
    for line, module in _imports(_tree(file)):
        room = _engine_room(module)
        if (room and room not in PAGES_MAY_IMPORT) or module.split(".")[0] in HEAVY - {"streamlit", "plotly"}:
            wrong.append(f"line {line}: {module}")
    assert not wrong, f"{file.relative_to(ROOT)} reaches past the workbench: {wrong}"


def test_every_module_can_be_imported():
    for file in ENGINE:
        if file.name != "__main__.py":
            assert importlib.import_module(_module(file)).__name__ == _module(file)


def test_verbs_and_commands_start_without_heavy_packages():
    light = [_module(f) for f in ENGINE if _room(f) in {"roster", "workbench", "studies", "jobs", "cli"}]
    code = (
        "import importlib, json, sys\n"
        f"for name in {light!r}: importlib.import_module(name)\n"
        f"sys.stdout.write(json.dumps(sorted({HEAVY!r} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_reach_upwards_is_noticed():
    found = list(_imports(ast.parse("def f():\n    from rec_core.systems.rallrec import RALLRec\n")))
    assert found == [(2, "rec_core.systems.rallrec")]
    assert _engine_room(found[0][1]) not in MAY_IMPORT["probes"]
    assert [m for _, m in _imports(ast.parse("from rec_core import workbench"))] == ["rec_core.workbench"]
    late = ast.parse(
        "if TYPE_CHECKING:\n    import torch\ndef f():\n    import umap\ntry:\n    import faiss\nfinally: ..."
    )
    assert [m for _, m in _imports(late, module_level_only=True)] == ["faiss"]


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _room(file: Path) -> str:
    return Path(file.relative_to(ROOT / "rec_core").parts[0]).stem


def _engine_room(module: str) -> str:
    """Return the room an absolute module name lies in, '' outside the engine."""
    parts = module.split(".")
    return parts[1] if parts[0] == "rec_core" and len(parts) > 1 else ""


def _imports(node: ast.AST, module_level_only: bool = False) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of every import; what only type checkers or function bodies see can be left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: relative import"
            if child.module == "rec_core":
                yield from ((child.lineno, f"rec_core.{alias.name}") for alias in child.names)
            else:
                yield child.lineno, str(child.module)
        elif module_level_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        elif module_level_only and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        else:
            yield from _imports(child, module_level_only)
