"""A config becomes a form: a widget per field with its bounds and description, expanders for groups."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo


def form(config: BaseModel, prefix: str, only: str = "", without: str = "") -> dict[str, Any]:
    """Draw the form and return what differs from `config`, with dotted names ("tuning.lora.rank").

    Args:
        config: the values to begin with.
        prefix: of the widgets' keys.
        only: the one field to draw; "" draws all.
        without: a field not to draw.
    """
    changed: dict[str, Any] = {}
    _group(config, prefix, "", changed, {only} if only else set(type(config).model_fields) - {without})
    return changed


def _group(config: BaseModel, prefix: str, path: str, changed: dict[str, Any], drawn: set[str]) -> None:
    fields = {name: field for name, field in type(config).model_fields.items() if name in drawn}
    plain = [name for name in fields if not isinstance(getattr(config, name), BaseModel)]
    columns = st.columns(3)
    for number, name in enumerate(plain):
        value = getattr(config, name)
        with columns[number % 3]:
            given = _widget(name, fields[name], value, f"{prefix}.{path}{name}")
        if given != value:
            changed[path + name] = given
    for name in fields:
        inner = getattr(config, name)
        if isinstance(inner, BaseModel):
            with st.expander(f"{_words(name)}: {fields[name].description or ''}".rstrip(": ")):
                _group(inner, prefix, f"{path}{name}.", changed, set(type(inner).model_fields))


def _widget(name: str, field: FieldInfo, value: Any, key: str) -> Any:
    label, keep = _words(name), {"help": field.description, "key": key, "persist_state": "session"}
    kind = field.annotation
    if get_origin(kind) is Literal:
        options = list(get_args(kind))
        return st.selectbox(label, options, index=options.index(value), **keep)
    if isinstance(value, bool):
        return st.toggle(label, value, **keep)
    if isinstance(value, int | float):
        low, high = _bounds(field, type(value))
        whole = isinstance(value, int)
        step = 1 if whole else max(abs(value) / 10, 1e-6)
        shape = "%d" if whole else "%g"
        return st.number_input(label, low, high, value, step=step, format=shape, **keep)
    if isinstance(value, tuple):
        return _several(label, kind, value, keep)
    text = st.text_input(label, "" if value is None else str(value), **keep)
    return None if value is None and not text else text


def _several(label: str, kind: Any, value: tuple[Any, ...], keep: dict[str, Any]) -> tuple[Any, ...]:
    choice = get_args(kind)[0]
    if get_origin(choice) is Literal:
        return tuple(st.multiselect(label, list(get_args(choice)), default=list(value), **keep))
    text = st.text_input(f"{label} (commas between)", ", ".join(map(str, value)), **keep)
    return tuple(_read(word.strip(), choice) for word in text.split(",") if word.strip())


def _read(word: str, kind: Any) -> Any:
    """Return a word as the kind of value a field holds; one that is none stays, for the config to refuse."""
    try:
        return kind(word) if kind in (int, float) else word
    except ValueError:
        return word


def _bounds(field: FieldInfo, kind: type) -> tuple[Any, Any]:
    """Return the closed bounds of a field; open ones ("gt", "lt") are left to the config's own check."""
    found = {
        name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)
    }
    return tuple(None if found.get(name) is None else kind(found[name]) for name in ("ge", "le"))  # type: ignore[return-value]


def _words(name: str) -> str:
    return (f"number of {name[2:]}" if name.startswith("n_") else name).replace("_", " ").capitalize()
