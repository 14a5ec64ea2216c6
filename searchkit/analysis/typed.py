"""What people type instead of a word, as data: keyboards, Latin spellings, likely slips.

A linguist can edit this file. What is offered for a word is decided by what the archive holds, so
a reading that makes no words costs nothing but time.
"""

# The same keys on three keyboards, from the upper left to the lower right; small letters, then with
# the shift key. A key that types no letter of interest stands for itself.
KEYBOARDS = {
    "Latin": (
        r"`qwertyuiop[]\asdfghjkl;'zxcvbnm,.",
        r'~QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>',
    ),
    "Ukrainian": (
        "'йцукенгшщзхїґфівапролджєячсмитьбю",
        "'ЙЦУКЕНГШЩЗХЇҐФІВАПРОЛДЖЄЯЧСМИТЬБЮ",
    ),
    "Russian": (
        r"ёйцукенгшщзхъ\фывапролджэячсмитьбю",
        "ЁЙЦУКЕНГШЩЗХЪ|ФЫВАПРОЛДЖЭЯЧСМИТЬБЮ",
    ),
}

# How Ukrainian is spelled in Latin letters: by the table of the Cabinet of Ministers (2010), by
# BGN/PCGN, after the Russian form of the word, by scholars (with diacritics, or ISO 9), as in GOST,
# and as in Polish and German. Before the colon what is read, `$` standing for the end of the word;
# behind it what it may be in Cyrillic, the likeliest first. `_` is nothing.
LATIN_SPELLINGS = """
    a:а/я ai:ай/аї aj:ай ay:ай â:я b:б c:ц/ць/к cc:кк/ц ch:ч/х ch$:ч/х cs:ч cz:ч/ц č:ч ć:ць/ч
    d:д/дь ď:дь dj:дж/дь dz:дз dzh:дж dž:дж
    e:е/є/э/і/ї/о e$:е/є/а ei:ей/еї ej:ей ey:ей eu:еу/ев è:є ê:є ě:є f:ф g:г/ж gh:г ġ:г h:г/х
    i:і/и/ї/й/ай ï:ї í:і ì:і ĭ:й ia:я/іа/ія/'я ie:є/іє/ьє/'є/иї io:йо/ьо/іо iu:ю/ію/'ю ii:ії/ій/ий
    ij:ій/ий iy:ий/ій iia:ія iya:ія iye:іє iiu:ію i$:і/ий/и/ій/ї ii$:ий/ії/ій ij$:ий/ій iy$:ий/ій
    j:й/ь/дж j$:й/ь ja:я/ья/'я je:є/е/ьє/'є ji:ї/'ї jo:йо/ьо ju:ю/ью/'ю
    k:к kh:х ks:кс l:л/ль ł:л ľ:ль lj:ль m:м n:н/нь ń:нь ň:нь nj:нь
    o:о/і ó:о/і oi:ой/ої oj:ой oy:ой ou:оу/у p:п ph:ф q:к r:р/рь
    s:с/сь/з ś:сь sch:щ/ш/сх schtsch:щ sh:ш shch:щ/шч shh:щ sht:шт/щ stch:щ sz:ш szcz:щ
    sk:ськ/ск sk$:ськ/ск ski$:ський/ські sky$:ський š:ш šč:щ ŝ:щ
    t:т/ть ť:ть tc:ц tch:ч th:т tj:ть ts:ц/ць/тс tsch:ч tsk:цьк/тськ tz:ц u:у/ю/а
    ü:ю ŭ:в û:ю v:в w:в x:х/кс y:и/й/і/ї/ь y$:ий/и/й/і y':и ý:ий/и ya:я/'я/ия ye:є/е/'є yi:ї/иї
    yi$:ий/ї yia:ія yj:ий yo:йо/ьо yu:ю/'ю yy:ий z:з/ц ź:зь zgh:зг zh:ж/зг zk:зьк/зк zz:цц/ц/з
    ž:ж ż:ж ':_/ь/'
    dia:дя/ддя lia:ля/лля nia:ня/ння sia:ся/сся tia:тя/ття zhia:жя/жжя zhya:жя/жжя zhye:жє/жжя
"""

# How a word with a letter that Ukrainian lacks is written in Ukrainian, in the same form: выборы,
# мэр, объект. Letters that are not here are the same in both.
RUSSIAN_SPELLINGS = """
    ы:и/і э:е/є ъ:' ъе:'є/'ї ье:'є/ьє/'ї ья:'я/ья ью:'ю/ью и:и/і/ї е:е/є/і/ї о:о/і ь:ь/_
    ый$:ий ий$:ий/ій ая$:а яя$:я ое$:е ее$:є ые$:і ие$:і
"""

# What has an apostrophe between, mostly: п'ять, об'їзд, пам'ятник, подвір'я, зв'язок.
APOSTROPHE_BEFORE, APOSTROPHE_AFTER = "яюєї", "бпвмфрктдзнжчшгхслц"

# Letters that are written for each other by ear or by the habit of another language, beside those
# whose keys are neighbours: переговоры, Харьков, Зелинський, хазета.
CONFUSED = "оі иі ие иы іы іі еє еэ єэ её іїй оа гх шщ зс дт бп вуф зж цс ьъ ъ' їи"

# Letters that are easily left out, or written where there are none: Зеленский, здоровя.
FLEETING = "ь'"
