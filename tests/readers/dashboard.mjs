// What a GaseraMux dashboard makes of the merged messages: buttons, jars, rings, the clock and the list of results. It is
// the logic of such a page without the page, with the same fallbacks for what a message lacks; each change that somebody
// would see is told as a line of JSON.

// It must not refer to anything around it: a browser is given its text.
export function dashboard(EventSource, url, _names, tell, done) {
  const active = (phase) => ["HOMING", "PAUSED", "MEASURING", "SWITCHING"].includes(phase);
  const subscribers = [];
  const seen = { phase: null, channel: -1, running: false, online: null, timer: false, result: null };
  const show = (what) => tell(JSON.stringify({ shows: what, ...seen }));

  subscribers.push((message) => {
    if (message.connection && message.connection.online !== seen.online) {
      seen.online = message.connection.online;
      show("footer");
    }
    const running = active(message.phase || "IDLE");
    if (running && !seen.timer && message.tt_seconds) {
      seen.timer = true;
      show("timer");
    } else if (!running && seen.timer) {
      seen.timer = false;
      show("no timer");
    }
  });

  subscribers.push((message) => {
    const phase = message.phase ?? "IDLE";
    const [channel, total] = [message.current_channel ?? 0, message.total_steps ?? 0];
    const [before, moved] = [seen.phase, channel !== seen.channel];
    [seen.phase, seen.channel, seen.running] = [phase, channel, active(phase)];
    if (phase !== before) {
      show("phase");
      if (phase === "ABORTED") tell(JSON.stringify({ toast: "aborted", done: message.step_index ?? 0, total }));
      if (before === "SWITCHING" && phase === "IDLE") tell(JSON.stringify({ toast: "complete", done: total, total }));
    } else if (moved) {
      show("channel");
    }
    const rings = [message.percent ?? 0, message.overall_percent ?? 0, message.repeat_index ?? 0, message.repeat_total ?? 0];
    if (!rings.every(Number.isInteger)) tell(JSON.stringify({ broken: message }));
    if (phase === "IDLE" && before !== null && before !== "IDLE") {
      source.close();
      done();
    }
  });

  subscribers.push((message) => {
    const live = message.live_data;
    if (!live?.components || live.timestamp === seen.result) return;
    seen.result = live.timestamp;
    const values = live.components.map((gas) => [gas.label, gas.color, gas.ppm]);
    tell(JSON.stringify({ result: { channel: live.channel, repeat: live.repeat, phase: live.phase, values } }));
  });

  const source = new EventSource(url);
  source.onmessage = (event) => {
    const message = JSON.parse(event.data || "{}");
    subscribers.forEach((subscriber) => subscriber(message));
  };
  source.onerror = () => tell(JSON.stringify({ broken: "the connection" }));
}
