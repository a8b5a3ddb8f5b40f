/** The formats of core/format.js, for the modules of this folder. */

export * from "./core/format.js";
