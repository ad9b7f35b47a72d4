"""The settings that a command reads, as they stand below its options in its help."""

from collections.abc import Iterator, Sequence

from song2vec.settings import Section, sections


def settings_help(names: Sequence[str]) -> str:
    """Markdown: the sections, with the default, the unit and the description of each setting; ``*``: all of them."""
    listed = sections() if "*" in names else {name: sections()[name] for name in names}
    return "\n\n".join(line for name, section in listed.items() for line in _section(name, section))


def _section(name: str, section: type[Section]) -> Iterator[str]:
    yield f"**Settings of {name}**: {section.__doc__}"
    for field, facts in section.model_fields.items():
        yield f"- `{name}.{field} = {facts.default!r}`  \n{facts.description}"
