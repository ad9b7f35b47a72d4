"""The settings that a command reads, as they stand below its options in its help."""

from collections.abc import Iterator, Sequence

from song2vec.settings import Section, about, sections


def settings_help(names: Sequence[str]) -> str:
    """Markdown: the sections, with the default of each setting and what is known of it; ``*``: all of them."""
    listed = sections() if "*" in names else {name: sections()[name] for name in names}
    return "\n\n".join(line for name, section in listed.items() for line in _section(name, section))


def _section(name: str, section: type[Section]) -> Iterator[str]:
    yield f"**Settings of {name}**: {section.__doc__}"
    for field, info in section.model_fields.items():
        facts = about(section, field)
        yield f"- `{name}.{field} = {facts.in_words(info.default)}`  \n{facts.sentences}"
