"""Every Chinese text that a reader may be shown, found in the sources: what must be translated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_dir

from extensions.access import rules as access_rules
from extensions.access.web.review import FIELD_LABELS, KINDS
from extensions.quality import flow as quality_flow
from portal.app import create_app
from portal.platform import Platform
from portal.rules import metadata_profile as profile
from portal.rules.security_review import CHECKS
from portal.services import harvest_notices, harvest_report, timeline, work_list
from portal.services.entry_changes import PUBLIC_EVENTS
from portal.services.flow import FLOWS
from portal.tables.coordinates import SYSTEMS
from portal.web import errors, organisations
from portal.web.work import entry_fields, source_form, table_reading

ROOT = Path(__file__).parents[3]
WRAPPED = [
    ("portal/**.py", "python"),
    ("extensions/**.py", "python"),
    ("themes/jilin/templates/**.html", "jinja2"),
    ("extensions/**.html", "jinja2"),
]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
RAISED = re.compile(
    r"(Invalid\.one|Defect|refuse|Refusal|NotFound|Gone|Conflict|Forbidden|Unavailable|TooLarge"
    r"|TooManyRequests|FetchFailed|FetchInterrupted|SearchQueryError)$"
)
OPERATORS = ("commands", "demo", "migrations")  # what stands on a command line is Chinese alone
LABELS = (
    organisations.KINDS,
    organisations.STATES,
    organisations.CHANGES,
    PUBLIC_EVENTS,
    errors.HTTP_MESSAGES,
    CHECKS,
    SYSTEMS,
    FIELD_LABELS,
    KINDS,
    access_rules.UNDERTAKINGS,
    access_rules.REJECT_GROUNDS,
    quality_flow.DUTIES,
    entry_fields.ITEM_LABELS,
    entry_fields.BASIS_LABELS,
    profile.BASIS_KINDS,
    profile.CONDITION_GROUNDS,
    profile.CLOSED_GROUNDS,
    profile.MASKINGS,
    profile.PERSONAL_KINDS,
    profile.POOLING_STATES,
    profile.RESOURCE_CLASSES,
    profile.SHARE_MODES,
    harvest_report.ADVICE,
    harvest_report.RUN_STATE_NAMES,
    harvest_notices.STATE_NAMES,
    source_form.FILES,
    source_form.KINDS,
    source_form.SCHEDULES,
    table_reading.DELIMITER_NAMES,
    timeline.ANY_FLOW,
    timeline.OTHER_EVENTS,
    timeline.OTHER_FLOWS,
    work_list.KINDS,
    work_list.STEPS,
)


def wrapped_words() -> set[str]:
    """Return what templates and Python give to gettext, of every page of the portal."""
    found = extract_from_dir(str(ROOT / "."), WRAPPED, directory_filter=_is_ours)
    return {
        message if isinstance(message, str) else message[0]
        for _file, _line, message, _comments, _context in found
    }


def _is_ours(folder: str) -> bool:
    relative = Path(folder).relative_to(ROOT).parts
    return not relative or relative[0] in ("portal", "themes", "extensions")


def labels(platform: Platform) -> set[str]:
    """Return the names of states, events and flows, of fields, and of the codes in the sources."""
    create_app(platform)  # the extensions bring their flows
    found = {text for names in LABELS for text in names.values()}  # type: ignore[attr-defined]
    for binding in FLOWS.bindings():
        found |= {binding.name, *binding.state_labels.values(), *binding.event_labels.values()}
    for section in entry_fields.SECTIONS:
        found |= {section.heading, section.lead}
        for field in section.fields:
            found |= {field.label, field.help, field.basis}
    return {text for text in found if CHINESE.search(text)}


def error_messages() -> set[str]:
    """Return the sentences of errors and defects that are raised for people and programs."""
    found: set[str] = set()
    for folder in (ROOT / "portal", ROOT / "extensions"):
        for path in folder.rglob("*.py"):
            if not set(path.relative_to(ROOT).parts) & set(OPERATORS):
                found.update(_sentences(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def _sentences(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and RAISED.search(ast.unparse(node.func)):
            yield from (a.value for a in node.args if _is_chinese(a))  # type: ignore[attr-defined]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "default_message":
            yield node.value.value  # type: ignore[attr-defined]


def _is_chinese(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CHINESE.search(node.value) is not None
    )
