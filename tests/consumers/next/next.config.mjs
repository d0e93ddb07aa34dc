// The root of the workspace is the project, whatever lies above it.
import { dirname } from "node:path";

export default { turbopack: { root: dirname(import.meta.dirname) } };
