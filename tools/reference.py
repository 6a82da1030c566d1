"""Write docs/reference from the code: events, vocabulary, errors, commands, and what the library offers.

``python tools/reference.py`` writes, ``--check`` fails when a committed page differs. Each page is a function that
returns Markdown; nothing here is said twice: sentences come from docstrings and declarations.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
_NOTE = "<!-- Written by tools/reference.py from the code; do not edit. -->"
_WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "yes or no",
    Decimal: "decimal",
    type(None): "nothing",
    msgspec.UnsetType: "nothing",
    dict: "mapping",
    Any: "anything",
}


def one_line(words: str | None) -> str:
    """Text as one line of a table."""
    return " ".join((words or "").replace("``", "`").replace("|", "\\|").split())


def first_sentence(thing: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    return one_line((inspect.getdoc(thing) or "").split("\n\n")[0])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(one_line(cell) or " " for cell in row) + " |"
    yield ""


def type_words(hint: Any) -> str:
    """A type as a reader of the wire format names it.

    >>> type_words(int | None), type_words(tuple[str, ...]), type_words(dict[str, Any])
    ('whole number', 'list of text', 'mapping')
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return type_words(inner[0])
    if origin in {Union, types.UnionType}:
        words = [type_words(one) for one in inner if type_words(one) != "nothing"]
        return "number" if words == ["whole number", "number"] else " or ".join(words)
    if origin in {tuple, list, frozenset, set}:
        return f"list of {type_words(inner[0])}"
    if origin is dict:
        return "mapping"
    if hint in _WORDS:
        return _WORDS[hint]
    return getattr(hint, "__name__", str(hint))


def fields_of(struct: type[msgspec.Struct]) -> Iterator[tuple[str, str, str, str, str]]:
    """Name, type, personal class, sentence and example of each field of a struct."""
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        notes = [note for note in get_args(hint)[1:] if isinstance(note, msgspec.Meta)]
        note = notes[0] if notes else msgspec.Meta()
        example = "" if not note.examples else f"`{note.examples[0]}`"
        kind = (note.extra or {}).get("personal", "")
        yield f"`{field.encode_name}`", type_words(hint), str(kind), note.description or "", example


def events() -> Iterator[str]:
    """Every declared event."""
    from shopkeeper.domain import events as declared_events
    from shopkeeper.domain.event import EVENTS
    from shopkeeper.domain.events.orders import Line

    yield "# Events"
    yield ""
    yield "Names and properties follow the Segment ecommerce spec v2, extended where retail needs it. Every property"
    yield "may be left out. Events nobody declared are accepted and kept, with every text sealed as personal."
    yield "Properties with a personal class never enter the log or the lake: they are sealed in the vault."
    yield ""
    by_module: dict[str, list[Any]] = {}
    for row in EVENTS.values():
        by_module.setdefault(row.struct.__module__, []).append(row)
    for name in declared_events.__all__:
        module = importlib.import_module(f"shopkeeper.domain.events.{name}")
        yield f"## {name.capitalize()}: {first_sentence(module)}"
        yield ""
        for row in sorted(by_module.get(module.__name__, []), key=lambda row: row.name):
            yield f"### {row.name}"
            yield ""
            yield row.sentence
            also = f" Also spelled {', '.join(row.aliases)}." if row.aliases else ""
            yield f"Version {row.version}.{also}"
            yield ""
            yield from table(
                ("property", "type", "personal", "what it says", "example"), fields_of(row.struct)
            )
        if name == "orders":
            yield "### Lines of an order"
            yield ""
            yield first_sentence(Line)
            yield ""
            yield from table(("property", "type", "personal", "what it says", "example"), fields_of(Line))


