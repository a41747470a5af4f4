// What every figure with a network says.

import { PHOTO_TEXT } from "../photo/text.js";

export const NETWORK_TEXT = {
  load: "Load the network (5 MB)",
  runsHere: "It then runs in this page. ",
  license: "License",
  loading: "Loading …",
  ready: "The network is loaded.",
  slow: "The network is loaded. This browser forbids WebAssembly, so an answer takes seconds.",
  failures: {
    missing: "The network’s file did not come. Are you offline? What is recorded works without it; try again later.",
    damaged: "What came is not the whole network. Try again; if that does not help, reload the page.",
    memory: "There is too little memory for the network: close other tabs, and try again.",
    silent: "The notebook’s kernel does not answer. Run the cell again, then try again.",
    worker: "The browser refused to start the network. Try again, or use another browser.",
    failed: "The network could not run here. Try again, or reload the page.",
  },
  answers: "Answers",
  photo: PHOTO_TEXT,
};
