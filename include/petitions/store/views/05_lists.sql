-- Lists that views join: from how many agreements on a site takes a petition up, whom petitions are addressed to, and the
-- regions that they name. To extend one is to add a line here and run `petitions db upgrade`; until the next night the views
-- addressed_to and named_region then read the texts, which is slow.

-- The Assembly: the Speaker moved to lower it in May 2021 (hankyung.com/article/202105242949Y). Of its 1,400 petitions of
-- 2020-01 to 2024-07 those begun by 2021-12-07 closed at 100,000 and those begun from 2021-12-21 at 50,000, none lying
-- between: no source was found for the day itself, and any one from the 8th to the 21st says the same of every one of them.
CREATE VIEW petitions.agreement_threshold AS
SELECT source, since, n_agreements
FROM (VALUES
    ('assembly', DATE '2020-01-10', 100000),
    ('assembly', DATE '2021-12-09', 50000),
    ('bluehouse', DATE '2017-08-19', 200000),
    ('sample', DATE '1900-01-01', 200000)
) AS threshold (source, since, n_agreements);
COMMENT ON VIEW petitions.agreement_threshold IS
    'One row is a number of agreements from which a source promised to take a petition up, and since when.';
COMMENT ON COLUMN petitions.agreement_threshold.since IS
    'first day of agreement, Korean time, of the petitions it holds for; until the next row of the source';
COMMENT ON COLUMN petitions.agreement_threshold.n_agreements IS
    'to be reached within the 30 days of agreement: a committee takes the petition up, the Blue House answers';

-- pattern is a regular expression of Postgres over title, purpose and body. Names that are part of other words say what
-- may not stand beside them: 요구청원 has no 구청 in it.
CREATE VIEW petitions.addressee AS
SELECT addressee, kind, pattern
FROM (VALUES
    ('대통령', 'president', '대통령(?!선거|기록|경호)|청와대'),
    ('국무총리', 'ministry', '국무총리|국무조정실'),
    ('국회', 'assembly', '국회(?!의사당역)'),
    ('기획재정부', 'ministry', '기획재정부|기재부'),
    ('교육부', 'ministry', '교육부'),
    ('과학기술정보통신부', 'ministry', '과학기술정보통신부|과기정통부|과기부'),
    ('외교부', 'ministry', '외교부'),
    ('통일부', 'ministry', '통일부'),
    ('법무부', 'ministry', '법무부'),
    ('국방부', 'ministry', '국방부|병무청'),
    ('행정안전부', 'ministry', '행정안전부|행안부|소방청'),
    ('국가보훈부', 'ministry', '국가보훈(부|처)|보훈(부|처)'),
    ('문화체육관광부', 'ministry', '문화체육관광부|문체부'),
    ('농림축산식품부', 'ministry', '농림축산식품부|농림부|농식품부'),
    ('산업통상자원부', 'ministry', '산업통상자원부|산업부|산자부'),
    ('보건복지부', 'ministry', '보건복지부|복지부'),
    ('질병관리청', 'ministry', '질병관리(청|본부)|질본'),
    ('식품의약품안전처', 'ministry', '식품의약품안전처|식약처'),
    ('환경부', 'ministry', '환경부'),
    ('고용노동부', 'ministry', '고용노동부|노동부'),
    ('여성가족부', 'ministry', '여성가족부|여가부'),
    ('국토교통부', 'ministry', '국토교통부|국토부'),
    ('해양수산부', 'ministry', '해양수산부|해수부'),
    ('중소벤처기업부', 'ministry', '중소벤처기업부|중기부'),
    ('국세청', 'ministry', '국세청|관세청'),
    ('금융위원회', 'ministry', '금융위원회|금융위(?!기)|금융감독원|금감원'),
    ('공정거래위원회', 'ministry', '공정거래위원회|공정위(?!원)'),
    ('방송통신위원회', 'ministry', '방송통신위원회|방통위|방송통신심의위원회|방심위'),
    ('국가인권위원회', 'ministry', '인권위'),
    ('국민권익위원회', 'ministry', '권익위'),
    ('경찰', 'justice', '경찰'),
    ('검찰', 'justice', '검찰|공수처'),
    ('법원', 'justice', '법원|헌법재판소|헌재'),
    ('지방자치단체', 'local government',
        '지방자치단체|지자체|(특별|광역)시장|도지사|[가-힣](시|도|구|군)의회|(시장|군수|구청장)님|주민센터|동사무소'
            '|[가-힣]{2}(시|군|도)청(?!각|자|률|구|소|춘|년|원|약|산|취|하|한|을 하)|(?<![가-힣])(시|군|도)청(에|과|의 |은|이|앞)'
            '|(?<!요|청)구청(?!구|장애|원|소|년|춘)'),
    ('교육청', 'local government', '교육청|교육감')
) AS listed (addressee, kind, pattern);
COMMENT ON VIEW petitions.addressee IS
    'One row is one whom petitions are addressed to, and how a text names them; views/05_lists.sql is the list.';
