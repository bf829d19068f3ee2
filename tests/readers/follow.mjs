// What is done with an EventSource, in a browser and outside: every event is told as a line of JSON, until a run ends.
// `data` stays the text that it was, so that nothing is lost between here and whoever compares.

export async function types(url) {
  const schema = await (await fetch(new URL("/events/schema", url))).json();
  return Object.keys(schema.properties);
}

// It must not refer to anything around it: a browser is given its text.
export function follow(EventSource, url, names, tell, done) {
  const source = new EventSource(url);
  const state = ["connecting", "open", "closed"];
  source.onopen = () => tell(JSON.stringify({ state: "open" }));
  source.onerror = () => tell(JSON.stringify({ state: state[source.readyState] }));
  const pass = (event) => {
    tell(JSON.stringify({ id: event.lastEventId, type: event.type, data: event.data }));
    if (event.type === "run.finished") {
      source.close();
      done();
    }
  };
  for (const name of names) {
    source.addEventListener(name, pass);
  }
}
