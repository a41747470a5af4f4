import { widget } from "../kit.js";
import { evidenceFigure } from "./evidence.js";
import { tilesFigure } from "./tiles.js";

const SETTINGS = ["photo", "change", "shuffle", "rank", "place", "answer"];

export default widget(SETTINGS, (view, model) =>
  model.get("show") === "tiles" ? tilesFigure(view, model) : evidenceFigure(view, model),
);