def vocabulary() -> Iterator[str]:
    """Kinds of identifiers, purposes of consent, lawful bases, roles, classes of personal data, kept records."""
    from shopkeeper.domain.actor import ROLES, Permission
    from shopkeeper.domain.catalogue import KEYS, RECORDS
    from shopkeeper.domain.consent import BASES, PURPOSES
    from shopkeeper.domain.identifier import IDENTIFIER_KINDS
    from shopkeeper.domain.personal import EVERY_CLASS, Personal

    yield "# Vocabulary"
    yield ""
    yield "## Identifiers"
    yield ""
    yield "From the strongest to the weakest. An exclusive kind is issued to one person each; a session kind speaks"
    yield "for a device. Above the bound an identifier is a junction that many share, and links nobody."
    yield ""
    kinds = sorted(IDENTIFIER_KINDS.values(), key=lambda kind: kind.rank)
    rows = (
        (
            f"`{k.name}`",
            k.sentence,
            "exclusive" if k.exclusive else "session" if k.session else "",
            str(k.most),
        )
        for k in kinds
    )
    yield from table(("kind", "what it is", "", "bound"), rows)
    yield "## Purposes of consent"
    yield ""
    yield from table(
        ("purpose", "what it permits"), ((f"`{name}`", words) for name, words in PURPOSES.items())
    )
    yield f"Lawful bases: {', '.join(f'`{basis}`' for basis in BASES)}."
    yield ""
    yield "## Roles"
    yield ""
    yield from table(("role", "who that is"), ((f"`{name}`", role.sentence) for name, role in ROLES.items()))
    yield "What each may do, by the permission that a verb needs (see Library for the verbs):"
    yield ""
    yield from table(
        ("permission", "what it allows", *(f"`{name}`" for name in ROLES)),
        (
            (f"`{one}`", words, *("yes" if one in role.may else "" for role in ROLES.values()))
            for one, words in members(Permission)
        ),
    )
    yield "What each sees in clear, by class of personal data; everything else is masked. The owner, who opens the"
    yield "shop's folder as a library or by a command, is an administrator. An API key has scopes instead of a role:"
    yield "the permissions above, and `see_` with a class."
    yield ""
    yield from table(
        ("class", *(f"`{name}`" for name in ROLES)),
        (
            (f"`{one}`", *("clear" if one in role.sees else "masked" for role in ROLES.values()))
            for one in Personal
            if one in EVERY_CLASS
        ),
    )
    yield "## Classes of personal data"
    yield ""
    yield from table(("class", "what it is"), ((f"`{one}`", words) for one, words in members(Personal)))
    yield "## Records"
    yield ""
    yield "What a shop has rather than who comes: kept under a key, replaced by a later import."
    yield ""
    for kind, struct in RECORDS.items():
        yield f"### {kind}"
        yield ""
        yield f"{first_sentence(struct)} Key: {', '.join(f'`{name}`' for name in KEYS[kind])}."
        yield ""
        rows_ = ((name, words) for name, words, *_ in fields_of(struct))
        yield from table(("field", "type"), rows_)


def members(enumeration: Any) -> Iterator[tuple[str, str]]:
    """Members of an enumeration with the sentence that stands below each."""
    lines = inspect.getsource(enumeration).splitlines()
    for number, line in enumerate(lines):
        name, equals, _ = line.strip().partition(" = ")
        if equals and name.isupper():
            yield str(enumeration[name]), lines[number + 1].strip().strip('"')


def errors() -> Iterator[str]:
    """The tree of errors."""
    from shopkeeper.domain import errors as module

    yield "# Errors"
    yield ""
    tree = inspect.getdoc(module) or ""
    yield "```text"
    yield from (
        line.removeprefix("    ") for line in tree.split("::\n\n", 1)[1].split("\n\n", 1)[0].splitlines()
    )
    yield "```"
    yield ""
    yield tree.split("\n\n")[-1]
    yield ""
    found = [e for e in vars(module).values() if inspect.isclass(e) and issubclass(e, module.ShopkeeperError)]
    rows = ((f"`{e.__name__}`", f"`{e.code}`", "yes" if e.retry else "", first_sentence(e)) for e in found)
    yield from table(("error", "code", "try again", "when"), rows)


