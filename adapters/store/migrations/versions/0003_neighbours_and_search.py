"""Groups of live experiments, a full-text index, and the ranges that were given back by layer and moment."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# Texts sort by code point in both databases, whatever the collation of this one.
NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

LIVE = "('paused', 'running', 'scheduled')"
PLACE = ("environment", "surface", "layer", "touched", "audience")

JOIN_GROUP = """
CREATE TRIGGER live_group_joined_on_{name} AFTER {event} ON experiment WHEN NEW.state IN {live}
BEGIN
    INSERT INTO live_group ({place}, count) VALUES ({new_place}, 1)
        ON CONFLICT ({place}) DO UPDATE SET count = count + 1;
    INSERT INTO live_member (key, group_id) SELECT NEW.key, id FROM live_group WHERE ({place}) = ({new_place});
END
"""

LEAVE_GROUP = """
CREATE TRIGGER live_group_left_on_update BEFORE UPDATE ON experiment WHEN OLD.state IN {live}
BEGIN
    UPDATE live_group SET count = count - 1 WHERE id = (SELECT group_id FROM live_member WHERE key = OLD.key);
    DELETE FROM live_member WHERE key = OLD.key;
    DELETE FROM live_group WHERE ({place}) = ({old_place}) AND count = 0;
END
"""

# The index says md5 for long texts, which a B-tree of PostgreSQL refuses.
GROUPS_POSTGRESQL = f"""
CREATE UNIQUE INDEX uq_live_group ON live_group (environment, surface, layer, md5(touched), md5(audience));

CREATE FUNCTION live_group_joined() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    joined integer;
BEGIN
    INSERT INTO live_group (environment, surface, layer, touched, audience, count)
        VALUES (NEW.environment, NEW.surface, NEW.layer, NEW.touched, NEW.audience, 1)
        ON CONFLICT (environment, surface, layer, md5(touched), md5(audience))
        DO UPDATE SET count = live_group.count + 1 RETURNING id INTO joined;
    INSERT INTO live_member (key, group_id) VALUES (NEW.key, joined);
    RETURN NULL;
END
$$;

CREATE FUNCTION live_group_left() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    past integer;
BEGIN
    DELETE FROM live_member WHERE key = OLD.key RETURNING group_id INTO past;
    UPDATE live_group SET count = count - 1 WHERE id = past;
    DELETE FROM live_group WHERE id = past AND count = 0;
    RETURN NEW;
END
$$;

CREATE TRIGGER live_group_left_on_update BEFORE UPDATE ON experiment
    FOR EACH ROW WHEN (OLD.state IN {LIVE}) EXECUTE FUNCTION live_group_left();
CREATE TRIGGER live_group_joined_on_write AFTER INSERT OR UPDATE ON experiment
    FOR EACH ROW WHEN (NEW.state IN {LIVE}) EXECUTE FUNCTION live_group_joined();
"""  # noqa: S608

# Words are parted and folded by our own code: what PostgreSQL's parser makes of a text depends on its language.
SEARCH_POSTGRESQL = """
CREATE TABLE experiment_search (
    id integer PRIMARY KEY REFERENCES experiment_text,
    words tsvector NOT NULL
);
CREATE INDEX ix_experiment_search_words ON experiment_search USING gin (words);
"""

# Two and three letters of a word are indexed as such, since words are searched by their beginnings.
SEARCH = """
CREATE VIRTUAL TABLE experiment_search USING fts5(
    names, hypothesis, details, surface,
    content='experiment_text', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
)
"""
INDEX_NEW = """
    INSERT INTO experiment_search (rowid, names, hypothesis, details, surface)
        VALUES (NEW.id, NEW.names, NEW.hypothesis, NEW.details, NEW.surface);
"""
FORGET_OLD = """
    INSERT INTO experiment_search (experiment_search, rowid, names, hypothesis, details, surface)
        VALUES ('delete', OLD.id, OLD.names, OLD.hypothesis, OLD.details, OLD.surface);
