"""The kinds of sensitive content: their words, their patterns, and how a column's name gives them away.

Patterns are RE2 (DuckDB's), with the interesting part as group 1; they also work in Python. A
column can be of a kind by its values or by its name.
Source: GB/T 35273 (个人信息), GB 11643 (公民身份号码), GB 32100 (统一社会信用代码), GA 36 (号牌).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋"
    "蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段"
    "雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢"
    "路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍覃霍翁隋"
)


@dataclass(frozen=True)
class Kind:
    """One kind of sensitive content.

    named: what a column of it is called; blocks: publication waits for a decision; declarable: a
    public identifier, which an information item that was reviewed may announce.
    """

    code: str
    label: str
    pattern: str = ""
    named: str = ""
    blocks: bool = True
    declarable: bool = False

    def is_named(self, column_name: str) -> bool:
        return bool(self.named) and re.search(self.named, column_name, re.IGNORECASE) is not None


KINDS = {
    kind.code: kind
    for kind in (
        Kind(
            "id_number",
            "身份证号码",
            r"\b([1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx])\b",
            r"身份证|公民身份|证件号|id.?card|identity.?(no|number)",
        ),
        Kind(
            "old_id_number",
            "15位身份证号码",
            r"\b([1-9][0-9]{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3})\b",
        ),
        Kind(
            "uscc",
            "统一社会信用代码",
            r"\b([0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{10})\b",
            declarable=True,
        ),
        Kind(
            "mobile",
            "手机号码",
            r"(?:^|[^0-9A-Za-z.-])(?:(?:\+|00)?86[- ]?)?(1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4})(?:$|[^0-9A-Za-z])",
            r"手机|移动电话|mobile|cell.?phone",
        ),
        Kind(
            "landline",
            "个人固定电话",
            r"(?:^|[^0-9])(0[0-9]{2,3}[- ]?[0-9]{7,8})(?:$|[^0-9])",
            r"(家庭|住宅|个人|本人|家长|户主|监护人|患者|学生|业主).{0,3}电话|宅电|home.?phone",
        ),
        Kind(
            "bank_card",
            "银行卡号",
            r"\b((?:62|4[0-9]|5[1-5]|35|60|9[0-9])[0-9]{2}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{3})?|3[47][0-9]{13})\b",
            r"银行卡|卡号|银行.?[账帐]号|收款[账帐]号|bank.?(card|account)",
        ),
        Kind(
            "email",
            "电子邮箱",
            r"([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})",
            declarable=True,
        ),
        Kind(
            "plate",
            "机动车号牌",
            rf"([{PROVINCES}][A-HJ-NP-Z][·.\s-]?[A-HJ-NP-Z0-9]{{4,5}}[A-HJ-NP-Z0-9挂学警港澳])",
            r"车牌|号牌",
        ),
        Kind(
            "address",
            "住址（含门牌或房号）",
            r"((?:[0-9一二三四五六七八九十]{1,4}\s*(?:栋|幢|号楼|座|单元)).{0,12}?[0-9]{1,4}\s*(?:室|户|号|门))",
            r"住址|家庭.?地址|户籍|现住|居住地|户口|home.?address",
        ),
        Kind(
            "house",
            "门牌地址",
            r"((?:路|街|道|巷|胡同|弄|村|屯)\s*[0-9]{1,5}\s*号)",
            blocks=False,
        ),
        Kind(
            "passport",
            "护照、通行证号码",
            r"(?:护照|通行证|[Pp]assport).{0,8}?\b([A-Z][0-9A-Z][0-9]{6,8})\b",
            r"护照|通行证|passport",
        ),
        Kind(
            "name",
            "个人姓名",
            rf"^\s*((?:[{SURNAMES}]|欧阳|司马|上官|诸葛|司徒|东方|尉迟|皇甫)[\x{{4e00}}-\x{{9fa5}}·]{{1,3}})\s*$",
            r"姓名|户主|联系人$|法定代表人|法人代表|负责人$|申请人$|当事人$|驾驶员$|患者$|学生$|家长$"
            r"|监护人|受益人$|经办人$|被处罚人$|^(person.?|full.?)?name$",
        ),
        Kind("birth_date", "出生日期", "", r"出生(日期|年月|时间)|^出生$|生日|birth"),
        Kind("unread", "没有检查的内容"),
    )
}
PLACED_BY_NAME = frozenset(
    code for code, kind in KINDS.items() if kind.named and code not in ("name", "birth_date")
)
IDS = frozenset(
    {"id_number", "old_id_number", "mobile", "bank_card", "passport", "address", "landline"}
)
"""What makes a name beside it a person that can be found."""

ANY = (
    r"[0-9]{3}[- ]?[0-9]{4}[- ]?[0-9]{4}|[0-9A-Za-z]{18}|@"
    rf"|[{PROVINCES}][A-HJ-NP-Z][·.\s-]?[A-HJ-NP-Z0-9]{{4}}|(?:栋|幢|号楼|座|单元)"
    r"|(?:路|街|道|巷|胡同|弄|村|屯)\s*[0-9]{1,5}\s*号|护照|通行证|[Pp]assport"
)
"""One look that lets most values go: every pattern above matches only where this one does."""

FULL_WIDTH = "０１２３４５６７８９ＸｘＡＢＣＤＥＦＧＨＪＫＬＭＮＰＱＲＴＵＷＹ＠－"
HALF_WIDTH = "0123456789XxABCDEFGHJKLMNPQRTUWY@-"


def narrow(sql: str) -> str:
    """Return SQL for the text with digits and letters in their narrow forms."""
    changed = f"translate({sql}, '{FULL_WIDTH}', '{HALF_WIDTH}')"
    return f"CASE WHEN regexp_matches({sql}, '[{FULL_WIDTH}]') THEN {changed} ELSE {sql} END"
