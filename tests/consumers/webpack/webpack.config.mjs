// A module, for a page that has no other scripts.
export default {
  mode: "production",
  entry: "./main.js",
  experiments: { outputModule: true },
  output: { module: true, filename: "main.js" },
  performance: false,
};
