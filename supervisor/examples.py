"""What each command looks like in use: the lines that end its help.

By the command's words. tests/supervisor/test_examples.py sees to it that each command has some, and that each example
is one: its words are understood.
"""

import click

PROGRAM = "vectra-supervisor"

EXAMPLES: dict[str, tuple[str, ...]] = {
    "start": ("start --demo", "start --foreground --set web.port=8080", "start --log-format json"),
    "stop": ("stop", "stop --data-dir /srv/rugs"),
    "restart": ("restart writer", "restart"),
    "reload": ("reload",),
    "status": ("status", "status --json | jq '.actors[] | select(.degraded) | {name, reason}'"),
    "logs": ("logs journal -n 20", "logs -f"),
    "record": ("record status",),
    "record start": ("record start",),
    "record stop": ("record stop",),
    "record status": ("record status",),
    "compact": ("compact",),
    "check": ("check", "check --config ./vectra.yaml"),
    "trust": ("trust", "trust ~/bots/mine", "trust --list"),
    "doctor": ("doctor",),
    "events": ("events --type game.completed --type 'player.*'", "events --since 12800 --json"),
    "journal": ("journal info",),
    "journal info": ("journal info --json",),
    "journal dump": ("journal dump --type gap -n 10",),
    "journal verify": ("journal verify",),
    "sql": ('sql "SELECT count(*), max(peak) FROM games"',),
    "verify": ("verify --all",),
    "rebuild": ("rebuild",),
    "import": ("import ~/old/session.jsonl.gz", "import ~/rugs_data/events_parquet"),
    "install-service": ("install-service --print", "install-service"),
    "completion": (
        "completion bash > ~/.local/share/bash-completion/completions/vectra-supervisor",
        "completion fish > ~/.config/fish/completions/vectra-supervisor.fish",
        'eval "$(vectra-supervisor completion zsh)"',
    ),
}


def show_examples(group: click.Group, words: str = "") -> None:
    """End the help of each command below `group` with its examples."""
    for name, command in group.commands.items():
        path = f"{words} {name}".strip()
        lines = [_line(example) for example in EXAMPLES.get(path, ())]
        if lines:
            head = "Example:" if len(lines) == 1 else "Examples:"
            command.epilog = "\n".join(["\b", head, *(f"  {line}" for line in lines)])
        if isinstance(command, click.Group):
            show_examples(command, path)


def _line(example: str) -> str:
    return example if PROGRAM in example.split(" > ")[0] else f"{PROGRAM} {example}"
