"""
Charts of a queue over time, side by side, for the examples: text for a terminal, a
PNG with matplotlib where that is installed.

Both have the same axes in every panel.  Blocks go by powers of ten, so that a
queue of forty blocks and one of thousands can be seen in one picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import attrs

#: Whether L{picture} can be called.
CAN_DRAW = find_spec("matplotlib") is not None

#: Columns and rows of a panel in text.
_COLUMNS, _ROWS = 40, 16


@attrs.frozen
class Sample:
    """
    A queue at one instant.
    """

    #: Seconds since the beginning.
    at: float
    #: Blocks allocated.
    blocks: int
    #: Messages in the queue.
    length: int


@attrs.frozen
class Panel:
    """
    What is drawn of one run.
    """

    title: str
    samples: Sequence[Sample]
    #: Blocks that the queue is to have at most.
    capacity: int
    #: From when to when the store was busy, in seconds.
    busy: tuple[float, float]
    #: Lines of text that say what came of it.
    note: Sequence[str]


def _duration(panels: Sequence[Panel]) -> float:
    """
    Seconds that all panels show.
    """
    return max(sample.at for panel in panels for sample in panel.samples)


def _top(panels: Sequence[Panel]) -> int:
    """
    The power of ten that nothing in the panels reaches.
    """
    most = max(max(panel.capacity, *(sample.blocks for sample in panel.samples)) for panel in panels)
    return math.floor(math.log10(max(1, most))) + 1


# --- in text -----------------------------------------------------------------------


@attrs.frozen
class _Ink:
    blocks: str
    length: str
    capacity: str
    floor: str
    side: str


_FINE = _Ink("░", "█", "┄", "─", "│")
_PLAIN = _Ink(":", "#", "-", "-", "|")


def canPrint(encoding: str | None) -> bool:
    """
    Whether the characters of L{text} can be written in an encoding.
    """
    try:
        "".join(attrs.astuple(_FINE)).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def text(panels: Sequence[Panel], *, ascii_only: bool = False) -> str:
    """
    Draw panels for a terminal.
    """
    ink = _PLAIN if ascii_only else _FINE
    seconds, top = _duration(panels), _top(panels)
    drawn = [_body(panel, ink, seconds, top) for panel in panels]
    lines = [_beside(["", *(panel.title for panel in panels)])]
    for row in reversed(range(_ROWS)):
        lines.append(_beside([_label(row, top), *(body[row] for body in drawn)], ink.side))
    lines.append(_beside(["0", *(ink.floor * _COLUMNS for _ in panels)], ink.side))
    scale = f"0{seconds:>{_COLUMNS - 2}.0f} s"
    lines.append(_beside(["", *(scale for _ in panels)]))
    for line in range(max(len(panel.note) for panel in panels)):
        lines.append(_beside(["", *(panel.note[line] for panel in panels)]))
    lines.append("")
    lines.append(
        f"        {ink.blocks} blocks allocated   {ink.length} messages in the queue   "
        f"{ink.capacity * 3} capacity: {panels[0].capacity} blocks\n"
        "        (rows are powers of ten)"
    )
    return "\n".join(lines)


def _beside(parts: Sequence[str], side: str = " ") -> str:
    label, *rest = parts
    return f"{label:>7} " + "  ".join(f"{side}{part:{_COLUMNS}}" for part in rest).rstrip()


def _height(value: int, top: int) -> int:
    """
    Rows that a number fills.
    """
    return 0 if value < 1 else 1 + round(math.log10(value) / top * (_ROWS - 1))


def _label(row: int, top: int) -> str:
    """
    The power of ten that ends in a row, if one does.
    """
    for power in range(top + 1):
        if _height(10**power, top) == row + 1:
            return f"{10**power:,}"
    return ""


def _body(panel: Panel, ink: _Ink, seconds: float, top: int) -> list[str]:
    """
    Rows from the lowest to the highest.
    """
    blocks, lengths = [0] * _COLUMNS, [0] * _COLUMNS
    for sample in panel.samples:
        column = min(_COLUMNS - 1, int(sample.at / seconds * _COLUMNS))
        blocks[column] = max(blocks[column], sample.blocks)
        lengths[column] = max(lengths[column], sample.length)
    capacity = _height(panel.capacity, top) - 1
    rows = []
    for row in range(_ROWS):
        empty = ink.capacity if row == capacity else " "
        rows.append(
            "".join(
                ink.length
                if row < _height(length, top)
                else ink.blocks
                if row < _height(block, top)
                else empty
                for block, length in zip(blocks, lengths, strict=True)
            )
        )
    return rows


# --- as a picture ------------------------------------------------------------------


def picture(panels: Sequence[Panel], path: str) -> None:
    """
    Draw panels into a PNG file.

    @raise ImportError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    seconds = _duration(panels)
    figure = Figure(figsize=(10, 4.6), dpi=95, layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, panel in zip(axes, panels, strict=True):
        _curves(axis, panel)
        axis.set_title(panel.title, fontsize=13)
        axis.set_xlabel("seconds")
        axis.set_xlim(0, seconds)
        axis.text(0.02, 0.97, "\n".join(panel.note), transform=axis.transAxes, va="top")
        if max(sample.blocks for sample in panel.samples) <= panel.capacity:
            enlarged = axis.inset_axes((0.12, 0.2, 0.83, 0.42))
            _curves(enlarged, panel)
            enlarged.set_xlim(0, seconds)
            enlarged.set_ylim(0, panel.capacity * 1.25)
            enlarged.set_title("the same, enlarged", fontsize=9)
            enlarged.tick_params(labelsize=8)
            axis.indicate_inset_zoom(enlarged)
    # Room for the notes.
    highest = max(max(panel.capacity, *(each.blocks for each in panel.samples)) for panel in panels)
    axes[0].set_ylim(0, highest * 1.3)
    axes[0].yaxis.set_major_formatter("{x:,.0f}")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path)


def _curves(axis: Any, panel: Panel) -> None:
    """
    Draw the queue over time.
    """
    times = [sample.at for sample in panel.samples]
    blocks = [sample.blocks for sample in panel.samples]
    lengths = [sample.length for sample in panel.samples]
    axis.axvspan(*panel.busy, color="0.93", lw=0, label="the store is busy")
    axis.fill_between(times, blocks, color="#d9822b", alpha=0.35, lw=0)
    axis.plot(times, blocks, color="#c0392b", label="Blocks Allocated")
    axis.plot(times, lengths, color="#2c5d8f", label="queue length (messages)")
    axis.axhline(panel.capacity, color="black", ls="--", lw=1.1, label=f"capacity: {panel.capacity} blocks")