def files() -> Iterator[str]:
    """Every kind of file with its fields and the column names they go by."""
    from shopkeeper.collect.files.columns import SYNONYMS
    from shopkeeper.collect.files.feeds import FEEDS
    from shopkeeper.collect.files.kinds import KINDS

    yield "# Files"
    yield ""
    yield "CSV, Parquet, JSON Lines and Excel. Columns are recognised by name, whatever their case, spaces and"
    yield "punctuation; `--map field=column` says what was not recognised. At least one field of each group under"
    yield "*needs* must be there; all others may be missing."
    yield ""
    for kind in KINDS.values():
        yield f"## {kind.name}"
        yield ""
        needs = "; ".join(" or ".join(f"`{name}`" for name in group) for group in kind.needs)
        yield f"{kind.sentence[0].upper()}{kind.sentence[1:]}. Needs {needs}."
        yield ""
        rows = ((f"`{f.name}`", f.type, f.sentence, ", ".join(f.also)) for f in kind.fields)
        yield from table(("field", "type", "what it says", "here also called"), rows)
    for name, sentence in FEEDS.items():
        yield f"## {name}"
        yield ""
        yield f"{sentence[0].upper()}{sentence[1:]}; recognised by its content."
        yield ""
    yield "## Column names"
    yield ""
    yield "Names that mean a field in every kind that has it:"
    yield ""
    yield from table(("field", "also called"), ((f"`{field}`", words) for field, words in SYNONYMS.items()))


def traits() -> Iterator[str]:
    """Every trait of a customer."""
    from shopkeeper.know.traits import TRAITS as KNOWN
    from shopkeeper.predict.traits import TRAITS as FORETOLD

    yield "# Traits"
    yield ""
    yield "One fact about every customer, declared once: a column of the customers' table, a field of the API and the"
    yield "library, a label on the screen. Money is in units of the shop's currency."
    yield ""
    changes = {"event": "an event", "time": "time alone", "refresh": "a refresh"}
    for title, rows in (("Known", KNOWN), ("Predicted", FORETOLD)):
        yield f"## {title}"
        yield ""
        cells = (
            (f"`{t.name}`", t.label, "day" if t.day else t.kind, t.unit, changes[t.clock], t.sentence)
            for t in rows
        )
        yield from table(("trait", "label", "type", "unit", "changed by", "what it says"), cells)


