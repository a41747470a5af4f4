"""A quick question as an author writes it: the same for the site and for the notebook.

```{question} How many numbers does one filter of 3 × 3 over a color picture hold?
- [ ] 9
  That is one filter over one channel. A color picture has three.
- [x] 27
  3 × 3 for each of the three channels.
```
"""

import re
from dataclasses import dataclass

ANSWER = re.compile(r"- \[([ x])\] (.+)")
FORMULA = re.compile(r"\$[^$]*\$")
FEWEST, MOST = 2, 5


@dataclass
class Answer:
    """One answer, and why it is right or wrong."""

    right: bool
    text: str
    why: str


def answers(lines: list[str]) -> list[Answer]:
    """Read the answers of a question; raise ValueError with what its author has to mend."""
    found: list[Answer] = []
    for line in filter(str.strip, lines):
        if match := ANSWER.fullmatch(line):
            found.append(Answer(match[1] == "x", match[2].strip(), ""))
        elif found and line.startswith("  "):
            found[-1].why = f"{found[-1].why} {line.strip()}".strip()
        else:
            raise ValueError(
                f"{line!r} is no answer; write `- [ ] answer` or `- [x] the right one`, why indented below."
            )
    if not FEWEST <= len(found) <= MOST:
        raise ValueError(f"it has {len(found)} answers; give {FEWEST} to {MOST}.")
    if sum(answer.right for answer in found) != 1:
        raise ValueError("exactly one answer must be right: `- [x]`.")
    if nameless := [answer.text for answer in found if not FORMULA.sub("", answer.text).strip(" .")]:
        raise ValueError(
            f"{nameless[0]!r} is a formula alone, so its button has no name; write it in words, or as *h*."
        )
    if unexplained := [answer.text for answer in found if not answer.why]:
        raise ValueError(f"say why, in an indented line below: {unexplained[0]!r}.")
    return found
