"""A page of words, tables, pictures and sounds: once as one HTML file that needs nothing else, once as Markdown.

The HTML holds its pictures, for light and for dark screens; sounds lie beside it and are played in it. Nothing is fetched.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str

    def html(self, folder: Path) -> str:
        """Return its HTML."""
        return f"<p>{escape(self.text)}</p>"

    def markdown(self) -> str:
        """Return its Markdown."""
        return self.text


@dataclass(frozen=True, slots=True)
class Code:
    """Something to type."""

    text: str

    def html(self, folder: Path) -> str:
        """Return its HTML."""
        return f'<pre tabindex="0" role="region" aria-label="to type"><code>{escape(self.text)}</code></pre>'

    def markdown(self) -> str:
        """Return its Markdown."""
        return f"```sh\n{self.text}\n```"


@dataclass(frozen=True, slots=True)
class Figures:
    """A few numbers, large: what it is called, the value, and what it means."""

    rows: Sequence[tuple[str, str, str]]

    def html(self, folder: Path) -> str:
        """Return its HTML."""
        cards = [f"<div><dt>{escape(name)}</dt><dd><b>{escape(value)}</b> {escape(meaning)}</dd></div>" for name, value, meaning in self.rows]
        return f'<dl class="figures">{"".join(cards)}</dl>'

    def markdown(self) -> str:
        """Return its Markdown."""
        return _markdown_table(("", "", ""), [(name, f"**{value}**", meaning) for name, value, meaning in self.rows])


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the first cell of each names it. `weakness` (0 to 1, None: nothing to say) shades cells."""

    caption: str
    head: Row
    rows: Sequence[Row]
    weakness: Sequence[Sequence[float | None]] = ()  # of the cells after the first

    def html(self, folder: Path) -> str:
        """Return its HTML."""
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.head)
        body = "".join(f"<tr>{self._cells(number, row)}</tr>" for number, row in enumerate(self.rows))
        caption = f"<caption>{escape(self.caption)}</caption>"
        kind = ' class="heat"' if self.weakness else ""
        region = f'<div class="wide" tabindex="0" role="region" aria-label="{escape(self.caption)}">'
        return f"{region}<table{kind}>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"

    def _cells(self, number: int, row: Row) -> str:
        shades = self.weakness[number] if self.weakness else [None] * (len(row) - 1)
        styles = ["" if shade is None else f' style="--weak:{100 * shade:.0f}%"' for shade in shades]
        cells = [f"<td{style}>{escape(cell)}</td>" for cell, style in zip(row[1:], styles, strict=True)]
        return f'<th scope="row">{escape(row[0])}</th>' + "".join(cells)

    def markdown(self) -> str:
        """Return its Markdown."""
        return f"{self.caption}\n\n" + _markdown_table(self.head, self.rows)


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG for light pages, and the same for dark ones."""

    light: Path
    dark: Path
    description: str  # for who cannot see it
    caption: str

    def html(self, folder: Path) -> str:
        """Return its HTML."""
        dark = f'<source media="(prefers-color-scheme: dark)" srcset="{_data(self.dark)}">'
        image = f'<img src="{_data(self.light)}" alt="{escape(self.description)}">'
        return f"<figure><picture>{dark}{image}</picture><figcaption>{escape(self.caption)}</figcaption></figure>"

    def markdown(self) -> str:
        """Return its Markdown."""
        return f"![{self.description}]({self.light.name})\n\n{self.caption}"


@dataclass(frozen=True, slots=True)
class Sounds:
    """Players side by side: a name for each row, and what is heard in it."""

    caption: str
    rows: Sequence[tuple[str, Sequence[tuple[str, Path]]]]

    def html(self, folder: Path) -> str:
        """Return its HTML."""
        rows = "".join(f"<li><span>{escape(name)}</span>{''.join(self._player(name, *each) for each in sounds)}</li>" for name, sounds in self.rows)
        return f'<p>{escape(self.caption)}</p><ul class="sounds">{rows}</ul>'

    @staticmethod
    def _player(name: str, what: str, path: Path) -> str:
        label = escape(f"{name}: {what}")
        return f'<label>{escape(what)}<audio controls preload="none" src="{escape(path.name)}" aria-label="{label}"></audio></label>'

    def markdown(self) -> str:
        """Return its Markdown."""
        rows = [f"- {name}: {', '.join(f'[{what}]({path.name})' for what, path in sounds)}" for name, sounds in self.rows]
        return "\n".join([self.caption, "", *rows])


Block = Text | Code | Figures | Table | Picture | Sounds


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading."""

    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Document:
    """A page."""

    title: str
    lead: str
    sections: Sequence[Section]

    def html(self, folder: Path) -> str:
        """Return the page as one HTML file that will lie in `folder`, where its sounds are."""
        sections = "".join(
            f"<section><h2>{escape(section.title)}</h2>{''.join(block.html(folder) for block in section.blocks)}</section>"
            for section in self.sections
        )
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(self.title)}</title><style>{STYLE}</style>'
        body = f'<main><header><h1>{escape(self.title)}</h1><p class="lead">{escape(self.lead)}</p></header>{sections}</main>'
        return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'

    def markdown(self) -> str:
        """Return the page as Markdown."""
        sections = ["\n\n".join([f"## {section.title}", *(block.markdown() for block in section.blocks)]) for section in self.sections]
        return "\n\n".join([f"# {self.title}", self.lead, *sections]) + "\n"


