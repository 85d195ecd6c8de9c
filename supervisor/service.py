"""VECTRA as a systemd unit: the text, where it belongs, and what to say next. Pure but for `place`'s look at HOME.

In: the settings, the command to run, for whom. Out: the unit's text. What a stricter unit would hold and this one does
not stands in its comments with the reason: Chromium's own sandbox needs it, or a window does.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from actors.core.config import Config
from supervisor.plan import longest_stop_s

NAME = "vectra"
WATCHDOG_S = 30
MARGIN_S = 15.0  # on top of the supervisor's own limits: systemd is the last resort, not the first

Scope = Literal["user", "system"]


class Service(Struct, frozen=True, kw_only=True):
    """What is to run, and as whom."""

    scope: Scope
    command: tuple[str, ...]  # of the start in the foreground
    reload: tuple[str, ...]
    environment: Mapping[str, str]
    run_as: str | None  # a system service's user; None: root


def place(scope: Scope, environ: Mapping[str, str]) -> Path:
    """Return where the unit belongs."""
    if scope == "system":
        return Path("/etc/systemd/system") / f"{NAME}.service"
    config = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(config).expanduser() / "systemd" / "user" / f"{NAME}.service"


def unit(service: Service, config: Config) -> str:
    """Return the unit's text."""
    hardening = [*_for_all(), *(_for_system(service, config) if service.scope == "system" else _left_to_the_user())]
    return "\n".join(
        [
            *_head(service.scope, window=not config.browser.headless),
            *_run(service, config),
            *hardening,
            "",
            "[Install]",
            f"WantedBy={_target(service.scope, window=not config.browser.headless)}",
            "",
        ]
    )


def steps(scope: Scope) -> str:
    """Return what to call after the unit is written."""
    call, log = ("systemctl --user", "journalctl --user") if scope == "user" else ("sudo systemctl", "journalctl")
    lines = [f"{call} daemon-reload", f"{call} enable --now {NAME}", f"{log} -u {NAME} -f"]
    if scope == "user":
        lines.insert(0, "loginctl enable-linger    # where it is to run without a login, headless")
    return "Next:\n" + "\n".join(f"  {line}" for line in lines)


def _target(scope: Scope, *, window: bool) -> str:
    if scope == "system":
        return "multi-user.target"
    return "graphical-session.target" if window else "default.target"


def _head(scope: Scope, *, window: bool) -> list[str]:
    after = "graphical-session.target" if scope == "user" and window else "network-online.target"
    return [
        "# Written by `vectra-supervisor install-service`; written again by it with --force.",
        "[Unit]",
        "Description=VECTRA, recorder and control room for rugs.fun",
        f"After={after}",
        *([f"PartOf={after}"] if scope == "user" and window else []),
        *(["Wants=network-online.target"] if scope == "system" else []),
        "# It is never given up: a start that fails is tried again for ever.",
        "StartLimitIntervalSec=0",
        "",
    ]


def _run(service: Service, config: Config) -> list[str]:
    limits = config.supervisor
    return [
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={quoted(service.command)}",
        f"ExecReload={quoted(service.reload)}",
        *(f"Environment={_word(f'{name}={value}')}" for name, value in sorted(service.environment.items())),
        *([f"User={service.run_as}"] if service.scope == "system" and service.run_as else []),
        "# The control loop tells that it turns; where it stands still for so long, systemd starts VECTRA again.",
        f"WatchdogSec={WATCHDOG_S}",
        "Restart=always",
        "RestartSec=2",
        "# 0: somebody called `vectra-supervisor stop`, which is to be obeyed. 2: a mistake in the settings does not",
        "# go away by itself; `vectra-supervisor check` names it.",
        "RestartPreventExitStatus=0 2",
        "# SIGTERM to the supervisor alone, which stops the actors in order; SIGKILL to all, should it not end.",
        "KillMode=mixed",
        f"TimeoutStartSec={limits.start_timeout_s + MARGIN_S:g}",
        f"TimeoutStopSec={longest_stop_s(config) + MARGIN_S:g}",
        "# One actor killed for memory is the supervisor's to restart, no reason to stop the others.",
        "OOMPolicy=continue",
        "UMask=0077",
        "",
    ]


def _for_all() -> list[str]:
    return [
        "# Hardening that Chromium's sandbox bears. It makes user, pid and network namespaces, and chroot.",
        "# Where the kernel forbids those to ordinary users (kernel.unprivileged_userns_clone=0), Chromium needs its",
        "# setuid helper: remove NoNewPrivileges, CapabilityBoundingSet and every Restrict and Lock line then.",
        "NoNewPrivileges=yes",
        "RestrictNamespaces=user pid net",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "RestrictSUIDSGID=yes",
        "RestrictRealtime=yes",
        "LockPersonality=yes",
        "SystemCallArchitectures=native",
        "# Left out: MemoryDenyWriteExecute, as the JavaScript engine writes machine code.",
        "# Left out: SystemCallFilter, as the usual set (@system-service) lacks chroot; Chromium puts stricter filters",
        "# on its own processes.",
        "# Left out: PrivateNetwork and IPAddressDeny, as the game is on the Internet.",
    ]


def _for_system(service: Service, config: Config) -> list[str]:
    lines = [
        "ProtectSystem=full",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelLogs=yes",
        "ProtectControlGroups=yes",
        "ProtectHostname=yes",
        "# Left out: ProtectSystem=strict and ProtectHome, as data_dir and the profile may lie anywhere, by default in",
        "# the home directory.",
        "# Left out: ProtectProc and ProcSubset: they hide Chromium's processes from each other, and the boot id.",
        "# Left out: PrivateUsers, as Chromium's sandbox makes user namespaces of its own.",
    ]
    if service.run_as:
        lines.insert(0, "CapabilityBoundingSet=")
    if config.browser.headless:
        lines += ["PrivateDevices=yes", *_private_tmp(config)]
    else:
        lines += [
            "# Left out: PrivateDevices and ProtectClock, as a window wants the graphics card.",
            "# Left out: PrivateTmp, as the X server's socket lies in /tmp.",
        ]
    return lines


def _private_tmp(config: Config) -> list[str]:
    places = (config.data_path, config.runtime_path, config.profile_path)
    if any(path.is_relative_to(tmp) for path in places for tmp in ("/tmp", "/var/tmp")):  # noqa: S108
        return ["# Left out: PrivateTmp, as data_dir, runtime_dir or the profile lies in /tmp."]
    return ["PrivateTmp=yes"]


def _left_to_the_user() -> list[str]:
    return [
        "# Left out: ProtectSystem, ProtectKernel..., PrivateTmp and PrivateDevices: in a user's service they need a",
        "# user namespace around everything, and Chromium's sandbox makes its own. --system has them.",
    ]


def quoted(command: Sequence[str]) -> str:
    """Return a command as Exec lines have it: no word of ours is taken for a variable or a specifier."""
    return " ".join(_word(part).replace("$", "$$") for part in command)


def _word(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n")
    return f'"{escaped}"' if not text or set(text) & set(" \t\n\"'\\;") else escaped
