"""The codes of the Assembly's API, and what we make of them.

A code that is not here is kept as the site says it and costs nothing: its petition is stored, and readers of the view
`unknown_code`, the log, `petitions doctor`, the report and the checks of a run tell it by name. The view `known_code`
has the same lists for them.
"""

from types import MappingProxyType

from petitions.sources.categories import ASSEMBLY_REALMS

STATES = MappingProxyType(  # sttusCode; sttusCodeNm is null in all real rows, so the names are ours
    {
        "AGRE_PROGRS": "동의진행",
        "PETIT_FORMATN": "청원성립",
        "CMIT_FRWRD": "위원회회부",
        "PETIT_END": "종료",
        "PROCESS_END": "처리종료",
        "RCEPT": "접수",
        "EXAM": "심사",
        "PLN_FRWRD": "본회의부의",
        "BILL_PT_RCEPT": "의안접수",
        "ALTBIL_RFLC": "대안반영",
    }
)
RESULTS = MappingProxyType(  # resultCode; the second five are known as exclusions of the closed query alone
    {
        "PETIT_INADQT": "동의만료폐기",
        "AGRE_END_DSUSE": "동의만료폐기",
        "CMIT_JDGING": "위원회심사",
        "CMIT_RCEPT": "위원회접수",
        "ALTRV_DSUSE": "대안반영폐기",
        "CMIT_DSUSE": "본회의불부의",
        "EXP_DSUSE": "임기만료폐기",
        "WTHDRAW": "위원회접수후철회",
        "BFE_OTHBC_WTHDRAW": "공개전철회",
        "PROGRS_WTHDRAW": "진행중철회",
        "PETIT_UNACPT": "불수리",
        "APPRVL_END_DSUSE": "찬성만료폐기",
        "ETC_TRNSF": "타기관이송",
    }
)
STAGES = MappingProxyType(  # jdgmnStepCode
    {"JS0001": "위원회 회부", "JS0003": "소위원회 심사", "JS0004": "전체위원회 의결", "JS0005": "본회의 의결"}
)
CODES = MappingProxyType({"category": ASSEMBLY_REALMS, "state": STATES, "result": RESULTS, "stage": STAGES})

COLLECTING, EXPIRED = "AGRE_PROGRS", "PETIT_END"
CLOSED_STATES = frozenset({EXPIRED, "PROCESS_END", "ALTBIL_RFLC"})
REFERRED_STATES = STATES.keys() - CLOSED_STATES - {COLLECTING}  # formed, and on its way through the Assembly
UNDECIDED = frozenset({"", "CMIT_JDGING", "CMIT_RCEPT"})
FINAL = RESULTS.keys() - UNDECIDED
# The Assembly has decided: taken up in another bill, or not brought to the plenary.
ANSWERED_STATES, ANSWERED_RESULTS = frozenset({"ALTBIL_RFLC"}), frozenset({"ALTRV_DSUSE", "CMIT_DSUSE"})
