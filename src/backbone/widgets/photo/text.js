// Words of the picker of photographs; a figure's TEXT holds them as one of its entries. What is wrong with a file is said
// as backbone.data.photo_from says it.
export const PHOTO_TEXT = {
  pictures: "Picture",
  own: "Your own picture",
  file: "Your picture…",
  camera: "Camera",
  note: "It stays on this computer, neither stored nor sent. None of the {count} classes is a person.",
  telephone:
    "{name} cannot be read: it is a HEIC or AVIF picture, as telephones make them. Save it as JPEG: open it in the telephone’s or computer’s picture viewer and export it.",
  unknown: "{name} cannot be read: it is no picture of a kind known here, {kinds}. Save it as JPEG or PNG.",
  damaged: "{name} cannot be read: it is damaged. Copy the file again, or save it anew as JPEG or PNG.",
  large: "{name} cannot be read: it has more pixels than is safe. Save a smaller copy.",
  nameless: "The picture",
  view: "What the camera sees",
  take: "Take the picture",
  turn: "Other camera",
  close: "Close",
  refused: "The camera may not be used on this page. Allow it in the browser’s address bar, or choose a file.",
  missing: "There is no camera here. Choose a file instead.",
  silent: "The camera does not start; perhaps another program uses it. Choose a file instead.",
};
