// Pointer, wheel and keys on the chart -> what is to be done with the view. It knows positions, no data.
//
// Drag: a box to zoom into. Shift, the middle button or one finger: pan. Wheel or two fingers: zoom. Double click: all.

const LEAST = 6; // pixels that make a drag

/** `to` has zoom(x, factor), pan(pixels), box(from, to), boxing(from, to or null), reset(), hover(x, y or null), step(n), follow(). */
export function listen(element, to) {
  const down = new Map();
  let drag = null;
  let apart = 0;
  const place = (event) => {
    const { left, top } = element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };

  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (sideways) to.pan(event.deltaX || event.deltaY);
    else to.zoom(place(event).x, Math.exp(Math.max(Math.min(event.deltaY, 240), -240) * 0.0025));
  }, { passive: false });

  element.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    element.setPointerCapture(event.pointerId);
    const at = place(event);
    down.set(event.pointerId, at);
    const pans = event.shiftKey || event.button === 1 || event.pointerType === "touch";
    drag = down.size === 1 ? { from: at, last: at, pans, moved: false } : null;
    apart = spread(down);
    to.boxing(null);
  });

  element.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (!down.has(event.pointerId)) return event.pointerType === "mouse" ? to.hover(at.x, at.y) : undefined;
    down.set(event.pointerId, at);
    if (down.size === 2) {
      const now = spread(down);
      if (apart > 0 && now > 0) to.zoom(middle(down), apart / now);
      apart = now;
      return undefined;
    }
    if (!drag) return undefined;
    drag.moved ||= Math.hypot(at.x - drag.from.x, at.y - drag.from.y) >= LEAST;
    if (drag.moved && drag.pans) to.pan(drag.last.x - at.x);
    else if (drag.moved) to.boxing(drag.from, at);
    drag.last = at;
    return undefined;
  });

  const up = (event) => {
    if (!down.delete(event.pointerId) || !drag) return;
    const at = place(event);
    to.boxing(null);
    if (event.type === "pointerup" && drag.moved && !drag.pans) to.box(drag.from, at);
    else if (!drag.moved) to.hover(at.x, at.y);
    drag = null;
  };
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  element.addEventListener("pointerleave", () => !down.size && to.hover(null));
  element.addEventListener("dblclick", () => to.reset());

  const keys = {
    "+": () => to.zoom(null, 0.7), "=": () => to.zoom(null, 0.7), "-": () => to.zoom(null, 1 / 0.7), "_": () => to.zoom(null, 1 / 0.7),
    ArrowLeft: () => to.pan(-80), ArrowRight: () => to.pan(80), ",": () => to.step(-1), ".": () => to.step(1),
    0: () => to.reset(), Home: () => to.reset(), End: () => to.follow(), Escape: () => to.hover(null),
  };
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

function spread(down) {
  if (down.size !== 2) return 0;
  const [a, b] = [...down.values()];
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function middle(down) {
  const [a, b] = [...down.values()];
  return (a.x + b.x) / 2;
}
