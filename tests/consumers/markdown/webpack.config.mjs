// A module, for a page that has no other scripts. `--env name=…` says which of the scripts here.
export default ({ name }) => ({
  mode: "production",
  entry: `./${name}.js`,
  experiments: { outputModule: true },
  output: { module: true, filename: "main.js" },
  performance: false,
});
