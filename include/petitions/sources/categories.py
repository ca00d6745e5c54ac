"""The categories of both sites, code to name, as SITES.md of the stand-in lists them; none maps to the other."""

from types import MappingProxyType

# Blue House, form field `c`; four independent lists agree.
BLUEHOUSE_CATEGORIES = MappingProxyType(
    {
        "35": "정치개혁",
        "36": "외교/통일/국방",
        "37": "일자리",
        "38": "미래",
        "39": "성장동력",
        "40": "농산어촌",
        "41": "보건복지",
        "42": "육아/교육",
        "43": "안전/환경",
        "44": "저출산/고령화대책",
        "45": "행정",
        "46": "반려동물",
        "47": "교통/건축/국토",
        "48": "경제민주화",
        "49": "인권/성평등",
        "50": "문화/예술/체육/언론",
        "51": "기타",
    }
)

# National Assembly, `petitRealmCode`; complete: all were seen in real answers.
ASSEMBLY_REALMS = MappingProxyType(
    {
        "ADMINIST": "행정/지방자치",
        "CLTUR": "문화/체육/관광/언론",
        "CNSMR": "소비자/공정거래",
        "DPLM": "외교/통일/국방/안보",
        "EDC": "교육",
        "ETC": "기타",
        "FAMILY": "저출산/고령화/아동/청소년/가족",
        "FARMNG": "농업/임업/수산업/축산업",
        "FNANC": "재정/세제/금융/예산",
        "HMCCS": "보건의료",
        "HNRT": "인권/성평등/노동",
        "INDUST": "산업/통상",
        "INVST": "수사/법무/사법제도",
        "MSFRTN": "재난/안전/환경",
        "POLITC": "정치/선거/국회운영",
        "SCNCE": "과학기술/정보통신",
        "TRIT": "국토/해양/교통",
        "WLFARE": "복지/보훈",
    }
)
