"""Words that more than one page about access says."""

from __future__ import annotations

KINDS = {
    "natural_person": "自然人",
    "legal_person": "法人",
    "unincorporated_organisation": "非法人组织",
}
MASKS = {
    "mask_id": "证件号遮盖",
    "mask_phone": "电话遮盖",
    "mask_name": "姓名遮盖",
    "generalise_date": "日期概化",
}
REPORT_KINDS = {
    "app": "应用程序",
    "website": "网站服务",
    "analysis": "分析报告",
    "research": "科研成果",
    "other": "其他",
}
