// What a typed word is: one of the kinds that a model draws, or none of them and why.
//
// What a thing is decides: a word is known if it is a kind's name, a synonym of it or one of its
// kind in WordNet. The nearness of word vectors only ranks the kinds for a refusal. The package's
// tfgan/words/lexicon.py has the same rules.

const ZERO = '?'.charCodeAt(0); // the letter of zero in the file's vectors
const TENTHS = 9; // The weights of a word's meanings are whole numbers up to it.
const LEAST_MEANT = 0.25; // so much of a word's meanings has to be of a kind
const MOST_CHAIN = 4; // words that tell what a thing is

// A word or name in small letters with single spaces.
export function plain(text) {
  return text
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[_\-\s]+/g, ' ')
    .trim();
}

// The lexicon of a file's bytes, as the package has it.
export async function openLexicon(bytes) {
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Lexicon(JSON.parse(await new Response(unpacked).text()));
}

// English nouns: their meanings, what each is, and vectors of the most frequent.
export class Lexicon {
  constructor(content) {
    this.licence = content.licence;
    this.names = content.words.split(' ').map((word) => word.replaceAll('_', ' '));
    this.words = new Map();
    this.together = new Map();
    this.names.forEach((word, number) => {
      if (!this.words.has(plain(word))) this.words.set(plain(word), number);
    });
    for (const [word, number] of this.words) this.together.set(word.replaceAll(' ', ''), number);
    this.compounds = new Set(content.compounds.split(' ').map(plain));
    this.plurals = content.plurals;
    this.meanings = sensesOf(content.senses);
    this.vectors = content.vectors;
    this.dimensions = content.dimensions;
    this.parents = content.parents
      .split(' ')
      .map((steps, number) => (steps ? steps.split(',').map((step) => number - step) : []));
    this.titles = new Map();
    this.meanings.forEach((senses, number) => {
      for (const sense of senses.keys()) {
        if (!this.titles.has(sense)) this.titles.set(sense, number);
      }
    });
  }

  // What a word may be the plural of, the likeliest first; none where it is none.
  singulars(word) {
    const cut = word.lastIndexOf(' ') + 1;
    const start = word.slice(0, cut);
    const last = word.slice(cut);
    if (Object.hasOwn(this.plurals, last)) return [start + this.plurals[last]];
    const found = [];
    if (last.endsWith('ies') && last.length > 4) found.push(`${last.slice(0, -3)}y`);
    if (/(s|x|z|ch|sh|o)es$/.test(last)) found.push(last.slice(0, -2));
    if (/s$/.test(last) && !/(ss|us|is)$/.test(last) && last.length > 3) {
      found.push(last.slice(0, -1));
    }
    return found.map((each) => start + each);
  }

  // The meanings of a word that can be drawn, with their weights; none if it is not known.
  // A word that is not listed is what its last word is: a palm tree is a tree.
  senses(word) {
    const number = this.number(word);
    if (number === null && word.includes(' ')) {
      return this.senses(word.slice(word.lastIndexOf(' ') + 1));
    }
    return number === null ? new Map() : this.meanings[number];
  }

  // Whether most of what a word means can be drawn.
  isThing(word) {
    return sum(this.senses(word).values()) > TENTHS / 2;
  }

  // Whether a word is the plural of a listed one, or of a name's last word.
  isPlural(word) {
    const last = word.slice(word.lastIndexOf(' ') + 1);
    if (Object.hasOwn(this.plurals, last)) return true;
    return !this.words.has(last) && this.singulars(last).some((each) => this.words.has(each));
  }

  // The number of a word, or of one that it is the plural of.
  number(word) {
    for (const each of [word, ...this.singulars(word)]) {
      const number = this.words.get(each) ?? this.together.get(each.replaceAll(' ', ''));
      if (number !== undefined) return number;
    }
    return null;
  }

  // Whether a word, or that of which it is the plural, is listed.
  has(word) {
    const asked = plain(word);
    const forms = [asked, ...this.singulars(asked)];
    return this.number(asked) !== null || forms.some((each) => this.compounds.has(each));
  }

  // The shortest way up from a meaning to one of some others, both included, or null.
  path(sense, kinds) {
    const ways = [[sense]];
    const seen = new Set([sense]);
    for (const way of ways) {
      const last = way.at(-1);
      if (kinds.has(last)) return way;
      for (const parent of this.parents[last]) {
        if (!seen.has(parent)) {
          seen.add(parent);
          ways.push([...way, parent]);
        }
      }
    }
    return null;
  }

