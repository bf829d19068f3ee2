// samples.csv -> samples, in pieces as they come; and samples -> a file of what is shown.
//
// RFC 4180 as gaserad writes it. Pure: it fetches nothing and does not know what is drawn.

const QC = ["good", "suspect", "bad"];

/** Reads lines of fields from pieces of text, wherever they are cut. */
export class Fields {
  #rest = "";

  /** The whole lines that `text` completes. */
  push(text) {
    const all = this.#rest + text;
    const lines = [];
    let from = 0;
    let quoted = false;
    for (let at = 0; at < all.length; at += 1) {
      const code = all.charCodeAt(at);
      if (code === 34) quoted = !quoted;
      else if (code === 10 && !quoted) {
        lines.push(split(all.slice(from, all.charCodeAt(at - 1) === 13 ? at - 1 : at)));
        from = at + 1;
      }
    }
    this.#rest = all.slice(from);
    return lines;
  }
}

export function split(line) {
  if (!line.includes('"')) return line.split(",");
  const fields = [];
  let [field, quoted] = ["", false];
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at];
    if (quoted) {
      if (char !== '"') field += char;
      else if (line[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === ",") {
      fields.push(field);
      field = "";
    } else field += char;
  }
  return [...fields, field];
}

/** Says how to read a line under this header: line -> sample. */
export function reader(header) {
  const place = new Map(header.map((name, index) => [name, index]));
  const need = (name) => {
    if (!place.has(name)) throw new Error(`samples.csv has no column ${name}`);
    return place.get(name);
  };
  const [time, seq, channel, repeat, visit] = ["time_unix_s", "seq", "channel", "repeat", "visit_id"].map(need);
  const [discard, qc, flags, attribution] = ["discard", "qc", "qc_flags", "attribution"].map(need);
  const last = place.get("qc");
  const gases = header.map((name, index) => [name, index]).filter(([name, index]) => index > discard && index < last && name.endsWith("_ppm"));
  const number = (field) => (field === "" || field === undefined ? null : Number(field));
  return (line) => {
    const values = {};
    for (const [name, index] of gases) values[name.slice(0, -4)] = number(line[index]);
    return {
      time: Number(line[time]) * 1000, seq: Number(line[seq]), channel: number(line[channel]), repeat: number(line[repeat]),
      visit: number(line[visit]), discard: line[discard] === "1", qc: QC[Number(line[qc])] ?? "bad",
      attribution: line[attribution], flags: line[flags] ? line[flags].split(";") : [], values,
    };
  };
}

/** A field as it is written. A text that a spreadsheet would take for a formula is kept from being one. */
export function quote(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  let text = String(value);
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The header and a line for each of `rows`, in pieces. */
export function* write(samples, rows, gases, label) {
  yield `time_utc,time_unix_s,run_id,seq,repeat,visit_id,channel,channel_label,attribution,discard,${gases.map((gas) => `${gas}_ppm`).join()}${gases.length ? "," : ""}qc,qc_flags\n`;
  for (const row of rows) {
    const sample = samples.at(row);
    const time = new Date(sample.time).toISOString();
    const before = [time, sample.time / 1000, samples.run, sample.seq, sample.repeat, sample.visit, sample.channel, sample.channel ? label(sample.channel) : "", sample.attribution, Number(sample.discard)];
    const fields = [...before, ...gases.map((gas) => sample.value(gas)), QC.indexOf(sample.qc), sample.flags.join(";")];
    yield `${fields.map(quote).join()}\n`;
  }
}
