// A sheet of pixels for what is too much to be drawn shape by shape: written here, laid on a canvas in one piece.
//
// It knows whole pixels of the screen and colors, nothing of what they stand for.

const LITTLE = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
const inks = new Map();
let palette;

/** A color of the style sheet as the number that stands for it in a sheet, `opacity` of it. */
function ink(color, opacity) {
  const key = `${color}/${opacity}`;
  let known = inks.get(key);
  if (known === undefined) {
    palette ??= canvas(1, 1);
    palette.clearRect(0, 0, 1, 1);
    palette.fillStyle = color;
    palette.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = palette.getImageData(0, 0, 1, 1).data;
    const seen = Math.round(alpha * opacity);
    known = (LITTLE ? (seen << 24) | (blue << 16) | (green << 8) | red : (red << 24) | (green << 16) | (blue << 8) | seen) >>> 0;
    inks.set(key, known);
  }
  return known;
}

function canvas(width, height) {
  const made = document.createElement("canvas");
  [made.width, made.height] = [width, height];
  return made.getContext("2d", { willReadFrequently: true });
}

export class Sheet {
  #width = 0;
  #height = 0;
  #ink = 0;
  #used = false;

  /** A clean sheet for the area of `ctx` whose corner is at (left, top), all in the units of `ctx`. */
  begin(ctx, left, top, width, height) {
    const { a: ratio } = ctx.getTransform();
    this.ratio = ratio;
    this.side = Math.max(Math.round(ratio), 1);
    [this.left, this.top] = [Math.round(left * ratio), Math.round(top * ratio)];
    const [wide, high] = [Math.max(Math.round(width * ratio), 1), Math.max(Math.round(height * ratio), 1)];
    if (wide !== this.#width || high !== this.#height) {
      [this.#width, this.#height] = [wide, high];
      this.canvas = canvas(wide, high);
      this.image = this.canvas.createImageData(wide, high);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
  }

  pen(color, opacity) {
    this.#ink = ink(color, opacity);
  }

  /** From `top` to `bottom` at `x`, one unit wide; what is beyond the sheet is not drawn. */
  column(x, top, bottom) {
    const { ratio, side, pixels } = this;
    const width = this.#width;
    const from = Math.max(Math.round(top * ratio) - this.top, 0);
    const to = Math.min(Math.max(Math.round(bottom * ratio), Math.round(top * ratio) + side) - this.top, this.#height);
    const first = Math.max(Math.round(x * ratio) - this.left, 0);
    const last = Math.min(Math.round(x * ratio) - this.left + side, width);
    for (let row = from; row < to; row += 1) {
      for (let at = row * width + first, end = row * width + last; at < end; at += 1) pixels[at] = this.#ink;
    }
    this.#used = true;
  }

  /** Lays what was written on `ctx`, and is clean again. */
  lay(ctx) {
    if (!this.#used) return;
    this.#used = false;
    this.canvas.putImageData(this.image, 0, 0);
    this.pixels.fill(0);
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalAlpha = 1;
    ctx.drawImage(this.canvas.canvas, this.left, this.top);
    ctx.restore();
  }
}
