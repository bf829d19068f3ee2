// Follows a stream with fetch and the npm package `eventsource-parser`: node npm-parser.mjs URL. The package reads and
// nothing else; connecting again with the last id is done here, as somebody who uses it has to.
import { createParser } from "eventsource-parser";

const url = process.argv[2];
let [last, delay, over] = ["", 1000, false];

const parser = createParser({
  onEvent(event) {
    last = event.id ?? last;
    console.log(JSON.stringify({ id: event.id ?? "", type: event.event, data: event.data }));
    over ||= event.event === "run.finished";
  },
  onRetry(retry) {
    delay = retry;
  },
  onError(error) {
    console.log(JSON.stringify({ state: `not a stream of events: ${error.message}` }));
  },
});

async function read() {
  const headers = { Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) };
  const answer = await fetch(url, { headers });
  console.log(JSON.stringify({ state: answer.ok ? "open" : `refused with ${answer.status}` }));
  const decoder = new TextDecoder();
  for await (const bytes of answer.body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    if (over) return;
  }
}

while (!over) {
  try {
    await read();
  } catch (error) {
    console.log(JSON.stringify({ state: `lost: ${error.message}` }));
  }
  // What was begun and not finished is not an event.
  parser.reset();
  if (!over) await new Promise((resume) => setTimeout(resume, delay));
}
process.exit(0);
