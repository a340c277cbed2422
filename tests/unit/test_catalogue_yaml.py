"""The YAML catalogue: what it reads, and how it tells every fault with its file, line and field."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from crossfade.adapters.catalogue_yaml import YamlCatalogue
from crossfade.adapters.catalogue_yaml.fault import Fault, Place, dotted
from crossfade.core.catalogue_rules import Problem
from crossfade.core.errors import CatalogueBroken
from crossfade.core.model.catalogue import Catalogue

GROCERY = Path(__file__).resolve().parents[1] / "catalogues" / "grocery"


class Hands:
    """A monotonic clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the grocery's catalogue to break."""
    return Path(shutil.copytree(GROCERY, tmp_path / "grocery"))


def problems(folder: Path) -> list[str]:
    """Every fault of a catalogue that does not load."""
    with pytest.raises(CatalogueBroken) as caught:
        YamlCatalogue(folder).current()
    return caught.value.problems


def edit(folder: Path, before: str, after: str, file: str = "shop.yaml") -> None:
    """Replace the first occurrence of a text in a file."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def line_of(folder: Path, text: str, file: str = "shop.yaml") -> int:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


# Files


def test_sections_merge_across_files_at_any_depth(folder: Path) -> None:
    before = YamlCatalogue(folder).current()
    inner = folder / "more" / "deeper"
    inner.mkdir(parents=True)
    (inner / "extra.yml").write_text("units: {visit: region}\nholdouts:\n", encoding="utf-8")
    (inner / "empty.yaml").write_text("# nothing yet\n", encoding="utf-8")
    after = YamlCatalogue(folder).current()
    assert after.units == {**before.units, "visit": "region"}
    assert after.surfaces == before.surfaces


def test_hidden_and_other_files_are_not_read(folder: Path) -> None:
    (folder / ".git").mkdir()
    for name in (".git/a.yaml", ".draft.yaml", "notes.md", "shop.yaml.bak"):
        (folder / name).write_text("]", encoding="utf-8")
    assert YamlCatalogue(folder).current().units == {"household": "household_id"}


def test_a_folder_of_links_is_read_like_a_mounted_config_map(folder: Path, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    shutil.copytree(folder, mount / "..data")
    for name in ("shop.yaml", "surfaces"):
        (mount / name).symlink_to(Path("..data") / name)
    (mount / "again").symlink_to(mount)
    assert len(YamlCatalogue(mount).current().surfaces) == 3


def test_an_entry_in_two_files_is_a_fault_with_both_places(folder: Path) -> None:
    (folder / "zz.yaml").write_text("metrics:\n  order_rate: {}\ndefault_environment: x\n", encoding="utf-8")
    first, environment = line_of(folder, "  order_rate:"), line_of(folder, "default_environment")
    assert problems(folder) == [
        f"zz.yaml:2 metrics.order_rate: named twice; first at shop.yaml:{first}",
        f"zz.yaml:3 default_environment: named twice; first at shop.yaml:{environment}",
    ]


def test_malformed_yaml_is_told_with_line_and_column(folder: Path) -> None:
    (folder / "broken.yaml").write_text("metrics:\n  a: b: c\n", encoding="utf-8")
    assert problems(folder) == [
        "broken.yaml:2:7: not valid YAML: mapping values are not allowed in this context",
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a: 1\n--- \nb: 2", "broken.yaml:2:1: not valid YAML: expected a single document"),
        (b"units:\n  a: \xff", "broken.yaml:2:1: not UTF-8 text"),
        (b"units:\n\n  a: \x07", "broken.yaml:3:1: a character that YAML does not allow"),
        (b"#" * 1_000_001, "broken.yaml:1:1: the file has 1,000,001 bytes; the limit is 1,000,000"),
        (b"- a", "broken.yaml:1: a file of the catalogue is a mapping of sections; allowed units, attributes"),
        (b"\n\nmetric:\n  a: 1", "broken.yaml:3 metric: no such section; nearest metrics; allowed units, attributes"),
        (b"metrics: [a]", "broken.yaml:1 metrics: a mapping of names is expected here"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_nothing_else(folder: Path, data: bytes, says: str) -> None:
    (folder / "broken.yaml").write_bytes(data)
    [fault] = problems(folder)
    assert fault.startswith(says)


def test_what_an_unreadable_file_may_hold_is_not_reported_as_missing(folder: Path) -> None:
    edit(folder, "units:", "units: [")
    [fault] = problems(folder)
    assert fault.startswith("shop.yaml:")


def test_a_file_that_may_not_be_read_is_a_fault(folder: Path) -> None:
    (folder / "gone.yaml").symlink_to(folder / "nowhere.yaml")
    assert problems(folder) == ["gone.yaml: cannot be read: No such file or directory"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_to_itself_is_a_fault(folder: Path) -> None:
    (folder / "loop.yaml").symlink_to("loop.yaml")
    assert problems(folder) == ["loop.yaml: cannot be read: Too many levels of symbolic links"]


def test_a_missing_folder_says_what_to_create(tmp_path: Path) -> None:
    with pytest.raises(CatalogueBroken, match="does not exist") as caught:
        YamlCatalogue(tmp_path / "nowhere").current()
    assert "units, attributes, metrics, surfaces, holdouts, " in caught.value.next


def test_an_empty_folder_says_what_to_create(tmp_path: Path) -> None:
    with pytest.raises(CatalogueBroken, match=r"holds no \*\.yaml or \*\.yml file") as caught:
        YamlCatalogue(tmp_path).current()
    assert "examples/streaming" in caught.value.next


def test_a_check_that_is_loosened_is_told_with_its_file_and_line(folder: Path) -> None:
    (folder / "rules.yaml").write_text("checks:\n  duration.long: block\n  blackout.window: warn\n", encoding="utf-8")
    [told] = problems(folder)
    assert told.startswith('rules.yaml:3 checks["blackout.window"].severity: loosens')
    assert "only tightens" in told
    assert "allowed block, block_unless_overridden" in told


def test_missing_sections_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("units: {}\ndefault_environment: x\n", encoding="utf-8")
    assert problems(tmp_path) == [
        f"{section}: missing: no file of the catalogue has this section"
        for section in ("attributes", "environments", "metrics", "surfaces")
    ]


# Fields

PAGE_ERRORS = "page_errors: { role: guardrail }"


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        (
            "shop.yaml",
            "kind: proportion",
            "kind: proportoin",
            'metrics.order_rate.kind: no such value; got "proportoin"; nearest proportion; '
            "allowed proportion, mean, ratio, count",
        ),
        ("shop.yaml", "mde: 0.02", "mde: 2 %", 'metrics.order_rate.mde: a number is expected; got "2 %"'),
        ("shop.yaml", "mde: 0.02", "mde: '0.02'", 'metrics.order_rate.mde: a number is expected; got "0.02"'),
        ("shop.yaml", "mde: 0.02", "mde: 0", "metrics.order_rate.mde: must be greater than 0"),
        (
            "shop.yaml",
            "mde: 0.02",
            "mdee: 0.02",
            "metrics.order_rate.mdee: no such field; nearest mde; allowed baseline",
        ),
        (
            "shop.yaml",
            "name: Households that order",
            "nmae: Households that order",
            "metrics.order_rate.nmae: no such field; nearest name; allowed baseline",
        ),
        (
            "shop.yaml",
            "measured: 2026-10-05",
            "measured: 5 October",
            'metrics.order_rate.baseline.measured: a date is expected, such as 2026-12-31; got "5 October"',
        ),
        (
            "shop.yaml",
            "open: true, immutable: true",
            "open: yes, immutable: true",
            "attributes.household_id.open: true or false is expected (yes, no, on and off are texts in YAML 1.2); "
            'got "yes"',
        ),
        (
            "shop.yaml",
            "shares: { north: 0.22",
            "shares: { north: 22",
            "attributes.region.shares.north: must be at most 1; got 22",
        ),
        (
            "shop.yaml",
            "name: Households that order",
            "name: 2026",
            "metrics.order_rate.name: a text is expected; put it in quotes; got 2026",
        ),
        (
            "shop.yaml",
            "name: Households that order",
            "name:",
            "metrics.order_rate.name: a text is expected; put it in quotes; nothing stands here",
        ),
        ("shop.yaml", "name: Households that order", "name: ' '", "metrics.order_rate.name: empty"),
        (
            "shop.yaml",
            "  basket_value:\n",
            "  Basket Value:\n",
            'metrics["Basket Value"]: a name is a lower-case letter, then letters, digits, _ or -',
        ),
        (
            "shop.yaml",
            "surfaces: [storefront, basket]",
            "surfaces: basket",
            "holdouts.frozen-assortment.surfaces: a list",
        ),
        (
            "surfaces/all.yml",
            "parameters:\n      aisles:",
            "parameters: []\n    tags2:\n      aisles:",
            "surfaces.storefront.parameters: a mapping is expected (name: value); got a list of 0",
        ),
        (
            "surfaces/all.yml",
            "1: 90000",
            "1: 90_000",
            'surfaces.storefront.accrual.1: a whole number is expected, without underscores; got "90_000"',
        ),
        (
            "surfaces/all.yml",
            "1: 90000",
            "first: 90000",
            "surfaces.storefront.accrual.first: a whole number is expected",
        ),
        (
            "surfaces/all.yml",
            "1: 90000",
            "1: 9e4",
            "surfaces.storefront.accrual.1: a whole number is expected; got 90000.0",
        ),
        (
            "surfaces/all.yml",
            "max_live: 3",
            "zz: 3",
            "surfaces.storefront.zz: no such field; allowed aa_tested, accrual, blackouts, delivery, description, "
            "interference, layers, max_live, name, new_units, owner, parameters, policy, required_links, "
            "required_metrics, required_reviewers, restricted, reviewers, suggested_metrics, tags, unit",
        ),
        (
            "surfaces/all.yml",
            "schema: { type: boolean }",
            "json_schem: { type: boolean }",
            "surfaces.storefront.parameters.reorder_first.json_schem: no such field",
        ),
    ],
)
def test_a_wrong_field_is_told_with_what_came_and_what_may_come(
    folder: Path, file: str, before: str, after: str, says: str
) -> None:
    edit(folder, before, after, file)
    where = f"{file}:{line_of(folder, after.splitlines()[0], file)}"
    faults = problems(folder)
    assert any(fault.startswith(f"{where} {says}") for fault in faults), faults


def test_a_fault_names_the_line_of_its_field(folder: Path) -> None:
    edit(folder, "better: up", "better: upp")
    line = line_of(folder, "better: upp")
    assert problems(folder) == [
        f'shop.yaml:{line} metrics.order_rate.better: no such value; got "upp"; nearest up; allowed up, down'
    ]


def test_a_missing_field_points_to_the_entry_that_lacks_it(folder: Path) -> None:
    edit(folder, "    owner: checkout-team\n", "")
    line = line_of(folder, "order_rate:")
    assert problems(folder) == [f"shop.yaml:{line} metrics.order_rate.owner: missing"]


def test_a_misspelt_field_is_one_fault_and_not_a_missing_one_too(folder: Path) -> None:
    edit(folder, "owner: checkout-team", "ownr: checkout-team")
    [fault] = problems(folder)
    assert "metrics.order_rate.ownr: no such field; nearest owner" in fault


def test_a_required_metric_that_does_not_exist_is_told_with_the_nearest(folder: Path) -> None:
    edit(folder, PAGE_ERRORS, "page_eror: { role: guardrail }", "surfaces/all.yml")
    line = line_of(folder, "page_eror", "surfaces/all.yml")
    [fault] = problems(folder)
    assert fault == (
        f"surfaces/all.yml:{line} surfaces.storefront.required_metrics.page_eror: no such metric; nearest page_errors; "
        "allowed basket_value, baskets, items_added, late_deliveries, order_rate, page_errors, slot_choice_seconds, "
        "substitution_rate"
    )


def test_an_item_of_a_list_is_pointed_to(folder: Path) -> None:
    text = "suggested_metrics:\n      - items_added\n      - order_rates\n"
    edit(folder, "suggested_metrics: [items_added, basket_value, order_rate]\n", text, "surfaces/all.yml")
    line = line_of(folder, "order_rates", "surfaces/all.yml")
    [fault] = problems(folder)
    assert fault.startswith(f"surfaces/all.yml:{line} surfaces.storefront.suggested_metrics[1]: no such metric")


def test_all_faults_come_at_once_in_the_order_of_files_and_lines(folder: Path) -> None:
    edit(folder, "max_live: 3", "max_live: 0", "surfaces/all.yml")
    edit(folder, "max_live: 1", "max_live: none", "surfaces/all.yml")
    edit(folder, "mde: 0.02", "mde: -1")
    edit(folder, "type: boolean", "type: bool")
    edit(folder, "mean: 43.5", "mean: .nan")
    (folder / "a.yaml").write_text("units:\n  household: x\n", encoding="utf-8")
    assert [fault.split(": ")[0].split(" ")[1] for fault in problems(folder)] == [
        "units.household",
        "attributes.is_member.type",
        "metrics.order_rate.mde",
        "metrics.basket_value.baseline.mean",
        "surfaces.storefront.max_live",
        "surfaces.delivery-slots.max_live",
    ]


def test_rules_are_asked_only_about_catalogues_that_fit_the_model(folder: Path) -> None:
    edit(folder, "replaced_by: order_rate", "replaced_by: order_rat")
    assert "no such metric; got" in problems(folder)[0]
    edit(folder, "mde: 0.02", "mde: -1")
    [fault] = problems(folder)
    assert "metrics.order_rate.mde" in fault


def test_extra_rules_are_faults_like_all_others(folder: Path) -> None:
    def no_relative_paths(catalogue: Catalogue) -> list[Problem]:
        return [
            Problem(("environments", name, "backends", key, "settings", "path"), "must be absolute")
            for name, environment in catalogue.environments.items()
            for key, backend in environment.backends.items()
            if not str(backend.settings["path"]).startswith("/")
        ]

    with pytest.raises(CatalogueBroken) as caught:
        YamlCatalogue(folder, no_relative_paths).current()
    line = line_of(folder, "rules: { kind")
    assert caught.value.problems == [
        f"shop.yaml:{line} environments.live.backends.rules.settings.path: must be absolute",
        f"shop.yaml:{line + 1} environments.live.backends.copy.settings.path: must be absolute",
    ]


@pytest.mark.parametrize(
    ("at", "path"),
    [
        (("surfaces", "home", "tags", 2), "surfaces.home.tags[2]"),
        (("attributes", "v", "shares", "8.9.0"), 'attributes.v.shares["8.9.0"]'),
        (("s", "$defs", "a b"), 's.$defs["a b"]'),
        ((), ""),
    ],
)
def test_paths_read_as_people_write_them(at: tuple[str | int, ...], path: str) -> None:
    assert dotted(at) == path


def test_long_values_are_cut() -> None:
    fault = Fault(Place("a.yaml", 3), Problem(("x",), "too long", got="y" * 500))
    assert len(str(fault)) < 100


# Change


@pytest.fixture
def watched(folder: Path) -> tuple[Path, YamlCatalogue, Hands]:
    clock = Hands()
    return folder, YamlCatalogue(folder, monotonic=clock), clock


def touch(path: Path, seconds: int) -> None:
    """Give a file another modification time, as if written later."""
    os.utime(path, (2_000_000_000 + seconds, 2_000_000_000 + seconds))


def test_an_unchanged_folder_gives_the_same_object(watched: tuple[Path, YamlCatalogue, Hands]) -> None:
    _, source, clock = watched
    first = source.current()
    clock.now += 10
    assert source.current() is first


def test_a_change_is_seen_after_200_ms_and_not_looked_for_before(
    watched: tuple[Path, YamlCatalogue, Hands],
) -> None:
    folder, source, clock = watched
    first = source.current()
    edit(folder, "max_live: 3", "max_live: 9", "surfaces/all.yml")
    touch(folder / "surfaces" / "all.yml", 1)
    clock.now += 0.19
    assert source.current() is first
    clock.now += 0.02
    assert source.current().surfaces["storefront"].max_live == 9


def test_new_and_removed_files_are_changes(watched: tuple[Path, YamlCatalogue, Hands]) -> None:
    folder, source, clock = watched
    source.current()
    (folder / "more.yaml").write_text("units: {visit: region}", encoding="utf-8")
    clock.now += 1
    assert "visit" in source.current().units
    (folder / "more.yaml").unlink()
    clock.now += 1
    assert "visit" not in source.current().units


def test_a_broken_catalogue_is_refused_until_it_is_mended(watched: tuple[Path, YamlCatalogue, Hands]) -> None:
    folder, source, clock = watched
    source.current()
    edit(folder, "kind: count", "kind: counted")
    touch(folder / "shop.yaml", 1)
    clock.now += 1
    raised: list[CatalogueBroken] = []
    for _ in range(2):
        with pytest.raises(CatalogueBroken, match=r"does not load: 1 fault\.") as caught:
            source.current()
        raised.append(caught.value)
    assert raised[0] is not raised[1]
    assert raised[0].problems == raised[1].problems
    edit(folder, "kind: counted", "kind: count")
    touch(folder / "shop.yaml", 2)
    clock.now += 1
    assert source.current().metrics["items_added"].kind == "count"


def test_a_folder_that_appears_later_is_read(tmp_path: Path) -> None:
    clock = Hands()
    source = YamlCatalogue(tmp_path / "grocery", monotonic=clock)
    with pytest.raises(CatalogueBroken):
        source.current()
    shutil.copytree(GROCERY, tmp_path / "grocery")
    clock.now += 1
    assert len(source.current().surfaces) == 3
