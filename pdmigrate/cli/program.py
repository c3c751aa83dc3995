"""The frame of the command line: a command's file is imported when it is used, and a slip is one line with the nearest name."""

from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from pdmigrate import __version__
from pdmigrate.errors import find_nearest, shorten
from pdmigrate.wire.addresses import is_storage


class Folder(click.Path):
    """A file or a folder of this machine, there or not; an address is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and is_storage(value):
            self.fail(
                f"{value} is no folder: an address stands right after the command (pdmigrate run {value}).", param, ctx
            )
        return super().convert(value, param, ctx)


FOLDER = Folder(path_type=Path)
workspace_argument = click.argument("workspace", type=FOLDER, metavar="DIR", help="The folder of the migration.")
"""What most commands take first."""


class Command(click.Command):
    """One command. example: the line that its help shows. Its function returns the exit code."""

    def __init__(self, name: str, example: str, **options: Any):
        super().__init__(name, **options, epilog=example, context_settings=SETTINGS)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """An option's name is never another option's value: its own has been forgotten."""
        known = [param for param in self.params if isinstance(param, click.Option)]
        names = {name for option in known for name in (*option.opts, *option.secondary_opts)}
        taking = {name for option in known if not option.is_flag for name in option.opts}
        for word, after in pairwise(args):
            if word in taking and after.partition("=")[0] in names:
                raise click.BadOptionUsage(word, f"{word} needs a value, and {after} is an option", ctx)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Example"):
            formatter.write(f"{'':{formatter.current_indent}}{self.epilog}\n")


class Program(click.Group):
    """All commands. table: the file of a group of commands to their names, and what each is for.

    The file has `run_NAME`; no other command's file is imported.
    """

    def __init__(self, table: Mapping[str, Mapping[str, str]]):
        super().__init__(context_settings=SETTINGS)
        self._table = table
        click.version_option(__version__, message="%(version)s")(self)

    def list_commands(self, ctx: click.Context | None) -> list[str]:
        return [name for group in self._table.values() for name in group]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        file = next((file for file, group in self._table.items() if cmd_name in group), None)
        if file is None:
            return None
        command: click.Command = getattr(import_module(f"pdmigrate.cli.{file}"), f"run_{cmd_name}")
        return command


SETTINGS = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}


def command(name: str, example: str) -> Callable[[Callable[..., int]], Command]:
    """Make a function with options a command. Its docstring is the description."""
    return click.command(name, cls=Command, example=example)


def describe_slip(error: click.UsageError) -> str:
    """What was typed wrongly, the nearest right word, and where the right ones stand. One line."""
    where = error.ctx.command_path if error.ctx else "pdmigrate"
    known = error.ctx.command if error.ctx else None
    if isinstance(error, click.exceptions.NoSuchCommand) and isinstance(known, click.Group) and error.ctx:
        names = known.list_commands(error.ctx)
        said = f"There is no command {shorten(error.command_name)}{find_nearest(error.command_name, names, 0.5)}"
    elif isinstance(error, click.NoSuchOption) and known and error.ctx:
        options = [
            name
            for param in known.get_params(error.ctx)
            for name in (*param.opts, *param.secondary_opts)
            if name[0] == "-"
        ]
        said = f"There is no option {shorten(error.option_name)}{find_nearest(error.option_name, options, 0.5)}"
    else:
        said = " ".join(error.format_message().split()).rstrip(".")
    return f"{said}. See: {where} --help"
