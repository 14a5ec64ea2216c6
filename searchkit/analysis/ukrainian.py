"""Ukrainian as data: every list of letters and words that the analyser knows by heart.

A linguist can edit this file. Each list says what it is for; an odd entry has its reason
beside it. The order inside a list does not matter unless the list says so.
"""

# Characters that people and keyboards use for the apostrophe in п'ять. The dictionary
# knows only the first.
APOSTROPHES = (
    "'"  # U+0027, keyboards
    "\u2019"  # ’ typesetters, and phones that correct as one types
    "\u02bc"  # ʼ the letter that Unicode means for Ukrainian
    "\u2018"  # ‘ the same quotation mark turned the wrong way
    "\u201b"  # ‛ likewise
    "`"  # a slip on the keyboard
    "\u00b4"  # ´ likewise
    "\u02b9"  # ʹ library catalogues
    "\u0374"  # ʹ the Greek sign that Unicode holds equal to it
    "\u2032"  # ′ the minute sign
    "\uff07"  # ＇ full width
)

# Hyphens that join two words into one, as in прес-конференція. A dash (–, —) never does.
HYPHENS = "-\u2010\u2011"  # U+2011 is the hyphen at which a line must not break

# What may stand inside a word without being part of it.
STRESS = "\u0301\u0300"  # за́мок; the grave comes from older books
STRESSED_LETTERS = str.maketrans("ѐЀѝЍ", "еЕиИ")  # a stress mark made into a letter
INVISIBLE = "\u00ad\u200c\u200d\u2060\ufeff"  # soft hyphen, joiners; U+200B is a space

# Latin letters that look like Cyrillic ones and get into Cyrillic words by mistake or from
# scanning: Iрпінь, видiлiть, екcперт. With an accent they stand for a stressed vowel.
LATIN_TO_CYRILLIC = str.maketrans(
    "aceikmoptxyABCEHIKMOPTXYïÏáéíóýàèìòỳÁÉÍÓÝÀÈÌÒỲ",
    "асеікмортхуАВСЕНІКМОРТХУїЇаеіоуаеіоуАЕІОУАЕІОУ",
)

# The other way round, for a Latin word with a Cyrillic letter in it: Сovid.
CYRILLIC_TO_LATIN = str.maketrans("асеікмортхуАВСЕНІКМОРТХУ", "aceikmoptxyABCEHIKMOPTXY")

# ґ is folded into г: both spellings are found by either (ґрунт and, before 1990, грунт); so is the
# Russian ё into е.
FOLDED_LETTERS = str.maketrans("ґҐёЁ", "гГеЕ")

# Forms of one word that differ only for euphony; the first stands for all.
EUPHONY = {
    "у": "в",
    "ув": "в",
    "уві": "в",
    "й": "і",
    "із": "з",
    "зі": "з",
    "зо": "з",
    "од": "від",
    "наді": "над",
    "піді": "під",
    "переді": "перед",
    "б": "би",
    "ж": "же",
}

# Endings written to a number with a hyphen; they are no words. Those of an ordinal (36-й, 21-го,
# 90-х, 2-га) have the lemma 36-й; those of a cardinal (5-ти, 5-ма, 2-х) the number itself. Some may
# be either: 7-ма is сьома, 5-ма is п'ятьма.
ORDINAL_ENDINGS = frozenset(
    """
    й го му м ий ого ому им ім а я ої ій ою ю у ша шу ше ші га гу ге гі та ту те ті тя тю тє
    ма му ме мі е є і х их ими ми
    """.split()
)
CARDINAL_ENDINGS = frozenset("ти ть ма мя ми ро х ох ьох ом ьом".split())

# Words that tie a sentence together. Among other words of a query they are not asked for:
# `переговори в Києві` does not want every article with "в". A form that may be a noun or a verb
# as well stands here only if the news hardly ever mean that: до (the note), коли (stakes), перед
# (the front), під (the floor of an oven), поза (the pose: 2 of 70 in a sample of news), про (the
# abbreviation), тому (the volume), як (the yak), хай and нехай (imperatives, a surname), ані
# (Аня), при and попри (imperatives), серед (Wednesdays), об (the river). These do not: ради is
# Рада (Верховної Ради), мов is more often мова (іноземних мов), коло more often a circle or a
# round (коло осіб), к an initial or an abbreviation (к. с.).
FUNCTION_WORDS = frozenset(
    """
    в з на до за від для про при без під над перед між через після біля крім серед
    проти замість щодо попри задля заради внаслідок поза по о об
    і та а але або чи що як якщо коли бо щоб хоч хоча тому адже проте однак зате отже
    немов наче неначе ніби мовби начебто ані ні якби оскільки аби
    не би же то ж таки лише лишень тільки навіть саме ось он от хай нехай невже хіба
    """.split()
)

# Forms that the dictionary reads as a word which the news never mean by them, besides others.
NEVER_MEANT = {
    "нато": "ната",  # a short form of Наталія
    "зараз": "зараза",  # in the genitive plural
}

# Abbreviations that are always of one word: they are found by it, too. The others are not here: м.
# is a town, a metre or music, ст. a century, an article or a station, с. a village or a page.
ABBREVIATED = {
    "тис": "тисяча",
    "млн": "мільйон",
    "млрд": "мільярд",
    "трлн": "трильйон",
    "грн": "гривня",
    "дол": "долар",
    "р": "рік",
    "рр": "рік",
    "вул": "вулиця",
    "просп": "проспект",
    "бул": "бульвар",
    "пл": "площа",
    "обл": "область",
    "р-н": "район",
    "км": "кілометр",
    "кг": "кілограм",
    "год": "година",
    "хв": "хвилина",
    "ім": "ім'я",
    "проф": "професор",
    "акад": "академік",
}

