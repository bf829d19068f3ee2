// Draws the chart: a panel for each gas, one time axis, a line for each channel, a lane that shows the visits.
//
// It draws what it is given on whatever canvas it is given, on the screen or for a file; it keeps nothing between two
// drawings but buffers, and knows nothing of pointers.

import { Sheet } from "./pixels.js";
import { decimate } from "./decimate.js";
import { tickLabel, ticks, timeLabel, timeTicks } from "./scale.js";

/** What is around the panels, for writing of 11 pixels; on a wall all of it is larger. */
const EDGE = { left: 62, right: 12, top: 20, bottom: 22, gap: 8, lane: 14 };
let buffer = new Int32Array(16384);
const sheet = new Sheet();

/** The edges for writing of the theme's size. */
export function edges({ size }) {
  const scale = Math.max(size / 11, 1);
  return Object.fromEntries(Object.entries(EDGE).map(([name, pixels]) => [name, Math.round(pixels * scale)]));
}

/**
 * scene: { samples, gases: [{ key, symbol, color }], channels: Set, inOrder: [Track] or null, start, end, width, height,
 *          theme, channelColor(channel), fixed: Map of gas -> [low, high], visits, highlight }
 * Returns { panels: [{ gas, top, height, low, high }], left, right, drawn } for whoever wants to know what is where.
 */
export function draw(ctx, scene) {
  const steps = drawing(ctx, scene);
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
  }
}

/** The same in steps, a panel in each, for when all at once would take too long. */
export function* drawing(ctx, scene) {
  const { width, height, theme, gases } = scene;
  ctx.clearRect(0, 0, width, height);
  ctx.fillStyle = theme.ground;
  ctx.fillRect(0, 0, width, height);
  ctx.font = theme.font;
  const edge = edges(theme);
  const { left } = edge;
  const right = width - edge.right;
  const scale = { start: scene.start, perPixel: (scene.end - scene.start) / Math.max(right - left, 1) };
  const x = (time) => left + (time - scale.start) / scale.perPixel;
  const bottom = height - edge.bottom;
  drawTime(ctx, scene, left, right, edge.top, bottom, x);
  drawVisits(ctx, scene, edge, right, bottom, x);
  const room = (bottom - edge.top + edge.gap) / Math.max(gases.length, 1);
  const panels = [];
  let drawn = 0;
  for (const [index, gas] of gases.entries()) {
    if (index) yield;
    const top = edge.top + index * room;
    const panel = { gas: gas.key, top, height: room - edge.gap, low: 0, high: 1 };
    const lines = chosen(scene, gas, scale, right - left);
    Object.assign(panel, reach(lines, scene, gas));
    drawn += drawPanel(ctx, scene, gas, panel, lines, { left, right, x });
    panels.push(panel);
  }
  return { panels, left, right, drawn };
}

/** The points to draw of one gas: [{ track, places, dense, color, good }]. */
function chosen(scene, gas, scale, width) {
  const { samples, channels } = scene;
  const values = samples.values.get(gas.key);
  if (!values) return [];
  const lines = [];
  let points = 0;
  const take = (track, color, good, channel) => {
    // One more on either side, so that lines run on beyond the edge.
    const from = Math.max(track.find(samples.time, scene.start) - 1, 0);
    const to = Math.min(track.find(samples.time, scene.end) + 1, track.length);
    if (buffer.length < width * 4 + 64) buffer = new Int32Array(width * 8 + 64);
    const count = decimate(track, samples.time, values, gas.key, from, to, scale, width, buffer);
    if (count) lines.push({ track, places: buffer.slice(0, count), color, good, channel });
    points += count;
  };
  const takeAll = (tracks, ...how) => tracks.forEach((track) => take(track, ...how));
  if (scene.inOrder) takeAll(scene.inOrder, gas.color, true, 0);
  for (const [channel, tracks] of samples.good) {
    if (!scene.inOrder && channels.has(channel)) takeAll(tracks, scene.channelColor(channel), true, channel);
  }
  for (const [channel, tracks] of samples.other) {
    if (channel === 0 || channels.has(channel)) takeAll(tracks, channel ? scene.channelColor(channel) : scene.theme.faint, false, channel);
  }
  // Points are made out only where there is room between them.
  lines.dense = points > width / 2;
  return lines;
}

