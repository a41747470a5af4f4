import { NETWORK_TEXT } from "../engine/text.js";

export const TEXT = {
  ...NETWORK_TEXT,
  title: "Stage explorer: what a backbone sees in a photograph",
  question: "The photograph has {count} numbers. And the stem’s output?",
  options: { fewer: "fewer", same: "as many", more: "more" },
  yes: "Yes, more: {count}. ",
  no: "No, more: {count}. ",
  invitation: "Point at a place",
  stages: "Stages",
  stem: "Stem",
  head: "Head",
  stage: "Stride {stride}",
  side: "{side} × {side}",
  channels: "{channels} maps",
  numbers: "{count} numbers",
  maps: "Of its {channels} maps the five that vary most",
  map: "Map {channel} of {stage}",
  place: "Place on the photograph: row {row}, column {column}. Arrow keys move it.",
  says: "{stage}: {channels} maps of {side} × {side}; a step is {stride} pixels. Answer: “{name}”, {share}.",
  waiting: "Load the network to see what it makes of your picture.",
  working: "The network is at work …",
};