COMMENT ON COLUMN petitions.addressee.addressee IS 'the name in full, today''s where it has changed';
COMMENT ON COLUMN petitions.addressee.kind IS 'president, assembly, ministry (an agency too), justice or local government';
COMMENT ON COLUMN petitions.addressee.pattern IS 'a regular expression of Postgres: what names them';

CREATE VIEW petitions.region AS
SELECT region, province, pattern
FROM (
    SELECT name AS region, name AS province, pattern
    FROM (VALUES
        ('서울', '서울'),
        ('부산', '부산(?!물|스럽|떨|한|하게)'),
        ('대구', '대구(?!탕|포|루루|치)'),
        ('인천', '인천'),
        ('광주', '광주(?!리)(?!시 ?(오포|초월|곤지암|퇴촌))'),
        ('대전', '(?<!세계|계)대전(?!차|제|환|료|게임|격투)'),
        ('울산', '울산(?!바위)'),
        ('세종', '세종(?!대왕|문화|대학|대로|호텔|연구)'),
        ('경기', '경기(도|북부|남부|특별|지역|교육청)'),
        ('강원', '강원(도|특별|랜드|지역)'),
        ('충북', '충북|충청북도|충청도'),
        ('충남', '충남|충청남도|충청도'),
        ('전북', '전북|전라북도|전라도'),
        ('전남', '전남(?!편|친)|전라남도|전라도'),
        ('경북', '경북|경상북도|경상도'),
        ('경남', '경남(?!아파트|제약)|경상남도|경상도'),
        ('제주', '제주(?!항공)')
    ) AS of_province (name, pattern)
    UNION ALL
    SELECT city, province, city
    FROM (VALUES
        ('경기', '수원시 성남시 의정부시 안양시 부천시 광명시 평택시 동두천시 안산시 고양시 과천시 구리시 남양주시 오산시 시흥시 군포시'
            ' 의왕시 하남시 용인시 파주시 이천시 안성시 김포시 화성시 양주시 포천시 여주시'),
        ('강원', '춘천시 원주시 강릉시 동해시 태백시 속초시 삼척시'),
        ('충북', '청주시 충주시 제천시'),
        ('충남', '천안시 공주시 보령시 아산시 서산시 논산시 계룡시 당진시'),
        ('전북', '전주시 군산시 익산시 정읍시 남원시 김제시'),
        ('전남', '목포시 여수시 순천시 나주시 광양시'),
        ('경북', '포항시 경주시 김천시 안동시 구미시 영주시 영천시 상주시 문경시 경산시'),
        ('경남', '창원시 진주시 통영시 사천시 김해시 밀양시 거제시 양산시'),
        ('제주', '제주시 서귀포시')
    ) AS of_cities (province, cities)
    CROSS JOIN LATERAL regexp_split_to_table(cities, ' ') AS city
) AS listed;
COMMENT ON VIEW petitions.region IS
    'One row is a province or a city, and how a text names it; views/05_lists.sql is the list.';
COMMENT ON COLUMN petitions.region.region IS 'a province by its short name, or a city by its full one';
COMMENT ON COLUMN petitions.region.province IS 'the province, metropolitan or special city it is or lies in, by its short name';
COMMENT ON COLUMN petitions.region.pattern IS 'a regular expression of Postgres: what names it';

CREATE VIEW petitions.listed_name AS
SELECT 'addressee' AS list, addressee AS name, pattern FROM petitions.addressee
UNION ALL
SELECT 'region', region, pattern FROM petitions.region;
COMMENT ON VIEW petitions.listed_name IS 'One row is a row of the list addressee, or of the list region; not for readers.';

CREATE VIEW petitions.lists_today AS
SELECT md5(string_agg(concat_ws(' ', list, name, pattern), E'\n' ORDER BY list, name, pattern)) AS lists
FROM petitions.listed_name;
COMMENT ON VIEW petitions.lists_today IS 'The one row is a name for what both lists hold today; not for readers.';

CREATE VIEW petitions.found_mention AS
SELECT
    p.petition_id, l.list, l.name, regexp_count(text.whole, l.pattern) AS n_mentions, p.title ~ l.pattern AS is_in_title