/** The least and greatest value in sight, with a little room; of what counts if there is any. */
function reach(lines, { samples, fixed, start, end }, gas) {
  const given = fixed.get(gas.key);
  if (given) return { low: given[0], high: given[1] };
  const values = samples.values.get(gas.key);
  for (const good of [true, false]) {
    let [low, high] = [Infinity, -Infinity];
    for (const line of lines) {
      if (line.good !== good) continue;
      for (const place of line.places) {
        const row = line.track.rows[place];
        const value = values[row];
        if (value !== value || samples.time[row] < start || samples.time[row] > end) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (low <= high) {
      const room = (high - low) * 0.08 || Math.abs(high) * 0.02 || 1;
      return { low: low - room, high: high + room };
    }
  }
  return { low: 0, high: 1 };
}

function drawTime(ctx, { start, end, theme }, left, right, top, bottom, x) {
  const { step, at } = timeTicks(start, end, Math.max((right - left) / (theme.size * 8), 2));
  ctx.strokeStyle = theme.grid;
  ctx.fillStyle = theme.muted;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const time of at) {
    const here = Math.round(x(time)) + 0.5;
    ctx.moveTo(here, top);
    ctx.lineTo(here, bottom);
    if (here > left + 14 && here < right - 14) ctx.fillText(timeLabel(time, step), here, bottom + 6);
  }
  ctx.stroke();
}

/** Whose gas was drawn when: a lane of numbers above, a hint of color below it. */
function drawVisits(ctx, scene, { left, top, lane }, right, bottom, x) {
  const { visits, start, end, theme, channels, highlight } = scene;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  let edge = -Infinity;
  for (const visit of visits) {
    const until = visit.to ?? end;
    if (until < start || visit.from > end || !channels.has(visit.channel)) continue;
    const from = Math.max(x(visit.from), left);
    const to = Math.min(x(until), right);
    // More visits than pixels: one for each pixel will do.
    if (to - edge < 1) continue;
    edge = to;
    ctx.fillStyle = scene.channelColor(visit.channel);
    ctx.globalAlpha = highlight === visit.channel ? 0.22 : 0.07;
    if (to - from > 2) ctx.fillRect(from, top, to - from, bottom - top);
    ctx.globalAlpha = 1;
    ctx.fillRect(from, 2, Math.max(to - from - (to - from > 3 ? 1 : 0), 1), to - from > lane + 2 ? lane : lane / 2);
    if (to - from > lane + 2) {
      ctx.fillStyle = theme.onColor;
      ctx.fillText(String(visit.channel), (from + to) / 2, 2 + lane / 2 + 0.5);
    }
  }
}

function drawPanel(ctx, scene, gas, panel, lines, { left, right, x }) {
  const { theme, samples, highlight } = scene;
  const { top, height, low, high } = panel;
  const y = (value) => top + height - ((value - low) / (high - low)) * height;
  const marks = ticks(low, high, Math.max(Math.floor(height / (theme.size * 2)), 3));
  const step = marks.length > 1 ? marks[1] - marks[0] : high - low;
  ctx.strokeStyle = theme.grid;
  ctx.fillStyle = theme.muted;
  ctx.lineWidth = 1;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.beginPath();
  for (const value of marks) {
    const here = Math.round(y(value)) + 0.5;
    ctx.moveTo(left, here);
    ctx.lineTo(right, here);
    if (here > top + 5 && here < top + height - 3) ctx.fillText(tickLabel(value, step), left - 6, here);
  }
  ctx.stroke();
  ctx.strokeStyle = theme.frame;
  ctx.strokeRect(Math.round(left) + 0.5, Math.round(top) + 0.5, Math.round(right - left), Math.round(height));
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, right - left, height);
  ctx.clip();
  const values = samples.values.get(gas.key);
  let drawn = 0;
  sheet.begin(ctx, left, top, right - left, height);
  for (const good of [false, true]) {
    for (const line of lines) {
      if (line.good !== good) continue;
      line.opacity = highlight && line.channel && line.channel !== highlight ? 0.25 : 1;
      ctx.globalAlpha = line.opacity;
      (good ? drawLine : drawRings)(ctx, line, lines.dense, samples.time, values, x, y, right - left);
      drawn += line.places.length;
    }
    sheet.lay(ctx);
  }
  ctx.restore();
  drawTitle(ctx, theme, gas, left, top);
  return drawn;
}