  // The vector of a word, or the sum of those of its parts, of length 1; or null.
  vector(word) {
    const number = this.number(word);
    const start = number * this.dimensions;
    let vector;
    if (number === null || start >= this.vectors.length) {
      if (!word.includes(' ')) return null;
      const parts = word.split(' ').map((part) => this.vector(part));
      if (parts.includes(null)) return null;
      vector = parts[0].map((_, i) => parts.reduce((sum, part) => sum + part[i], 0));
    } else {
      const letters = this.vectors.slice(start, start + this.dimensions);
      vector = [...letters].map((letter) => letter.charCodeAt(0) - ZERO);
    }
    const length = Math.sqrt(vector.reduce((sum, each) => sum + each * each, 0)) || 1;
    return vector.map((each) => each / length);
  }

  // What a word is among the classes of a model: {word, known, chain}, or
  // {word, refused, nearest, likeness, chain}. The chain tells what the word is, itself first.
  meaning(word, classNames) {
    const asked = plain(word);
    const same = this.sameText(asked, classNames);
    if (same !== null) return {word: asked, known: same, chain: [asked]};
    let best = null;
    for (const name of classNames) {
      const [share, way] = this.share(asked, plain(name));
      const isBetter =
        !best || share > best.share || (share === best.share && way.length < best.way.length);
      if (share >= LEAST_MEANT && isBetter) best = {share, way, name};
    }
    if (!best) return this.refusal(asked, classNames);
    const titles = best.way.slice(1, -1).map((sense) => this.names[this.titles.get(sense)]);
    const chain = [asked, ...titles.slice(0, MOST_CHAIN), best.name];
    return {word: asked, known: best.name, chain};
  }

  // The class whose name a word is, in the singular or plural, with spaces or without; or null.
  sameText(asked, classNames) {
    const forms = this.forms(asked);
    return (
      classNames.find((name) => asked === plain(name)) ??
      classNames.find((name) => [...this.forms(plain(name))].some((each) => forms.has(each))) ??
      null
    );
  }

  forms(word) {
    return new Set([word, ...this.singulars(word)].map((each) => each.replaceAll(' ', '')));
  }

  // How much of a word's meanings is of a kind, and the way to it from the foremost.
  share(word, name) {
    const kinds = new Set(this.senses(name).keys());
    let share = 0;
    let total = 0;
    let shortest = [];
    for (const [sense, weight] of this.senses(word)) {
      total += weight;
      const way = this.path(sense, kinds);
      if (way) {
        share += weight;
        if (!shortest.length) shortest = way;
      }
    }
    return [share / (total || 1), shortest];
  }

  refusal(asked, classNames) {
    const own = this.vector(asked);
    let nearest = null;
    let likeness = null;
    for (const name of own ? classNames : []) {
      const other = this.vector(plain(name));
      if (!other) continue;
      const each = own.reduce((sum, value, i) => sum + value * other[i], 0);
      if (likeness === null || each > likeness) [likeness, nearest] = [each, name];
    }
    const chain = [asked];
    let sense = this.senses(asked).keys().next().value;
    while (sense !== undefined && chain.length < MOST_CHAIN) {
      const title = this.names[this.titles.get(sense)];
      if (!chain.includes(title)) chain.push(title);
      [sense] = this.parents[sense];
    }
    return {word: asked, refused: asked, nearest, likeness, chain};
  }
}

function sum(numbers) {
  let total = 0;
  for (const each of numbers) total += each;
  return total;
}

// Each word's meanings with their weights, which the file tells as steps from the one before.
function sensesOf(text) {
  let before = 0;
  return text.split(' ').map((word) => {
    const senses = new Map();
    let number = before;
    for (const each of word ? word.split(',') : []) {
      const [step, weight] = each.split(':');
      number += Number(step);
      senses.set(number, Number(weight ?? TENTHS));
    }
    before = senses.keys().next().value ?? before;
    return senses;
  });
}

// A meaning as a person reads it: dog: it is no cat, which is nearest, .88
export function told(meaning) {
  const rest = meaning.chain.slice(1).join(', ');
  if (meaning.known) return rest ? `${meaning.word}: ${rest}` : meaning.word;
  if (meaning.nearest === null) return `${meaning.word}: it is no word that is known`;
  const near = meaning.likeness.toFixed(2).replace('0.', '.');
  const what = rest ? ` (${rest})` : '';
  return `${meaning.word}${what}: it is no ${meaning.nearest}, which is nearest, ${near}`;
}
