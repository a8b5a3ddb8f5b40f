// How TypeScript knows the types of the module that a bridge serves (docs/clu-js.md).
declare module "http://localhost:9876/clu.js" {
  export * from "clu-ws";
}