FROM petitions.petition AS p
CROSS JOIN LATERAL (SELECT concat_ws(E'\n', p.title, p.purpose, p.body) AS whole OFFSET 0) AS text
JOIN petitions.listed_name AS l ON text.whole ~ l.pattern;
COMMENT ON VIEW petitions.found_mention IS
    'One row is one petition and one of both lists that its text names, looked for as it is read, which takes milliseconds;
not for readers.';

-- The codes of a site that are known, as sources/assembly_codes.py has them.
CREATE VIEW petitions.known_code AS
SELECT source, kind, code, name
FROM (VALUES
    ('assembly', 'category', 'ADMINIST', '행정/지방자치'),
    ('assembly', 'category', 'CLTUR', '문화/체육/관광/언론'),
    ('assembly', 'category', 'CNSMR', '소비자/공정거래'),
    ('assembly', 'category', 'DPLM', '외교/통일/국방/안보'),
    ('assembly', 'category', 'EDC', '교육'),
    ('assembly', 'category', 'ETC', '기타'),
    ('assembly', 'category', 'FAMILY', '저출산/고령화/아동/청소년/가족'),
    ('assembly', 'category', 'FARMNG', '농업/임업/수산업/축산업'),
    ('assembly', 'category', 'FNANC', '재정/세제/금융/예산'),
    ('assembly', 'category', 'HMCCS', '보건의료'),
    ('assembly', 'category', 'HNRT', '인권/성평등/노동'),
    ('assembly', 'category', 'INDUST', '산업/통상'),
    ('assembly', 'category', 'INVST', '수사/법무/사법제도'),
    ('assembly', 'category', 'MSFRTN', '재난/안전/환경'),
    ('assembly', 'category', 'POLITC', '정치/선거/국회운영'),
    ('assembly', 'category', 'SCNCE', '과학기술/정보통신'),
    ('assembly', 'category', 'TRIT', '국토/해양/교통'),
    ('assembly', 'category', 'WLFARE', '복지/보훈'),
    ('assembly', 'state', 'AGRE_PROGRS', '동의진행'),
    ('assembly', 'state', 'PETIT_FORMATN', '청원성립'),
    ('assembly', 'state', 'CMIT_FRWRD', '위원회회부'),
    ('assembly', 'state', 'PETIT_END', '종료'),
    ('assembly', 'state', 'PROCESS_END', '처리종료'),
    ('assembly', 'state', 'RCEPT', '접수'),
    ('assembly', 'state', 'EXAM', '심사'),
    ('assembly', 'state', 'PLN_FRWRD', '본회의부의'),
    ('assembly', 'state', 'BILL_PT_RCEPT', '의안접수'),
    ('assembly', 'state', 'ALTBIL_RFLC', '대안반영'),
    ('assembly', 'result', 'PETIT_INADQT', '동의만료폐기'),
    ('assembly', 'result', 'AGRE_END_DSUSE', '동의만료폐기'),
    ('assembly', 'result', 'CMIT_JDGING', '위원회심사'),
    ('assembly', 'result', 'CMIT_RCEPT', '위원회접수'),
    ('assembly', 'result', 'ALTRV_DSUSE', '대안반영폐기'),
    ('assembly', 'result', 'CMIT_DSUSE', '본회의불부의'),
    ('assembly', 'result', 'EXP_DSUSE', '임기만료폐기'),
    ('assembly', 'result', 'WTHDRAW', '위원회접수후철회'),
    ('assembly', 'result', 'BFE_OTHBC_WTHDRAW', '공개전철회'),
    ('assembly', 'result', 'PROGRS_WTHDRAW', '진행중철회'),
    ('assembly', 'result', 'PETIT_UNACPT', '불수리'),
    ('assembly', 'result', 'APPRVL_END_DSUSE', '찬성만료폐기'),
    ('assembly', 'result', 'ETC_TRNSF', '타기관이송'),
    ('assembly', 'stage', 'JS0001', '위원회 회부'),
    ('assembly', 'stage', 'JS0003', '소위원회 심사'),
    ('assembly', 'stage', 'JS0004', '전체위원회 의결'),
    ('assembly', 'stage', 'JS0005', '본회의 의결')
) AS known (source, kind, code, name);
COMMENT ON VIEW petitions.known_code IS
    'One row is a code of a site that this version knows; the others stand in the view unknown_code.';
COMMENT ON COLUMN petitions.known_code.kind IS 'category, state, result or stage';
COMMENT ON COLUMN petitions.known_code.code IS 'as the site says it';
COMMENT ON COLUMN petitions.known_code.name IS 'of the code; the site leaves those of states out, so that they are ours';

GRANT SELECT ON petitions.lists_today, petitions.found_mention TO petition_writer;
GRANT SELECT ON petitions.agreement_threshold, petitions.addressee, petitions.region, petitions.known_code
    TO petition_reader, petition_writer;
