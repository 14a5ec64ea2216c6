"""Query: the user's text becomes a tree, the tree is matched and ranked.

The language, as pairs of text and tree:

    переговори                    Word
    мирні переговори              Some[Word, Word]: articles with both first, then with one
    "мирні переговори"            Phrase, in any inflection
    "мирні переговори"~5          Phrase, in any order with 5 or fewer words between
    мир AND війна, мир І війна    And[Word, Word]; also ТА
    мир OR війна, мир АБО війна   Or[Word, Word]
    мир NOT війна, мир НЕ війна   And[Word, Not[Word]]
    title:мир                     Field: title, source, section, author, tag
    перегов*                      Prefix
    =переговорів                  Exact: that very form
    lemma:київ                    Word: any form of this reading
    date:2025-09                  Dates; also date:[2025-09-01 TO 2025-09-30]
"""