function drawTitle(ctx, theme, gas, left, top) {
  const text = `${gas.symbol}  ppm`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillStyle = theme.ground;
  ctx.globalAlpha = 0.8;
  const { size } = theme;
  ctx.fillRect(left + 4, top + 4, ctx.measureText(text).width + size + 11, size + 5);
  ctx.globalAlpha = 1;
  ctx.fillStyle = gas.color;
  ctx.fillRect(left + 8, top + 6 + size * 0.15, size * 0.7, size * 0.7);
  ctx.fillStyle = theme.text;
  ctx.fillText(text, left + 10 + size, top + 6);
}

function drawLine(ctx, line, dense, times, values, x, y, width) {
  const { track, places, color } = line;
  if (places.length > width) return drawColumns(line, times, values, x, y);
  ctx.strokeStyle = color;
  ctx.lineWidth = dense ? 1 : 1.25;
  ctx.beginPath();
  for (let at = 0; at < places.length; at += 1) {
    const row = track.rows[places[at]];
    if (at) ctx.lineTo(x(times[row]), y(values[row]));
    else ctx.moveTo(x(times[row]), y(values[row]));
  }
  ctx.stroke();
  if (dense) return undefined;
  ctx.fillStyle = color;
  ctx.beginPath();
  for (const place of places) {
    const row = track.rows[place];
    const [px, py] = [x(times[row]), y(values[row])];
    ctx.moveTo(px + 2.2, py);
    ctx.arc(px, py, 2.2, 0, 7);
  }
  ctx.fill();
  return undefined;
}

/** Where each column of pixels has points, from the least to the greatest of them: much faster than a line. */
function drawColumns({ track, places, color, opacity }, times, values, x, y) {
  let column = NaN;
  let [top, bottom, last] = [0, 0, NaN];
  sheet.pen(color, opacity);
  for (const place of places) {
    const row = track.rows[place];
    const here = Math.round(x(times[row]));
    const level = y(values[row]);
    if (here !== column) {
      if (column === column) sheet.column(column, top, bottom);
      column = here;
      // Joined to the column before.
      top = Math.min(level, last === last ? last : level);
      bottom = Math.max(level, last === last ? last : level);
    } else if (level < top) top = level;
    else if (level > bottom) bottom = level;
    last = level;
  }
  if (column === column) sheet.column(column, top, bottom);
}

/** What is kept but does not count is hollow. */
function drawRings(ctx, { track, places, color, opacity }, dense, times, values, x, y) {
  if (dense) {
    sheet.pen(color, opacity);
    for (const place of places) {
      const row = track.rows[place];
      const level = y(values[row]);
      sheet.column(x(times[row]), level, level);
    }
    return;
  }
  ctx.strokeStyle = color;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const place of places) {
    const row = track.rows[place];
    const [px, py] = [x(times[row]), y(values[row])];
    ctx.moveTo(px + 2.6, py);
    ctx.arc(px, py, 2.6, 0, 7);
  }
  ctx.stroke();
}