def _data(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _markdown_table(head: Row, rows: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)])


STYLE = """
:root{color-scheme:light dark;--paper:#f6f6f4;--card:#fff;--ink:#24262b;--soft:#5d626c;--line:#dfe1e6;--weak-colour:#e8590c}
@media (prefers-color-scheme:dark){:root{--paper:#101216;--card:#17191e;--ink:#e6e7ea;--soft:#a4a9b4;--line:#30343c;--weak-colour:#a63d00}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:62rem;margin:0 auto;padding:2.5rem 1.25rem 5rem}
h1{font-size:2.4rem;line-height:1.1;letter-spacing:-.02em;margin:0 0 .5rem}
h2{font-size:1.3rem;letter-spacing:-.01em;margin:0 0 .8rem}
p{max-width:44rem;margin:.4rem 0 .9rem}
.lead{color:var(--soft);font-size:1.1rem}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.5rem;margin-top:1.25rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:1.3rem 2rem;margin:0}
.figures dt{color:var(--soft);font-size:.85rem}
.figures dd{margin:0;color:var(--soft);font-size:.85rem;line-height:1.35}
.figures b{display:block;color:var(--ink);font-size:1.75rem;line-height:1.25;letter-spacing:-.02em;font-weight:650}
.wide{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.92rem}
caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
th,td{text-align:left;padding:.42rem .7rem .42rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600}
thead th{color:var(--soft);font-size:.85rem}
.heat{width:auto}
.heat td,.heat thead th+th{text-align:center;padding:.35rem .5rem;min-width:3.3rem}
.heat td{border:2px solid var(--card);border-radius:6px;background:color-mix(in oklab,var(--weak-colour) var(--weak,0%),var(--paper))}
.heat th{border:0}
figure{margin:1rem 0 0}
img{max-width:100%;height:auto;display:block}
figcaption{color:var(--soft);font-size:.92rem;max-width:44rem;margin-top:.5rem}
.sounds{list-style:none;margin:0 0 1.6rem;padding:0;display:grid;gap:.7rem}
.sounds:last-child{margin-bottom:0}
.sounds li{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;align-items:center}
.sounds li>span{flex:0 0 9rem;font-weight:600}
.sounds label{display:flex;align-items:center;gap:.6rem;color:var(--soft);font-size:.9rem}
audio{height:2.2rem;width:15rem;max-width:60vw}
pre{background:var(--paper);border-radius:8px;padding:.8rem 1rem;overflow-x:auto}
@media (max-width:40rem){h1{font-size:1.8rem}section{padding:1rem}main{padding:1.5rem .75rem 3rem}}
@media print{body{background:#fff}section{break-inside:avoid;border:0;padding:0}}
""".replace("\n", "")
