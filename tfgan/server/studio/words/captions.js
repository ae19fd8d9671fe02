// Captions in English: which things, how many of each, and where they are to each other.
//
// "two cats and a house under a sun" has three things, and the first two are under the third.
// Where English leaves open what a relation is about, the reading is that which makes the others
// true as well. The package's tfgan/words/captions.py has the same rules.

import {plain, told} from './lexicon.js';

const NUMBERS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const COUNTS = new Map([
  ...NUMBERS.map((word, i) => [word, i + 1]),
  ...NUMBERS.map((_, i) => [String(i + 1), i + 1]),
  ...Object.entries({a: 1, an: 1, another: 1, 'a pair of': 2, 'a couple of': 2, both: 2}),
  ...Object.entries({'a few': 3, several: 3, 'a single': 1}),
]);
const SOME = 3; // of things in the plural that nobody counted
const TOO_MANY = ['zero', 'no', 'ten', 'eleven', 'twelve', 'a dozen', 'many', 'countless'];
TOO_MANY.push('a hundred');
const COUNTED = new Set([...COUNTS.keys(), ...TOO_MANY]);
const RELATIONS = {
  left: 'left of|to the left of|on the left of|at the left of|on the left side of',
  right: 'right of|to the right of|on the right of|at the right of|on the right side of',
  above: 'above|over|on top of|atop|on',
  under: 'under|below|beneath|underneath',
  between: 'between|in between',
  front: 'in front of',
  behind: 'behind|in back of|at the back of',
  beside: 'beside|next to|near|near to|close to|by|alongside|at the side of|by the side of',
};
const PHRASES = new Map(
  Object.entries(RELATIONS).flatMap(([name, phrases]) =>
    phrases.split('|').map((phrase) => [phrase, name]),
  ),
);
// A relation of these to several things may as well be one to each of them.
const SHARED = new Set(['left', 'right', 'above', 'under']);
const JOINED = new Set(['and', '&', 'plus']);
const WITH = new Set(['with', 'while', 'but']);
const JOINERS = ['comma', 'and', 'with']; // the strongest last
const PRONOUNS = new Set(['it', 'them', 'him', 'her']);
// What says that a thing is there, and no more.
const SILENT = new Set([
  ...['there', 'is', 'are', 'was', 'were', 'be', 'being', 'that', 'which', 'who', 'all', 'of'],
  ...['stands', 'stand', 'standing', 'sits', 'sit', 'sitting', 'lies', 'lie', 'lying', 'rests'],
  ...['resting', 'located', 'placed', 'shown', 'directly', 'just'],
]);
const UNSAID = new Set([
  ...['in', 'inside', 'into', 'at', 'through', 'against', 'around', 'from', 'to', 'onto', 'off'],
]);
const DETERMINERS = new Set(['the', 'some', 'these', 'those', 'this']);
const LONGEST = 5; // words of a phrase
const MOST_LETTERS = 1000; // of a caption
const ALIKE = new Set(['fish', 'sheep', 'deer', 'moose', 'shrimp', 'salmon', 'trout']);
// Things that an artist puts in the sky.
const SKY = ['sun', 'moon', 'star', 'planet', 'comet', 'cloud', 'aircraft', 'rainbow', 'balloon'];
SKY.push('kite', 'bird', 'lightning');
const GROUNDED = ['penguin', 'chicken', 'duck', 'swan', 'flamingo', 'ostrich', 'turkey', 'peacock'];
GROUNDED.push('owl');

// What a caption says, to be drawn by a model of those classes: {things, relations, refused}.
//
// A thing is {className, count, word, inSky}; a relation {name, of, to}, with things by number,
// `to` a list of one or, for 'between', of two; `refused` has a line for each thing that cannot be
// drawn.
export function parse(text, lexicon, classNames) {
  const found = {things: [], relations: [], refused: [], lexicon, classNames, before: []};
  for (const sentence of text.slice(0, MOST_LETTERS).split(/[.;:!?]/)) {
    relate(partsOf(sentence, found), found);
  }
  return {things: found.things, relations: found.relations, refused: found.refused};
}

// Things and the words between them: parts {kind, value}.