def conditions() -> Iterator[str]:
    """The language of conditions."""
    from shopkeeper.domain.condition import asked, functions, lexing
    from shopkeeper.domain.condition.check import MOST_BEHAVIOURS, MOST_FOLLOWED
    from shopkeeper.domain.condition.parse import MOST_TERMS

    yield "# Conditions"
    yield ""
    yield "A segment, an eligibility rule, a trigger and a report filter are the same thing: an SQL expression"
    yield "over a customer's [traits](traits.md) and [events](events.md), asked of one customer or of all with"
    yield "the same answer ([why](../why/0013-one-condition-language.md))."
    yield ""
    yield from (
        "```sql",
        "p_alive < 0.5 and clv_12m > 200",
        "  and events('Product Viewed', category => 'Lighting', days => 14) >= 2",
        "  and not events('Order Completed', days => 14)",
        "```",
    )
    yield ""
    yield "Names stand without quotes, texts in single quotes, `date '2024-01-31'`, `timestamp '2024-01-31"
    yield "10:00:00+00:00'` (UTC where no zone is written), `interval '30 days'`. At most one expression,"
    yield f"without comments, of up to {lexing.MOST_CHARACTERS:,} characters, {MOST_TERMS} conditions,"
    yield f"{MOST_BEHAVIOURS} different behaviours ({MOST_FOLLOWED} with `then` or `then_not`),"
    yield f"{lexing.DEEPEST} levels of parentheses. Lengths of time move a day or an instant by"
    yield "100 years at most, all together."
    yield ""
    yield "## Operators"
    yield ""
    rows = ((f"`{name}`", words, f"`{example}`") for name, words, example in functions.OPERATORS)
    yield from table(("operator", "what it says", "example"), rows)
    yield "**Unknown.** What is not known is neither true nor false; a customer is in only where the condition"
    yield "is true. An empty text is not known. `not (orders > 1)` of a customer without the figure is unknown"
    yield "too; write `(orders > 1) is not true` or `coalesce(orders, 0) <= 1`. A count is always known."
    yield ""
    titles = (
        ("What the customer did", functions.DEEDS), ("Functions", functions.CALLS), ("Moments", functions.MOMENTS),
        ("More", {row.name: row for row in (functions.SEGMENT, functions.EVENT, functions.CUSTOM)}),
    )  # fmt: skip
    for title, rows_ in titles:
        yield f"## {title}"
        yield ""
        cells = ((f"`{row.name}({row.takes})`", row.sentence, f"`{row.example}`") for row in rows_.values())
        yield from table(("function", "what it says", "example"), cells)
    yield "## When: windows"
    yield ""
    cells_ = ((f"`{name} =>`", words) for name, words in (*functions.WINDOW.items(), *functions.THEN.items()))
    yield from table(("argument", "what it says"), cells_)
    yield "An event exactly `days` times 24 hours old is out, one of this instant is in, one dated ahead is not"
    yield "yet. A day begins at the shop's midnight, whatever clocks do. An instant that is compared with a day"
    yield "is taken for its day: `last_seen <= date '2024-01-31'` holds all of that day. Days are moved by"
    yield "days, weeks, months (the last day where a month is too short) and years; instants by minutes, hours,"
    yield "days of 24 hours and weeks."
    yield ""
    yield "## Which: filters"
    yield ""
    yield "`fact => value`, `fact in (...)`, `fact not in (...)`, `fact <> value`, amounts also by `<`, `<=`,"
    yield "`>`, `>=`. All must be met; of what an event did not tell none is met. An order meets what is asked"
    yield "of `category` and `product_id` where one of its lines meets all of it."
    yield ""
    facts = (
        (
            f"`{fact.name}`",
            fact.kind,
            fact.sentence,
            ", ".join(deed for deed in functions.DEEDS if deed in fact.deeds),
        )
        for fact in functions.FACTS.values()
    )
    yield from table(("fact", "type", "what it is", "of"), facts)
    yield f"Unless `machine` is asked for, `{asked.MACHINE.fact} => false` is meant."
    yield ""
    yield "## Orders and what was spent"
    yield ""
    yield "`events('Order Completed')` counts what was heard: an order that was cancelled later was heard, and"
    yield "one told by two doors was heard twice. `orders(...)` and `spend(...)` count as the traits `orders`"
    yield "and `revenue` do: each order once, with the content told last, at its first telling's time; nothing"
    yield "of cancelled orders; what came back at its own time, but in the channel and the store of its order;"
    yield "foreign currencies by the rate of the day."
    yield ""


def settings() -> Iterator[str]:
    """Every setting of a shop."""
    from shopkeeper.settings import DESCRIBED, FILE, Settings

    yield "# Settings"
    yield ""
    yield f"A shop's settings stand in `{FILE}` in its folder. Change a line, then run `shopkeeper refresh`."
    yield ""
    defaults = msgspec.structs.asdict(Settings())
    rows = (
        (f"`{name}`", words, f"`{defaults[name]}`" if defaults[name] != "" else "")
        for name, words in DESCRIBED.items()
    )
    yield from table(("setting", "what it says", "default"), rows)


