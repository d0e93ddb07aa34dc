// The entry `riacho/debug`: a session as a file, and the file as a session.
export { Recorder } from "./recorder.js";
export { replay } from "./replay.js";
