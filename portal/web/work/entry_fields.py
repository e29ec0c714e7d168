"""The fields of an entry as the editor asks for them and the version page shows them.

One declaration for both: section, label, control, help, and the article or rule behind the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask_babel import gettext

from portal.codes import code_list
from portal.rules import metadata_profile as profile
from portal.web.presentation import language_code
from portal.web.translated import translated

Choices = Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Field:
    """`control`: text, textarea, select, checks, date, words, lines, bases or items."""

    name: str
    label: str
    control: str = "text"
    help: str = ""
    basis: str = ""
    choices: Choices = dict
    required: bool = False
    longest: int = 2000


@dataclass(frozen=True)
class Section:
    anchor: str
    heading: str
    lead: str
    fields: tuple[Field, ...]


def _codes(name: str) -> Choices:
    return lambda: code_list(name).names(language_code())


def _given(names: Mapping[str, str]) -> Choices:
    return lambda: translated(names)


GUIDE = "目录编制指南（发改高技〔2017〕1272号）"
SECTIONS = (
    Section(
        "basics",
        "基本信息",
        "让不熟悉业务的人也能看懂这是什么数据。",
        (
            Field("title", "信息资源名称", help="写明地域、对象和内容，如“吉林省城市公共汽电车线路站点信息”。同一单位内不重名。", basis=GUIDE, required=True, longest=500),
            Field("title_en", "英文名称", help="选填，供英文页面使用。", longest=500),
            Field("abstract", "信息资源摘要", "textarea", help="20至2000个字：包含什么、来自哪项业务、覆盖范围、可以怎样用。", basis=GUIDE, required=True, longest=20000),
            Field("keywords", "关键词", "words", help="最多20个，用顿号、逗号或空格分开，如“公交、站点”。", longest=2000),
            Field("theme", "所属主题", "select", help="公众首先在这个主题下找到它。", choices=_codes("themes"), required=True),
            Field("more_themes", "其他主题", "checks", help="最多3个，不含所属主题。", choices=_codes("themes")),
            Field("region", "所属地区", "select", help="数据覆盖的地区，不是单位所在地。", choices=_codes("regions"), required=True),
            Field("resource_class", "分类", "select", help="部门业务数据选“部门信息资源”。", basis=GUIDE, choices=_given(profile.RESOURCE_CLASSES), required=True),
            Field("base_library", "基础资源库", "select", help="仅基础信息资源填写。", basis="第21条", choices=_codes("base_libraries")),
            Field("format", "信息资源格式", "checks", help="公众实际能得到的格式；CSV、XLSX 会自动生成预览和其他格式。", basis=GUIDE, choices=_codes("formats"), required=True),
        ),
    ),
    Section(
        "items",
        "信息项",
        "逐项列出数据有哪些列。不开放的列不会出现在任何下载文件和接口里。",
        (Field("items", "信息项", "items", help="字段名用小写字母开头，只含小写字母、数字和下划线。", basis=GUIDE, required=True),),
    ),
    Section(
        "sharing",
        "共享属性",
        "部门之间使用的规则。共享为原则，不共享为例外。",
        (
            Field("share_type", "共享类型", "select", help="授权共享、非共享须有理由和法律、法规、规章依据。", basis="第25条", choices=_codes("share_types"), required=True),
            Field("share_mode", "共享方式", "checks", choices=_given(profile.SHARE_MODES), basis="第23条", required=True),
            Field("share_condition", "共享条件或理由", "textarea", help="授权共享写条件，非共享写理由。", basis="第25条", longest=20000),
            Field("share_basis", "授权共享、非共享依据", "bases", help="写明名称和条款。", basis="第25条"),
        ),
    ),
    Section(
        "opening",
        "开放属性",
        "向社会公众开放的规则。无法定情形的，应当无条件开放。",
        (
            Field("open_type", "开放类型", "select", help="3级、4级数据只能选“非开放”。", basis="第28条", choices=_codes("open_types"), required=True),
            Field("security_level", "安全级别", "select", help="按数据分类分级结果填写。", basis="第41条", choices=_codes("security_levels"), required=True),
            Field("licence", "开放许可", "select", help="无条件开放选开放许可，有条件开放选使用协议。", choices=_codes("licences")),
            Field("open_condition", "开放条件", "textarea", help="有条件开放时填写：申请人须具备什么、怎样使用。", basis="第28条", longest=20000),
            Field("open_condition_ground", "有条件开放情形", "checks", basis="第28条", choices=_given(profile.CONDITION_GROUNDS)),
            Field("closed_ground", "非开放情形", "checks", help="只有这三种情形可以不开放。", basis="第28条", choices=_given(profile.CLOSED_GROUNDS)),
            Field("closed_basis", "非开放依据", "bases", help="以法律、法规为由不开放的须填写。", basis="第28条"),
        ),
    ),
    Section(
        "collection",
        "采集与归集",
        "数据从哪里来、凭什么采集。",
        (
            Field("acquisition_method", "采集方式", "select", help="共享获取、协商采集的数据由来源单位开放，不能列入本单位开放清单。", basis="第17条、第29条", choices=_codes("acquisition_methods"), required=True),
            Field("collection_basis", "采集依据", "bases", help="法律条款，或被采集人同意。", basis="第18条", required=True),
            Field("source_system", "来源系统", help="选填，产生数据的业务系统名称。", longest=500),
            Field("pooling_state", "归集状态", "select", basis="第19条", choices=_given(profile.POOLING_STATES)),
            Field("verified_at", "校核时间", "date", help="选填，最近一次多源校核的日期。", basis="第20条"),
        ),
    ),
    Section(
        "update",
        "更新与时间范围",
        "更新周期是对公众的承诺，逾期会公开标注并提醒。",
        (
            Field("update_frequency", "更新周期", "select", basis="第16条、第22条", choices=_codes("update_frequency"), required=True),
            Field("temporal_start", "数据起始日期", "date", help="选填。"),
            Field("temporal_end", "数据截止日期", "date", help="选填，不早于起始日期。"),
        ),
    ),
    Section(
        "contact",
        "联系与关联",
        "公众提问和申请时联系的处室，请写处室，不写个人。",
        (
            Field("contact_name", "联系单位", help="如“省交通运输厅科技处”。", required=True, longest=200),
            Field("contact_phone", "联系电话", help="选填，办公电话。", longest=100),
            Field("contact_email", "联系邮箱", help="选填，单位邮箱。", longest=200),
            Field("provider_uscc", "提供方统一社会信用代码", help="选填，18位。", basis=GUIDE, longest=18),
            Field("related_codes", "关联资源代码", "lines", help="选填，一行一个信息资源代码。", longest=5000),
            Field("related_service_items", "关联政务服务事项", "lines", help="选填，一行一个事项编码。", longest=5000),
            Field("duplicate_reason", "与已有目录相似的理由", "textarea", help="系统提示疑似重复时填写：为什么仍须单独编目。", basis="第16条（一数一源）", longest=20000),
        ),
    ),
)  # fmt: skip
FIELDS = {field.name: field for section in SECTIONS for field in section.fields}
ITEM_LABELS = {
    "order": "序号",
    "name": "信息项名称",
    "field_name": "字段名",
    "data_type": "数据类型",
    "length": "长度",
    "precision": "小数位",
    "unit": "计量单位",
    "nullable": "可为空",
    "primary_key": "主键",
    "open": "开放",
    "personal": "个人信息",
    "masking": "脱敏规则",
    "share_type": "共享类型",
    "code_list": "值域或代码表",
    "sample": "示例值",
    "description": "说明",
}
ITEM_FLAGS = ("nullable", "primary_key", "open")
ITEM_NUMBERS = ("length", "precision")
BASIS_LABELS = {
    "kind": "种类",
    "title": "名称",
    "document_number": "文号",
    "article": "条款",
    "quote": "原文摘录",
    "url": "网址",
}


def item_choices(name: str) -> Mapping[str, str]:
    """Return the codes that an information item's field offers."""
    if name == "data_type":
        return code_list("data_types").names(language_code())
    if name == "share_type":
        return {"": gettext("与资源相同")} | code_list("share_types").names(language_code())
    if name == "masking":
        return {code: label for code, label in translated(profile.MASKINGS).items() if code}
    return translated(profile.PERSONAL_KINDS)


def label_of(path: str) -> str:
    """Return the words for a field's path: "items.3.length" is 第4个信息项的长度."""
    name, *rest = path.split(".")
    field = FIELDS.get(name)
    label = gettext(field.label) if field else name
    if not rest or not rest[0].isdigit():
        return label
    parts = ITEM_LABELS if name == "items" else BASIS_LABELS
    number = int(rest[0]) + 1
    part = parts.get(rest[1], rest[1]) if len(rest) > 1 else ""
    if name == "items":
        whole = gettext("第%(n)s个信息项", n=number)
    else:
        whole = gettext("第%(n)s条%(label)s", n=number, label=label)
    return gettext("%(whole)s的%(part)s", whole=whole, part=gettext(part)) if part else whole
