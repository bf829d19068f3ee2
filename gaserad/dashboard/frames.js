// Text of an event stream -> frames. Pure: it reads nothing and knows nothing of connections.
//
// Follows the rules of text/event-stream: lines end with LF, CR or CRLF, wherever the pieces are cut; a frame ends
// with an empty line; a frame without data is none. What comes before the end of a frame is kept until it is whole.

export class Frames {
  #rest = "";
  #afterCr = false;
  #first = true;
  #type = "";
  #data = [];
  #id;

  /** The frames that `text` completes, and the last `retry` in it. */
  push(text) {
    const out = { frames: [], retry: undefined };
    if (this.#first && text) {
      this.#first = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    // A CRLF may have been cut in two.
    if (this.#afterCr && text) {
      if (text[0] === "\n") text = text.slice(1);
      this.#afterCr = false;
    }
    const all = this.#rest + text;
    let from = 0;
    for (let at = this.#rest.length; at < all.length; at += 1) {
      const code = all.charCodeAt(at);
      if (code !== 10 && code !== 13) continue;
      this.#line(all.slice(from, at), out);
      if (code === 13) {
        if (at + 1 === all.length) this.#afterCr = true;
        else if (all.charCodeAt(at + 1) === 10) at += 1;
      }
      from = at + 1;
    }
    this.#rest = all.slice(from);
    return out;
  }

  #line(line, out) {
    if (line === "") return this.#end(out);
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value[0] === " ") value = value.slice(1);
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d+$/.test(value)) out.retry = Number(value);
    return undefined;
  }

  #end(out) {
    if (this.#data.length) {
      out.frames.push({ type: this.#type || "message", data: this.#data.join("\n"), id: this.#id });
    }
    this.#type = "";
    this.#data = [];
    this.#id = undefined;
  }
}
