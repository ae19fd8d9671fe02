// Latents and labels as pure functions of seeds: the very numbers of tfgan/latents.py.

const GOLDEN = 0x9e3779b97f4a7c15n; // 2^64 / golden ratio, the increment of splitmix64
const LEVELS = 1 << 16;
const MIDDLE = (LEVELS - 1) / 2;
const LEAST_COSINE_GAP = 1e-4; // parallel or opposite latents have no one way between them

// Coefficients of algorithm AS 241 (Wichura 1988), as Python's statistics.NormalDist has them.
const MIDDLE_OVER = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
  1971.5909503065513, 133.14166789178438, 3.3871328727963665,
];
const MIDDLE_UNDER = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
  687.1870074920579, 42.31333070160091, 1,
];
const TAIL_OVER = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
  3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835,
];
const TAIL_UNDER = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
  0.6897673349851, 1.6763848301838038, 2.053191626637759, 1,
];
function polynomial(coefficients, x) {
  let value = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) value = value * x + coefficients[i];
  return value;
}

// The normal quantile at a level in (0, 1) that is no further than 1e-10 from an end.
function quantile(level) {
  const q = level - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (polynomial(MIDDLE_OVER, r) * q) / polynomial(MIDDLE_UNDER, r);
  }
  const r = Math.sqrt(-Math.log(q <= 0 ? level : 1 - level)) - 1.6;
  const x = polynomial(TAIL_OVER, r) / polynomial(TAIL_UNDER, r);
  return q < 0 ? -x : x;
}

let table = null;

// The normal distribution's quantiles at (i + 1/2) / 65,536: a Float32Array.
export function quantiles() {
  if (!table) {
    table = new Float32Array(LEVELS);
    for (let i = 0; i < LEVELS; i++) table[i] = quantile((i + 0.5) / LEVELS);
  }
  return table;
}

const u64 = (value) => BigInt.asUintN(64, value);

// The finaliser of splitmix64 (Steele, Lea and Flood 2014): uint64 to well-mixed uint64.
function mix(bits) {
  bits = u64((bits ^ (bits >> 30n)) * 0xbf58476d1ce4e5b9n);
  bits = u64((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn);
  return bits ^ (bits >> 31n);
}

function hash(seed, counter) {
  return mix(u64(mix(u64(seed * GOLDEN)) + (counter + 1n) * GOLDEN));
}

// A new seed, a BigInt of 64 bits with a sign, from a seed and a counter.
export function fold(seed, counter) {
  return BigInt.asIntN(64, hash(seed, BigInt(counter)));
}

// Latents of a seed: a Float32Array. A truncation below 1 takes the middle share of the normal
// distribution only.
export function normal(seed, size, truncation = 1) {
  const found = new Float32Array(size);
  const numbers = quantiles();
  const share = truncation > 0 ? Math.fround(Math.min(truncation, 1)) : 0; // 0 for NaN
  const start = mix(u64(seed * GOLDEN));
  for (let i = 0, step = GOLDEN; i < size; step += GOLDEN) {
    let bits = mix(u64(start + step));
    for (let end = Math.min(i + 4, size); i < end; i++, bits >>= 16n) {
      found[i] = numbers[towardsMiddle(Number(bits & 0xffffn), share)];
    }
  }
  return found;
}

// In float32 throughout, as TensorFlow has it.
function towardsMiddle(index, share) {
  if (share === 1) return index;
  const moved = Math.fround(Math.fround(index - MIDDLE) * share);
  return Math.floor(Math.fround(Math.fround(moved + MIDDLE) + 0.5));
}

// A number in [0, 1) of a seed, independent of its latents.
export function uniform(seed) {
  return Number(hash(seed, -2n) >> 40n) * 2 ** -24;
}

// The label of a seed: an index, as frequent as the counts of the classes.
export function classes(seed, counts) {
  const whole = counts.reduce((sum, count) => sum + count, 0);
  const last = counts.findLastIndex((count) => count > 0);
  const u = uniform(seed);
  for (let label = 0, upper = 0; label < last; label++) {
    upper += counts[label] / whole;
    if (u < Math.fround(upper)) return label;
  }
  return last;
}

function length(latents) {
  return Math.sqrt(latents.reduce((sum, each) => sum + each * each, 0));
}

// The point at a share of the way from latents to latents, along the sphere.
export function slerp(first, second, share) {
  const cosine = first.reduce((sum, each, i) => sum + each * second[i], 0);
  const most = 1 - LEAST_COSINE_GAP;
  const unit = cosine / Math.max(length(first) * length(second), 1e-12);
  const angle = Math.acos(Math.max(-most, Math.min(most, unit)));
  const [a, b] = [Math.sin((1 - share) * angle), Math.sin(share * angle)];
  return first.map((each, i) => (a * each + b * second[i]) / Math.sin(angle));
}

// Latents at a distance from others: at 0 they are those, at 1 any. One seed is the same ones.
export function varied(latents, distance, seed) {
  const others = normal(seed, latents.length);
  const [near, far] = [Math.cos((distance * Math.PI) / 2), Math.sin((distance * Math.PI) / 2)];
  return latents.map((each, i) => near * each + far * others[i]);
}

// Latents between several ones by their shares, about as long as those are.
export function mixed(all, shares) {
  const scale = 1 / Math.sqrt(shares.reduce((sum, share) => sum + share * share, 0));
  return all[0].map((_, i) => scale * all.reduce((sum, each, j) => sum + shares[j] * each[i], 0));
}
