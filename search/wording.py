"""What was typed, as clauses: the ways in which each of its words may occur."""

from __future__ import annotations

from math import ceil

from search import analysis
from search.clauses import (
    AllOf,
    AnyOf,
    Best,
    Boost,
    Clause,
    Colloquial,
    Meant,
    Term,
    Text,
    Worded,
    Wording,
)
from search.fields import CODES, TEXT_BOOSTS
from search.lexicon import lexicon
from search.words import Word, Words, analyse, everyday

_TIE = 0.2  # what further fields add to the best one
_SYNONYM, _PARTS, _PAIRS, _NEAR, _JOINTS = 0.7, 0.6, 0.5, 0.2, 0.5
_SOME = 0.3  # a part of a word alone, once not every word need occur
_CODE_BOOST = 4.0
_MEANT = 0.5  # an official term beside the words that were typed, once none is required
_SEVERAL, _LATER = 0.7, 0.95  # an official term of several words; each term after the first
# Where an official term says what an entry is about; in a value or a provider it is chance.
_ABOUT = {name: TEXT_BOOSTS[name] for name in ("title", "keywords", "item_names", "abstract")}


def spell_out(clause: Wording) -> Clause:
    """Return the scored clause for what somebody typed, or for one word or meaning of it."""
    match clause:
        case Text(typed, strictness, thesaurus):
            return _text(typed, strictness, thesaurus=thesaurus)
        case Colloquial(typed):
            return _colloquial(typed)
        case Worded(word, strictness):
            return _word_clause(word, strictness)
        case Meant(terms):
            return _official(terms)


def _text(typed: str, strictness: int, *, thesaurus: bool) -> Clause:
    """Every required word must occur, in whichever field. `strictness` 1 and 2 relax that, for a
    query that finds nothing.
    """
    words = analyse(typed)
    clauses = tuple(Worded(word, strictness) for word in words.required)
    hopes = _hopes(words)
    if strictness == 0:
        return AllOf(clauses, hopes)
    at_least = max(1, ceil(len(clauses) / 2)) if strictness == 1 else 1
    reading = everyday(typed) if thesaurus else None
    meant = [Boost(Meant(terms), _MEANT) for terms in (reading.meanings if reading else ())]
    return AllOf((AnyOf((*clauses, *meant), at_least),), hopes)


def _colloquial(typed: str) -> Clause:
    """One of the official terms, all of the names, codes and numbers; other words only help."""
    reading = everyday(typed)
    if reading is None:
        return AnyOf(())
    meant = tuple(Meant(terms) for terms in reading.meanings)
    fixed = tuple(Worded(word) for word in reading.rest)
    hopes = tuple(_anywhere(_token(word)) for word in reading.helpful)
    return AllOf((AnyOf(meant), *fixed), hopes)


def _official(terms: tuple[str, ...]) -> Clause:
    """Any of the official terms, the first ones counting a little more."""
    ways = [Boost(_official_term(term), _LATER**place) for place, term in enumerate(terms)]
    return ways[0] if len(ways) == 1 else Best(tuple(ways), _TIE)


def _official_term(term: str) -> Clause:
    pieces: list[Clause] = []
    for run, is_cjk in analysis.runs(term):
        words = [run] if not is_cjk or lexicon().is_term(run) else analysis.cut(run)
        for word in words:
            whole = _in(_ABOUT, word if is_cjk else analysis.stem(word))
            if is_cjk and len(word) > 2:
                whole = Best((whole, Boost(_pairs_together(word, fields=_ABOUT), _PAIRS)))
            pieces.append(whole)
    if len(pieces) == 1:
        return pieces[0]
    return Boost(AllOf(tuple(pieces)), _SEVERAL)


def _hopes(words: Words) -> tuple[Clause, ...]:
    helpful = tuple(_anywhere(_token(word)) for word in words.helpful)
    joints = tuple(Boost(Term("title", pair), _JOINTS) for pair in words.joints)
    return helpful + joints


def _token(word: Word) -> str:
    return word.text if word.is_cjk else analysis.stem(word.text)


def _in(fields: dict[str, float], token: str) -> Clause:
    """One token in any of the fields, the best field counting most."""
    return Best(tuple(Boost(Term(field, token), boost) for field, boost in fields.items()), _TIE)


def _anywhere(token: str) -> Clause:
    return _in(TEXT_BOOSTS, token)


def _pairs_together(
    text: str, at_least: float = 1.0, fields: dict[str, float] = TEXT_BOOSTS
) -> Clause:
    """All pairs of characters (or a share of them) of an unsegmented word in one field."""
    pairs = tuple(dict.fromkeys(analysis.bigrams(text)))
    wanted = max(1, ceil(len(pairs) * at_least))
    return Best(
        tuple(
            Boost(AnyOf(tuple(Term(field, pair) for pair in pairs), wanted), boost / len(pairs))
            for field, boost in fields.items()
        ),
        _TIE,
    )


def _word_clause(word: Word, strictness: int) -> Clause:
    """The ways in which one word may occur; the best of them counts."""
    ways: list[Clause] = [_anywhere(_token(word))]
    if word.parts:
        pieces = tuple(_part_clause(part) for part in word.parts)
        ways.append(Boost(AllOf(pieces), _PARTS / len(pieces)))
        if strictness:
            ways.append(Boost(AnyOf(pieces), _SOME / len(pieces)))
    if word.is_cjk and len(word.text) > 2:
        ways.append(Boost(_pairs_together(word.text), _PAIRS))
        if strictness == 2:
            ways.append(Boost(_pairs_together(word.text, 0.5), _NEAR))
    if not word.is_cjk:
        ways.append(Boost(Term(CODES, word.text), _CODE_BOOST))  # a code, or the beginning of one
    ways.extend(Boost(_synonym_clause(text), _SYNONYM) for text in word.synonyms)
    return ways[0] if len(ways) == 1 else Best(tuple(ways))


def _part_clause(part: str) -> Clause:
    """A part of a word, itself or what may stand for it."""
    token = analysis.stem(part)
    others = (Boost(_synonym_clause(text), _SYNONYM) for text in lexicon().synonyms.get(token, ()))
    ways = (_anywhere(token), *others)
    return ways[0] if len(ways) == 1 else Best(ways)


def _synonym_clause(text: str) -> Clause:
    """One synonym: as a word, and, since the segmenter may not know it, as its characters."""
    pieces = []
    for run, is_cjk in analysis.runs(text):
        whole = _anywhere(run if is_cjk else analysis.stem(run))
        if is_cjk and len(run) > 2:
            whole = Best((whole, Boost(_pairs_together(run), _PAIRS)))
        pieces.append(whole)
    return pieces[0] if len(pieces) == 1 else AllOf(tuple(pieces))
