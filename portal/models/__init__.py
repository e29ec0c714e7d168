"""Typed database models, one noun a file."""

from portal.models.account import Account, ApiToken, LoginFailure, LoginSession, Membership
from portal.models.audit import AuditEvent, AuditSeal, AuditSealedEvent
from portal.models.calendar_notice import CalendarNotice
from portal.models.code_release import CodeListRelease
from portal.models.counter import CodeSequence, KeptValue, RateWindow
from portal.models.delegation import Delegation
from portal.models.distribution import DataVersion, Distribution, Download
from portal.models.duty import CalendarDay, Deadline, Notice
from portal.models.entry import CatalogueEntry, EntryVersion
from portal.models.entry_template import EntryTemplate
from portal.models.file_check import FileCheck
from portal.models.former_slug import FormerSlug
from portal.models.freshness import Freshness
from portal.models.harvest import HarvestItem, HarvestRun, HarvestSource
from portal.models.index_request import EntryDocument, IndexRequest, SearchDenial
from portal.models.job import Job, JobSchedule
from portal.models.list_check import ListCheck
from portal.models.list_columns import ListColumns
from portal.models.message import MailedLink, OutgoingMessage
from portal.models.open_list import OpenListEntry, OpenListRelease
from portal.models.organisation import Organisation
from portal.models.responsibility import BusinessSystem, ResponsibleAssignment, SystemMember
from portal.models.search_count import SearchCount, SearchVisitor
from portal.models.sign_in import ExternalIdentity, LoginStep, RecoveryCode, SecondFactor
from portal.models.site_page import SitePage, SitePageVersion
from portal.models.spot_check import SpotCheck, SpotCheckItem
from portal.models.supplementary import Absorption, CoverageDismissal
from portal.models.upload import PartialUpload

__all__ = [
    "Absorption",
    "Account",
    "ApiToken",
    "AuditEvent",
    "AuditSeal",
    "AuditSealedEvent",
    "BusinessSystem",
    "CalendarDay",
    "CalendarNotice",
    "CatalogueEntry",
    "CodeListRelease",
    "CodeSequence",
    "CoverageDismissal",
    "DataVersion",
    "Deadline",
    "Delegation",
    "Distribution",
    "Download",
    "EntryDocument",
    "EntryTemplate",
    "EntryVersion",
    "ExternalIdentity",
    "FileCheck",
    "FormerSlug",
    "Freshness",
    "HarvestItem",
    "HarvestRun",
    "HarvestSource",
    "IndexRequest",
    "Job",
    "JobSchedule",
    "KeptValue",
    "ListCheck",
    "ListColumns",
    "LoginFailure",
    "LoginSession",
    "LoginStep",
    "MailedLink",
    "Membership",
    "Notice",
    "OpenListEntry",
    "OpenListRelease",
    "Organisation",
    "OutgoingMessage",
    "PartialUpload",
    "RateWindow",
    "RecoveryCode",
    "ResponsibleAssignment",
    "SearchCount",
    "SearchDenial",
    "SearchVisitor",
    "SecondFactor",
    "SitePage",
    "SitePageVersion",
    "SpotCheck",
    "SpotCheckItem",
    "SystemMember",
]