"""

UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)


def upgrade() -> None:
    _create_groups()
    _create_search()
    _index_ranges()
    op.drop_column("experiment", "words")


def _create_groups() -> None:
    op.create_table(
        "live_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("environment", NAME, nullable=False),
        sa.Column("surface", NAME, nullable=False),
        sa.Column("layer", NAME, nullable=False),
        sa.Column("touched", TEXT, nullable=False),
        sa.Column("audience", TEXT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        *([] if _is_postgresql() else [sa.UniqueConstraint(*PLACE, name="uq_live_group")]),
    )
    op.create_table(
        "live_member",
        sa.Column("key", NAME, nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
        sa.ForeignKeyConstraint(["group_id"], ["live_group.id"]),
    )
    op.create_index("ix_live_member_group", "live_member", ["group_id", "key"])
    if _is_postgresql():  # no store there is older than this revision: none has experiments that are to join
        op.execute(GROUPS_POSTGRESQL)
    else:
        _keep_groups()
        _join_groups()


def _keep_groups() -> None:
    op.create_index("ix_live_group_count", "live_group", [*PLACE, "count"])
    op.create_index("ix_live_group_audience", "live_group", ["environment", "audience", "surface"])
    names = {
        "live": LIVE,
        "place": ", ".join(PLACE),
        "new_place": ", ".join(f"NEW.{name}" for name in PLACE),
        "old_place": ", ".join(f"OLD.{name}" for name in PLACE),
    }
    op.execute(LEAVE_GROUP.format(**names))
    for event in ("INSERT", "UPDATE"):
        op.execute(JOIN_GROUP.format(name=event.lower(), event=event, **names))


def _join_groups() -> None:
    """Whoever is live already joins by being written once more, with the audience of its document: the column had none
    that was written as text, and the names of the others as they came."""
    documents = "experiment JOIN experiment_version USING (key, version)"
    live = f"SELECT key, experiment.state, document FROM {documents} WHERE experiment.state IN {LIVE}"  # noqa: S608
    found = op.get_bind().exec_driver_sql(live).all()
    for key, _, _ in found:
        op.get_bind().exec_driver_sql("UPDATE experiment SET state = 'draft' WHERE key = ?", (key,))
    for key, state, document in found:
        audience = json.loads(document).get("audience")
        said = audience if isinstance(audience, str) else _map(audience)
        ordered = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        op.get_bind().exec_driver_sql(
            "UPDATE experiment SET state = ?, audience = ? WHERE key = ?", (state, ordered, key)
        )


def _create_search() -> None:
    op.create_table(
        "experiment_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("names", TEXT, nullable=False),
        sa.Column("hypothesis", TEXT, nullable=False),
        sa.Column("details", TEXT, nullable=False),
        sa.Column("surface", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.ForeignKeyConstraint(["key"], ["experiment.key"]),
    )
    if _is_postgresql():
        op.execute(SEARCH_POSTGRESQL)
    else:
        _index_words()


def _index_words() -> None:
    op.execute(SEARCH)
    op.execute(f"CREATE TRIGGER experiment_indexed AFTER INSERT ON experiment_text BEGIN {INDEX_NEW} END")
    changed = "CREATE TRIGGER experiment_indexed_again AFTER UPDATE ON experiment_text"
    op.execute(f"{changed} BEGIN {FORGET_OLD} {INDEX_NEW} END")
    stored = op.get_bind().exec_driver_sql(
        "SELECT experiment_version.key, document FROM experiment_version JOIN experiment USING (key, version)"
    )
    for key, document in stored.all():
        op.get_bind().exec_driver_sql(
            "INSERT INTO experiment_text (key, names, hypothesis, details, surface) VALUES (?, ?, ?, ?, ?)",
            (key, *map(_separated, _texts(key, json.loads(document)))),
        )


def _index_ranges() -> None:
    live, released = sa.text("released_at IS NULL"), sa.text("released_at IS NOT NULL")
    op.create_index("ix_bucket_range_until", "bucket_range", ["until"], sqlite_where=live, postgresql_where=live)
    op.create_index(
        "ix_bucket_range_released",
        "bucket_range",
        ["layer", "released_at"],
        sqlite_where=released,
        postgresql_where=released,
    )
    op.create_index(
        "ix_bucket_range_past",
        "bucket_range",
        ["experiment", "released_at"],
        sqlite_where=released,
        postgresql_where=released,
    )


def _texts(key: str, document: dict[str, Any]) -> tuple[str, str, str, str]:
    """Title, hypothesis, details and surface of a document, in which a draft may have anything anywhere."""
    hypothesis, variants = _map(document.get("hypothesis")), _map(document.get("variants"))
    touched = {name for each in variants.values() for name in _map(_map(each).get("parameters"))}
    tags: Any = document.get("tags")
    named = [str(tag) for tag in cast(list[Any], tags) if isinstance(tag, str)] if isinstance(tags, list) else []
    return (
        "\n".join([key, _text(document.get("name")), *named]),
        f"{_text(hypothesis.get('change'))}\n{_text(hypothesis.get('because'))}",
        "\n".join([_text(document.get("owner")), _text(hypothesis.get("metric")), *sorted(touched)]),
        _text(document.get("surface")),
    )


def _separated(text: str) -> str:
    return UNSPACED.sub(r" \1 ", text.casefold())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _map(value: Any) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
