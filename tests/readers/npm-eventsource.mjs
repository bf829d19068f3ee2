// Follows a stream with the npm package `eventsource`, which connects again by itself: node npm-eventsource.mjs URL.
import { EventSource } from "eventsource";
import { follow, types } from "./follow.mjs";

const url = process.argv[2];
follow(EventSource, url, await types(url), (line) => console.log(line), () => process.exit(0));
