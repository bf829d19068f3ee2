// How the means of visits change with time: for each channel and gas a straight line. Pure.

const DAY = 86400000;
const FEWEST = 3; // visits that make a line

/** observations as of GET /runs/{id}/visits -> [{ channel, visits, gases: { key: { mean, perDay, percentPerDay } } }] */
export function drift(observations, gasKey) {
  const channels = new Map();
  for (const visit of observations) {
    const gases = channels.get(visit.channel) ?? channels.set(visit.channel, new Map()).get(visit.channel);
    const time = Date.parse(visit.arrived_utc) / DAY;
    for (const gas of visit.gases) {
      const key = gasKey(gas);
      if (!gases.has(key)) gases.set(key, []);
      gases.get(key).push([time, gas.mean]);
    }
  }
  const rows = [];
  for (const [channel, gases] of [...channels].sort(([a], [b]) => a - b)) {
    const told = {};
    let visits = 0;
    for (const [key, points] of gases) {
      visits = Math.max(visits, points.length);
      if (points.length >= FEWEST) told[key] = line(points);
    }
    if (Object.keys(told).length) rows.push({ channel, visits, gases: told });
  }
  return rows;
}

/** By least squares. */
function line(points) {
  const count = points.length;
  const time = points.reduce((sum, [at]) => sum + at, 0) / count;
  const mean = points.reduce((sum, [, value]) => sum + value, 0) / count;
  let [above, below] = [0, 0];
  for (const [at, value] of points) {
    above += (at - time) * (value - mean);
    below += (at - time) ** 2;
  }
  const perDay = below > 0 ? above / below : 0;
  return { mean, perDay, percentPerDay: mean === 0 ? null : (perDay / Math.abs(mean)) * 100 };
}