function partsOf(text, found) {
  const words = plain(text).match(/[\p{L}\p{N}_'&]+|,/gu) ?? [];
  const parts = [];
  let at = 0;
  while (at < words.length) {
    const [part, next] = nextPart(words, at, found);
    if (part) parts.push(part);
    at = next;
  }
  return parts;
}

function nextPart(words, at, found) {
  const word = words[at];
  const [phrase, length] = phraseOf(words, at, PHRASES);
  if (phrase && !isClass(word, found)) {
    return [{kind: 'relation', value: PHRASES.get(phrase)}, at + length];
  }
  if (word === ',') return [{kind: 'comma'}, at + 1];
  if (JOINED.has(word)) return [{kind: 'and'}, at + 1];
  if (WITH.has(word)) return [{kind: 'with'}, at + 1];
  if (PRONOUNS.has(word)) return [{kind: 'thing', value: word}, at + 1];
  if (SILENT.has(word)) return [null, at + 1];
  if (UNSAID.has(word)) {
    const known = 'left of, right of, above, under, between, in front of, behind, beside';
    refuse(`${word}: it is none of ${known}`, found);
    return [null, at + 1];
  }
  return thingOf(words, at, found);
}

// The longest of some phrases that begins there, and its length in words.
function phraseOf(words, at, phrases) {
  for (let length = Math.min(LONGEST, words.length - at); length > 0; length -= 1) {
    const phrase = words.slice(at, at + length).join(' ');
    if (phrases.has(phrase)) return [phrase, length];
  }
  return [null, 0];
}

function isClass(word, found) {
  return found.classNames.some((name) => word === plain(name));
}

// Whether no thing's name goes on there.
function ends(words, at, found) {
  if (at >= words.length) return true;
  const word = words[at];
  if (isClass(word, found)) return false;
  const isFixed =
    [JOINED, WITH, PRONOUNS, SILENT, UNSAID].some((each) => each.has(word)) ||
    [',', 'the', 'some'].includes(word);
  return isFixed || phraseOf(words, at, PHRASES)[1] > 0 || counted(words, at)[1] > 0;
}

// How many are told there, and by how many words.
function counted(words, at) {
  const [phrase, length] = phraseOf(words, at, COUNTED);
  if (COUNTS.has(phrase)) return [COUNTS.get(phrase), length];
  const isNumber = at < words.length && /^\p{Nd}+$/u.test(words[at]);
  return [0, length || Number(isNumber)];
}

function thingOf(words, start, found) {
  let at = start;
  let count = null;
  let said = '';
  let determiner = '';
  while (at < words.length) {
    const [number, length] = counted(words, at);
    if (length && !(count && number === 1)) {
      count = number;
      said = words.slice(at, at + length).join(' ');
      at += length;
    } else if (DETERMINERS.has(words[at])) {
      determiner = words[at];
      at += 1;
    } else {
      break;
    }
  }
  const first = at;
  while (!ends(words, at, found)) at += 1;
  if (first === at) {
    refuse(`${words.slice(start, at).join(' ')}: of what?`, found);
    return [null, Math.max(at, start + 1)];
  }
  const name = nameOf(words.slice(first, at), found);
  if (count === 0) refuse(`${said}: from one to nine of a thing are drawn`, found);
  const meaning = found.lexicon.meaning(name, found.classNames);
  if (!('known' in meaning)) refuse(told(meaning), found);
  if (!('known' in meaning) || count === 0) return [{kind: 'thing', value: null}, at];
  return [{kind: 'thing', value: numberOf(meaning, count, determiner, found)}, at];
}

// The words that name a thing; what else is said of it is refused.
function nameOf(words, found) {
  const {lexicon, classNames} = found;
  for (let first = 0; first < words.length; first += 1) {
    const name = words.slice(first).join(' ');
    const rest = words.slice(first, -1);
    const isKnown = lexicon.has(name) || lexicon.sameText(name, classNames) !== null;
    const isMadeOfThings = rest.length > 0 && rest.every((word) => lexicon.isThing(word));
    if (isKnown || isMadeOfThings || first === words.length - 1) {
      for (const word of words.slice(0, first)) {
        refuse(`${word}: only things, how many and where are drawn; leave it out`, found);
      }
      return name;
    }
  }
  return '';
}

// The number of a thing, of an earlier one if the caption means that.
function numberOf(meaning, count, determiner, found) {
  const {things, lexicon} = found;
  const {known: className, word} = meaning;
  if (determiner === 'the' && count === null) {
    const earlier = things.findLastIndex((thing) => thing.className === className);
    if (earlier >= 0) return earlier;
  }
  const isIn = (kinds) => 'known' in lexicon.meaning(word, kinds);
  const number = count ?? (isSeveral(word, className, determiner, lexicon) ? SOME : 1);
  things.push({className, count: number, word, inSky: isIn(SKY) && !isIn(GROUNDED)});
  return things.length - 1;
}

// Whether a word means several drawings: one drawing of `mountains` has them all.
function isSeveral(word, className, determiner, lexicon) {
  if (lexicon.isPlural(plain(className))) return false;
  return lexicon.isPlural(word) || (determiner === 'some' && ALIKE.has(word));
}

function refuse(line, found) {
  if (!found.refused.includes(line)) found.refused.push(line);
}

// What the relations of a sentence are about. It is lists of things with a relation between each
// and the next; an item of a list is {value, joiner}, and its value as a part's.

function relate(parts, found) {
  const lists = [[]];
  let names = [];
  let joiner = '';
  for (const {kind, value} of parts) {
    if (kind === 'thing') lists.at(-1).push({value, joiner});
    if (kind === 'relation') {
      names.push([value, joiner]);
      lists.push([]);
    }
    joiner = JOINERS.includes(kind) ? stronger(joiner, kind) : '';
  }
  for (let number = names.length - 1; number > 0; number -= 1) {
    if (names[number][1] === 'and' && !lists[number].length) {
      lists[number] = lists[number + 1].slice(0, 1); // above and left of a house
    }
  }
  let [first, ...others] = lists;
  if (!first.length && names.length) [first, others, names] = turned(others, names, found);
  let subjects = subjectsOf(first, found);
  let related = subjects;
  names.forEach(([name, joined], number) => {
    const isEnd = number + 1 === names.length || Boolean(names[number + 1][1]);
    const [direct, rest] = split(others[number], name, isEnd, found);
    let [of, objects] = objectsOf(name, direct, subjects, related, found);
    if (SHARED.has(name) && !joined && of === subjects) of = related;
    connect(name, of, objects, found);
    related = [...new Set([...related, ...objects])];
    if (rest.length) {
      pass(related, found);
      subjects = subjectsOf(rest, found);
      related = subjects;
    }
  });
  pass(related, found);
}

// A sentence that begins with a relation: under a sun, two cats are left of a house.
function turned([items, ...others], [[name], ...names], found) {
  let size = items.findIndex((item, i) => i && item.joiner !== 'and');
  if (size < 0) size = Math.min(1, items.length);
  const subjects = items.slice(size);
  const [, objects] = objectsOf(name, items.slice(0, size), [], [], found);
  const numbers = numbersOf(subjects);
  connect(name, numbers.length ? numbers : found.before, objects, found);
  pass(objects, found);
  return [subjects, others, names];
}

// The things of a list that a relation after it is about; the others are told before.
// They are the last, those joined to it by and, and all of a list such as: one, two and three.
function subjectsOf(items, found) {
  let start = items.length - 1;
  while (start > 0 && items[start].joiner === 'and') start -= 1;
  const isList = items.slice(1, start + 1).every((item) => item.joiner !== 'and');
  if (start < items.length - 1 && isList) {
    while (start > 0 && items[start].joiner === 'comma') start -= 1;
  }
  start = Math.max(start, 0);
  pass(numbersOf(items.slice(0, start)), found);
  return numbersOf(items.slice(start));
}

// These things were told of, and an it may mean the last of them.
function pass(numbers, found) {
  found.before = [...found.before.filter((each) => !numbers.includes(each)), ...numbers];
}

// The things that a relation leads to, and those of a new clause.
// The relation may lead to several if the sentence ends with them.
function split(items, name, isEnd, found) {
  if (!items.length || items[0].joiner) return [[], items];
  let size = 1;
  if (name === 'between' && isOne(items[0].value, found)) {
    size = items[1]?.joiner === 'and' ? 2 : 1;
  }
  while (SHARED.has(name) && isEnd && items[size]?.joiner === 'and') size += 1;
  return [items.slice(0, size), items.slice(size)];
}

function isOne(value, found) {
  return !Number.isInteger(value) || found.things[value].count === 1;
}

// What a relation is about and leads to, by number; a pronoun may divide the subjects.
function objectsOf(name, items, subjects, related, found) {
  const pronoun = items.find((item) => typeof item.value === 'string')?.value;
  if (items.length && !pronoun) {
    const objects = numbersOf(items);
    const known = objects.length === items.length ? objects : [];
    const last = subjects.findLastIndex((each) => known.includes(each));
    return [last < 0 ? subjects : subjects.slice(last + 1), known];
  }
  let about = subjects;
  let others = [...found.before, ...related].filter((each) => !subjects.includes(each));
  if (!others.length && subjects.length > 1) {
    [about, others] = [subjects.slice(-1), subjects.slice(0, -1)];
  }
  if (!others.length) refuse(`${pronoun ?? RELATIONS[name].split('|')[0]}: of what?`, found);
  const isAll = pronoun === 'them' || (!pronoun && SHARED.has(name));
  return [about, isAll ? others : others.slice(-1)];
}

function connect(name, subjects, objects, found) {
  if (name === 'between' && objects.length === 1 && isOne(objects[0], found)) {
    refuse('between: of which two things?', found);
    return;
  }
  for (const of of objects.length ? subjects : []) {
    for (const to of name === 'between' ? [objects] : objects.map((each) => [each])) {
      const isNew = found.relations.every(
        (each) => each.name !== name || each.of !== of || String(each.to) !== String(to),
      );
      if (!to.includes(of) && isNew) found.relations.push({name, of, to: [...to]});
    }
  }
}

function numbersOf(items) {
  return [...new Set(items.map((item) => item.value).filter(Number.isInteger))];
}

// Two words that join as one: a comma before an and says no more.
function stronger(joiner, kind) {
  return JOINERS.indexOf(joiner) > JOINERS.indexOf(kind) ? joiner : kind;
}
