// Words of the data: backbone.language fills this.
export const DATA_WORDS = new Map(Object.entries({}));