# Spellings that the orthography of 2019 knows beside each other or has put in place of another.
# A word with the left one in it is found by the word with the right one, too, if the dictionary
# has that word: проектувати by проєктувати. On the right stands the spelling that is the only one
# now or, where both are right, the more usual one.
SPELLINGS = dict(
    line.split()
    for line in """
    проект        проєкт
    проекц        проєкц
    траекторі     траєкторі
    священик      священник
    фойє          фоє
    йєр           єр
    ляйєн         ляєн
    сайєнтолог    саєнтолог
    етер          ефір
    авдит         аудит
    авдіо         аудіо
    авдієн        аудієн
    лавреат       лауреат
    павз          пауз
    катедр        кафедр
    атен          афін
    міт           міф
    аритмет       арифмет
    логаритм      логарифм
    маратон       марафон
    ортогра       орфогра
    анатем        анафем
    дитирамб      дифірамб
    агатангел     агафангел
    демостен      демосфен
    бористен      борисфен
    хамас         гамас
    хезболл       гезболл
    """.strip().split("\n")
)

# First parts that are written together with what follows since 2019, and were written with a
# hyphen: екс-президент, прес-служба, веб-сайт. The one is found by the other.
PREFIXES = frozenset(
    """
    архі бліц веб віце гіпер екс екстра етно кібер контр макро максі медіа міді мікро міні мульти
    нано обер поп прес преміум супер топ ультра унтер флеш штабс
    """.split()
)

# Words that are a half of something although they could be a form of something whole, too; those
# that could not (півгодини, пів'яблука) the dictionary knows.
HALVES = frozenset(["півроку"])

# Letters by which Ukrainian and Russian are told apart.
TELLING_LETTERS = {"uk": "іїєґ", "ru": "ыэъё"}

# Small words by which languages are told apart: frequent, and spelled otherwise in the others.
TELLING_WORDS = {
    "uk": frozenset(
        """
        та й що як це цей ця ці цього цієї від із але або чи бо щоб про під після його її їх він
        вона вони ми ви був була було були буде є який яка яке які також ще вже лише де коли якщо
        тому дуже між проти рік року роки тис млн
        """.split()
    ),
    "ru": frozenset(
        """
        и что как это этот эта эти этого этой от из с к но или чтобы о об под после его ее её их он
        она они мы вы был была было были будет есть который которая которое которые также еще ещё
        уже только где когда если потому очень между против год года лет тыс во со
        """.split()
    ),
    "en": frozenset(
        """
        the of and to in a is that for it as was with be by on not he his at this are or from they
        have an had were which has their will who but its said
        """.split()
    ),
}

# What records call languages, other than by the codes of ISO 639-1.
LANGUAGES = {
    **dict.fromkeys(("ua", "ukr", "ukrainian", "українська", "укр"), "uk"),
    **dict.fromkeys(("rus", "russian", "російська", "русский", "рос"), "ru"),
    **dict.fromkeys(("eng", "english", "англійська", "англ"), "en"),
}

# Words that tie a Russian sentence together and are no words of Ukrainian; see FUNCTION_WORDS.
RUSSIAN_FUNCTION_WORDS = frozenset("и что как из или чтобы если когда но обо был это".split())

# Abbreviations that stand before a name or a number: their full stop ends no sentence. Of
# others (грн. or р.) it does, if a capital letter follows.
ABBREVIATIONS = frozenset(
    """
    м с смт ст ім вул бул просп пл пров буд кв оф тел св о преп
    ред упор заст зав акад проф доц інж див пор напр англ нім фр лат укр рос
    """.split()
)

# Prepositions by the case that they govern; those with several have a kind of their own.
GOVERNED = {
    preposition: case
    for case, prepositions in {
        "gent": """
            без біля від до для крім окрім після проти ради серед замість заради задля коло навколо
            довкола довкруг поблизу недалеко посеред протягом упродовж впродовж щодо стосовно
            внаслідок унаслідок вздовж уздовж всередині усередині напередодні відносно з-за із-за
            з-під із-під з-над з-поміж шляхом близько поза опріч мимо кругом насеред
            """,
        "datv": "завдяки всупереч наперекір назустріч услід вслід",
        "accs": "про через крізь попри повз",
        "ablt": "над перед",
        "loct": "о об при",
        "в": "в",
        "на": "на",
        "з": "з",
        "за": "за",
        "під": "під",
        "по": "по",
        "між": "між поміж",
    }.items()
    for preposition in prepositions.split()
}

# Forms of pronouns that are also possessives; behind a preposition they are nothing else, since the
# pronoun begins with н there: за його наказом, but за ним.
POSSESSIVES = frozenset("його її їх".split())

# Signs between words that tell something of them: those on the left mean the sign on the right.
SIGNS = {
    mark: sign
    for marks, sign in (
        (".!?…", "."),
        (",;", ","),
        (":", ":"),
        ("—–", "—"),
        ("(", "("),
        (")", ")"),
        ('«»„“”"', '"'),
        ("%№$€₴", "%"),
    )
    for mark in marks
}
