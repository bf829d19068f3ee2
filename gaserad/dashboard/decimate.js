// Which points of a track must be drawn so that it looks as if all were: of each column of pixels the first, the least,
// the greatest and the last. Pure.

import { BLOCKS } from "./samples.js";

/**
 * Writes places of `track` into `out` (an Int32Array, four for each column of pixels) and returns how many.
 * `scale` is { start, perPixel } in ms; the places are those in [from, to).
 */
export function decimate(track, times, values, gas, from, to, scale, width, out) {
  if (to <= from) return 0;
  // The largest blocks of which there is still at least one for each pixel.
  const size = BLOCKS.findLast((one) => (to - from) / one >= width);
  if (!size) return points(track.rows, times, values, from, to, scale, out);
  return blocks(track.rows, track.blocks(gas, values, size), times, values, from, to, scale, out);
}

function points(rows, times, values, from, to, { start, perPixel }, out) {
  let count = 0;
  let column = NaN;
  let [first, least, greatest, last] = [-1, -1, -1, -1];
  let [low, high] = [0, 0];
  for (let at = from; at < to; at += 1) {
    const row = rows[at];
    const value = values[row];
    if (value !== value) continue; // NaN
    const here = Math.floor((times[row] - start) / perPixel);
    if (here !== column) {
      if (first >= 0) count = put(out, count, first, least, greatest, last);
      column = here;
      first = least = greatest = at;
      low = high = value;
    } else if (value < low) {
      low = value;
      least = at;
    } else if (value > high) {
      high = value;
      greatest = at;
    }
    last = at;
  }
  return first < 0 ? count : put(out, count, first, least, greatest, last);
}

function blocks(rows, known, times, values, from, to, { start, perPixel }, out) {
  let count = 0;
  let column = NaN;
  let [least, greatest] = [-1, -1];
  const end = Math.ceil(to / known.size);
  for (let block = Math.floor(from / known.size); block < end; block += 1) {
    const [low, high] = [known.least[block], known.greatest[block]];
    if (low < 0) continue;
    const here = Math.floor((times[rows[low]] - start) / perPixel);
    if (here !== column) {
      if (least >= 0) count = put(out, count, Math.min(least, greatest), least, greatest, Math.max(least, greatest));
      column = here;
      least = low;
      greatest = high;
      continue;
    }
    if (values[rows[low]] < values[rows[least]]) least = low;
    if (values[rows[high]] > values[rows[greatest]]) greatest = high;
  }
  return least < 0 ? count : put(out, count, Math.min(least, greatest), least, greatest, Math.max(least, greatest));
}

/** In the order of time, none twice. */
function put(out, count, first, least, greatest, last) {
  const [one, two] = least < greatest ? [least, greatest] : [greatest, least];
  out[count++] = first;
  if (one !== first) out[count++] = one;
  if (two !== one && two !== first) out[count++] = two;
  if (last !== two && last !== one && last !== first) out[count++] = last;
  return count;
}
