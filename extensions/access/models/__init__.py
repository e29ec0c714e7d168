"""Models of conditional access, one noun a file."""

from extensions.access.models.agreement import AccessAgreement
from extensions.access.models.application import AccessApplication
from extensions.access.models.attachment import AccessAttachment
from extensions.access.models.call import ApiCall, CallRecord, TermUse
from extensions.access.models.interface import DataInterface
from extensions.access.models.key import AccessKey, SigningKey
from extensions.access.models.policy import AccessPolicy
from extensions.access.models.sandbox import InterfaceDay, Sandbox, SandboxCall, SandboxKey
from extensions.access.models.upstream import UpstreamService
from extensions.access.models.use_report import UseReport

__all__ = [
    "AccessAgreement",
    "AccessApplication",
    "AccessAttachment",
    "AccessKey",
    "AccessPolicy",
    "ApiCall",
    "CallRecord",
    "DataInterface",
    "InterfaceDay",
    "Sandbox",
    "SandboxCall",
    "SandboxKey",
    "SigningKey",
    "TermUse",
    "UpstreamService",
    "UseReport",
]