def cli() -> Iterator[str]:
    """Every command with its options."""
    import typer

    from shopkeeper.cli import app

    group: Any = typer.main.get_command(app)
    yield "# Commands"
    yield ""
    yield "Exit codes: 0 done, 1 it failed, 2 what was given cannot be used, 130 stopped by the keyboard. Output into a"
    yield "pipe is plain text. `shopkeeper --debug COMMAND` shows where an error comes from."
    yield ""
    for name, command in every_command(group):
        yield f"## shopkeeper {name}"
        yield ""
        yield one_line(command.help)
        yield ""
        rows = []
        for parameter in command.params:
            spelled = (
                (parameter.metavar or parameter.name.upper())
                if parameter.param_type_name == "argument"
                else ""
            )
            names = spelled or ", ".join([*parameter.opts, *parameter.secondary_opts])
            if "--help" in names:
                continue
            default = parameter.default
            if default is True:
                default = names.split(",")[0]
            plain = default in (None, False, "", []) or callable(default)
            rows.append(
                (f"`{names}`", parameter.help or "", "" if plain or parameter.required else f"`{default}`")
            )
        yield from table(("option", "what it does", "default"), rows)


def every_command(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Commands with the words to call them by, those of groups within groups too."""
    for name, command in group.commands.items():
        within = getattr(command, "commands", None)
        if within is None or command.params:
            yield before + name, command
        if within is not None:
            yield from every_command(command, f"{before}{name} ")


def library() -> Iterator[str]:
    """The names of the front door and the verbs of Shop."""
    import shopkeeper
    from shopkeeper.shop import Shop

    yield "# Library"
    yield ""
    yield first_sentence(shopkeeper)
    yield ""
    yield "## Names in `shopkeeper`"
    yield ""
    rows = (
        (f"`{name}`", first_sentence(getattr(shopkeeper, name)))
        for name in shopkeeper.__all__
        if name[0] != "_"
    )
    yield from table(("name", "what it is"), rows)
    yield "## Verbs of `Shop`"
    yield ""
    for name, verb in public_members(Shop):
        signature = str(inspect.signature(verb)).replace("'", "") if callable(verb) else ""
        yield f"### {name}"
        yield ""
        if signature:
            yield "```python"
            yield f"shop.{name}{signature.replace('(self, ', '(').replace('(self)', '()')}"
            yield "```"
            yield ""
        yield (inspect.getdoc(verb) or "").split("\n\n>>>")[0]
        yield ""
        if needed := needs(verb):
            yield f"Needs `{needed}`."
            yield ""


def value_models() -> Iterator[str]:
    """The names of predict.value: functions with their arguments, models, fits and what each answers."""
    from shopkeeper.predict import value
    from shopkeeper.predict.value.answers import Answers
    from shopkeeper.predict.value.figure import Figure
    from shopkeeper.predict.value.model import OrderFit, SavedFit
    from shopkeeper.predict.value.parameters import Criteria, Parameters

    yield "# Value models"
    yield ""
    yield first_sentence(value)
    yield "All of it is in `shopkeeper.predict.value`; [how to use it](../how-to/value-as-a-library.md)."
    yield ""
    named = [getattr(value, name) for name in value.__all__]
    functions = sorted((one for one in named if inspect.isfunction(one)), key=lambda one: one.__name__)
    yield from table(
        ("function", "what it does"),
        ((f"[`{one.__name__}`](#{one.__name__})", first_sentence(one)) for one in functions),
    )
    for one in functions:
        yield from entry(one.__name__, one)
    shared = {
        Answers: "every fitted model of orders",
        OrderFit: "fits without seasons and covariates",
        Parameters: "every fit",
        Criteria: "fits without seasons",
        SavedFit: "every fit",
        Figure: "every figure",
    }
    yield "## What fits and figures share"
    yield ""
    rows = (
        (who, f"`{name}{short_signature(member)}`", first_sentence(member))
        for owner, who in shared.items()
        for name, member in public_members(owner)
        if name in vars(owner)
    )
    yield from table(("who", "member", "what it gives"), rows)
    for one in sorted((one for one in named if inspect.isclass(one)), key=lambda one: one.__name__):
        yield from entry(one.__name__, one)
        rows = [
            (f"`{name}{short_signature(member)}`", first_sentence(member))
            for name, member in public_members(one)
            if not any(name in vars(owner) for owner in shared) and (inspect.getdoc(member) or "")
        ]
        if rows:
            yield from table(("member", "what it gives"), rows)


def entry(name: str, thing: Any) -> Iterator[str]:
    """A heading, the signature and the docstring without its example."""
    yield f"### {name}"
    yield ""
    if not hasattr(thing, "__struct_fields__") and (signature := inspect.signature(thing)).parameters:
        yield "```python"
        yield name + re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(signature)).removesuffix(" -> None")
        yield "```"
        yield ""
    yield from as_lists((inspect.getdoc(thing) or "").split("\n\n>>>")[0].split("\n>>>")[0])
    yield ""


def as_lists(doc: str) -> Iterator[str]:
    r"""A docstring as Markdown: its sections of arguments and attributes become lists.

    >>> list(as_lists("Give it.\n\nArgs:\n    t: a time\n        ahead."))
    ['Give it.', '', '**Args**', '', '- `t`: a time ahead.']
    """
    inside, item = False, ""
    for line in doc.splitlines():
        if line in {"Args:", "Attributes:", "Raises:", "Returns:"}:
            inside = True
            yield from (f"**{line[:-1]}**", "")
            continue
        if inside and line.startswith("    "):
            text = line[4:]
            if not text.startswith(" ") and (found := re.match(r"(\w+): (.*)", text)):
                yield from [item] if item else []
                item = f"- `{found[1]}`: {found[2]}"
            else:
                item = f"{item} {text.strip()}".strip()
            continue
        yield from [item] if item else []
        inside, item = inside and not line.strip(), ""
        yield line
    yield from [item] if item else []


def short_signature(member: Any) -> str:
    """The names of a method's arguments; nothing for a property."""
    if not callable(member):
        return ""
    names = [
        one.name for one in inspect.signature(member).parameters.values() if one.name not in {"self", "cls"}
    ]
    return f"({', '.join(names)})"


def needs(verb: Any) -> str:
    """The permission that a verb asks for first, read from its code; empty where it needs none."""
    from shopkeeper.domain.actor import Permission

    found = re.search(r"self\._may\(Permission\.(\w+)", inspect.getsource(verb)) if callable(verb) else None
    return str(Permission[found[1]]) if found else ""


def public_members(owner: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class, its own and inherited ones, in alphabetical order."""
    for name, member in inspect.getmembers(owner):
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            yield name, member


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "events": events,
    "vocabulary": vocabulary,
    "files": files,
    "traits": traits,
    "conditions": conditions,
    "settings": settings,
    "errors": errors,
    "cli": cli,
    "library": library,
    "value": value_models,
}
"""Every page of the reference by its file's name."""


def written(page: str) -> str:
    """A page as it should stand in docs/reference."""
    lines = re.sub(r"(?<!`)``(?!`)", "`", "\n".join([_NOTE, "", *PAGES[page]()]))
    return "\n".join(line.rstrip() for line in lines.splitlines()).rstrip() + "\n"


def stale() -> list[str]:
    """The pages whose committed text is not what the code says, and files that are no pages."""
    there = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    wrong = [page for page in PAGES if there.get(page) != written(page)]
    return sorted(wrong + [name for name in there if name not in PAGES])


def main() -> None:
    """Write the pages, or say which are stale."""
    if "--check" in sys.argv[1:]:
        if wrong := stale():
            sys.exit(f"not current: {', '.join(wrong)}; run 'just reference'")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        (FOLDER / f"{page}.md").write_text(written(page), encoding="utf-8")


if __name__ == "__main__":
    main()
